/**
 * Messages a second into a module and out of it, through the host's pipe and the isolate's border, each
 * answered; against Node's own channels to a child process and to a worker thread.
 */
import { build } from '../e2e/programs.ts';
import {
  type Crossing,
  isolateCrossing,
  processCrossing,
  threadCrossing,
} from './parts/crossing-sides.ts';
import { type Bench, openBench, type Peer, ratio } from './parts/report.ts';

type Figures = { readonly into: number; readonly outOf: number };

const bench: Bench<'runs' | 'messages' | 'bytes'> = openBench('crossing', {
  runs: 5,
  messages: 50_000,
  bytes: 80,
});
const { runs, messages, bytes } = bench.settings;
build();
const ours = await isolateCrossing();
const child = await processCrossing();
const thread = await threadCrossing();
const took = new Map([ours, child, thread].map((side) => [side, { into: [], outOf: [] } as Took]));
type Took = { readonly into: number[]; readonly outOf: number[] };
for (let run = -1; run < runs; run++) {
  for (const [side, { into, outOf }] of took) {
    const perSecond = [await rate(side, 'into'), await rate(side, 'outOf')] as const;
    if (run === -1) continue; // Warm.
    into.push(perSecond[0]);
    outOf.push(perSecond[1]);
  }
}
const found = new Map<Crossing, Figures>();
for (const [side, { into, outOf }] of took) {
  found.set(side, {
    into: bench.row(`${side.name}, in`, 'messages/s', into).median,
    outOf: bench.row(`${side.name}, out`, 'messages/s', outOf).median,
  });
}
const isolet = found.get(ours) as Figures;
bench.end({ isolet, ...against(child), others: [against(thread)] });

async function rate(side: Crossing, way: 'into' | 'outOf'): Promise<number> {
  const began = performance.now();
  await side[way](messages, bytes);
  return (messages * 1000) / (performance.now() - began);
}

/** By the slower of the two ways. */
function against(side: Crossing): Peer {
  const peer = found.get(side) as Figures;
  const times = Math.min(isolet.into / peer.into, isolet.outOf / peer.outOf);
  return { against: side.name, peer, ratio: ratio(times, 1) };
}
