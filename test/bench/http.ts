/**
 * HTTP requests a second through a module, from a client that keeps its connections, against a plain
 * server of Node's in a process of its own, in the same run.
 */
import { build } from '../e2e/programs.ts';
import { type HttpSide, moduleSide, plainSide, rate } from './parts/http-sides.ts';
import { type Bench, openBench, ratio } from './parts/report.ts';

const bench: Bench<'runs' | 'requests' | 'connections' | 'bytes'> = openBench('http', {
  runs: 5,
  requests: 5_000,
  connections: 16,
  bytes: 200,
});
const { runs, requests, connections, bytes } = bench.settings;
build();
const ours = await moduleSide(bytes);
const plain = await plainSide(bytes);
const took = new Map<HttpSide, number[]>([
  [ours, []],
  [plain, []],
]);
for (let run = -1; run < runs; run++) {
  for (const [side, perSecond] of took) {
    const found = await rate(side, requests, connections);
    if (run >= 0) perSecond.push(found); // The first is to get warm.
  }
}
const [isolet, peer] = [...took].map(
  ([{ name }, perSecond]) => bench.row(name, 'requests/s', perSecond).median,
) as [number, number];
bench.end({ isolet, against: plain.name, peer, ratio: ratio(isolet, peer) });
