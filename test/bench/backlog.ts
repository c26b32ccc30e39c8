/**
 * A million messages wait in a data folder: how long the real program takes from its start to the
 * first delivery, whether its memory grows with what waits, how fast and in what order it drains.
 * The peer is Mosquitto with the same messages for a subscriber who was away, started again.
 */
import { build } from '../e2e/programs.ts';
import { fillBacklog, makeBacklogFolder, setSink } from './parts/backlog-folder.ts';
import { type Seen, startBacklogRun } from './parts/backlog-run.ts';
import { peakRssMb } from './parts/memory.ts';
import { createBroker, NO_MOSQUITTO } from './parts/mosquitto.ts';
import { startPeerProcess } from './parts/peer-process.ts';
import { type Bench, openBench, ratio } from './parts/report.ts';

const bench: Bench<'runs' | 'messages'> = openBench('backlog', { runs: 3, messages: 1_000_000 });
const { runs, messages } = bench.settings;
const tenth = messages / 10;
build();
const none = await makeBacklogFolder(tenth / 2);
const some = await fillBacklog(none, tenth);
const many = await fillBacklog(none, messages);
const folders = { 0: none, [tenth]: some, [messages]: many };

const waitingMb: Record<string, number> = {};
for (const [count, folder] of Object.entries(folders)) {
  await setSink(folder, 'stopped');
  const values: number[] = [];
  for (let run = 0; run < runs; run++) {
    const started = startBacklogRun(folder);
    values.push(await started.calmMb());
    await started.kill();
  }
  await setSink(folder, 'running');
  waitingMb[count] = bench.row(`supervisor, ${count} wait, PSS`, 'MB', values).median;
}

const firsts: number[] = [];
for (let run = 0; run < runs; run++) {
  const started = startBacklogRun(many);
  firsts.push(await started.firstMs());
  await started.kill();
}
const firstMs = bench.row(`start to first delivery, ${messages} wait`, 'ms', firsts);

const peakMb: Record<string, number> = {};
let perSecond = 0;
for (const [count, folder] of [
  [tenth, some],
  [messages, many],
] as const) {
  const started = startBacklogRun(folder);
  const beganMs = await started.firstMs();
  const startedAt = performance.now();
  // The same work in both: what differs is what still waits behind it.
  await started.seen(tenth);
  const [peak] = [started.peakMb()];
  peakMb[count] = bench.row(`supervisor, ${tenth} of ${count} delivered, peak RSS`, 'MB', [
    peak,
  ]).median;
  const all = await started.seen(count);
  checkOrder(all, count);
  perSecond = (all.count * 1000) / (performance.now() - startedAt);
  bench.row(`drained, ${count} in order (first after ${Math.round(beganMs)} ms)`, 'messages/s', [
    perSecond,
  ]);
  await started.kill();
}
const isolet = { firstMs, drainedPerSecond: Math.round(perSecond), waitingMb, peakMb };

const broker = await createBroker(true);
if (broker === undefined) bench.end({ isolet, ...NO_MOSQUITTO });
const port = String(broker.port);
broker.start();
await broker.listening();
const filler = startPeerProcess('mqtt-backlog.ts', [port, 'fill', String(messages)]);
await filler.next();
await filler.stop();
const peerFirsts: number[] = [];
const peerPeaks: number[] = [];
let peerPerSecond = 0;
for (let run = 0; run < runs; run++) {
  // In order: it saves what it holds.
  await broker.stop();
  const sink = startPeerProcess('mqtt-backlog.ts', [port, 'drain', String(messages)]);
  await sink.next();
  const startedAtMs = performance.timeOrigin + performance.now();
  const process = broker.start();
  const { atMs } = (await sink.next()) as { atMs: number };
  peerFirsts.push(atMs - startedAtMs);
  if (run === runs - 1) {
    const all = (await sink.next()) as Seen & { readonly tookMs: number };
    checkOrder(all, messages);
    peerPerSecond = (all.count * 1000) / all.tookMs;
  }
  peerPeaks.push(peakRssMb(process.pid as number));
  await sink.stop();
}
await broker.stop();
const peer = {
  firstMs: bench.row(`${broker.name}, start to first delivery`, 'ms', peerFirsts),
  drainedPerSecond: Math.round(peerPerSecond),
  peakMb: bench.row(`${broker.name}, peak RSS`, 'MB', peerPeaks).median,
};
bench.row(`${broker.name}, drained in order`, 'messages/s', [peerPerSecond]);
bench.end({
  isolet,
  peer,
  against: broker.name,
  ratio: ratio(peer.firstMs.median, firstMs.median),
});

/** Each once, one after the other, to the last. */
function checkOrder({ number, outOfOrder, count }: Seen, last: number): void {
  if (outOfOrder === 0 && number === last && count <= last) return;
  throw new Error(`order is broken: ${outOfOrder} of ${count} messages, the last is ${number}`);
}
