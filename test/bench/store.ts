/**
 * The store: durable messages a second, alone and 100 to a commit, against one commit per message on
 * the main thread; what the disk is given for 1,000 messages when all receivers take them at once and
 * when the hub is away; what its thread costs.
 */
import { join } from 'node:path';
import { openDatabase } from '../../src/store/database.ts';
import { openSqliteStore } from '../../src/store/sqlite-store.ts';
import { STORE_SETTINGS } from '../../src/store/store-settings.ts';
import { createTables } from '../../src/store/tables.ts';
import { append, remove } from '../contracts/store.ts';
import { build } from '../e2e/programs.ts';
import { createFakeLog } from '../fakes/log.ts';
import { diskFolder } from './parts/disk.ts';
import { startChain } from './parts/isolet-chain.ts';
import { pssMb } from './parts/memory.ts';
import { type Bench, openBench, ratio } from './parts/report.ts';

const AGAINST = 'SQLite on the main thread, one commit per message';
const RATE = 1_000;

const bench: Bench<'runs' | 'messages' | 'seconds'> = openBench('store', {
  runs: 5,
  messages: 1_000,
  seconds: 5,
});
const { runs, messages, seconds } = bench.settings;
// What ships: types stripped at start would cost the thread 10 MB of their own.
build();
const folder = diskFolder('store');
const workerMain = join(import.meta.dirname, '../../dist/store-worker.cjs');
const memoryMb = (): number => {
  globalThis.gc?.();
  return pssMb('self');
};

let base = memoryMb();
const plain = createTables(openDatabase(join(folder, 'plain.db'), STORE_SETTINGS));
let seq = 1;
plain.commit([append(seq, 'a/in')]);
bench.row('memory: SQLite on the main thread', 'MB', [memoryMb() - base]);
base = memoryMb();
const store = await openSqliteStore({ dataDir: folder, workerMain, log: createFakeLog() });
await store.commit([append(seq, 'a/in')]);
bench.row('memory: the store’s thread with it', 'MB', [memoryMb() - base]);

const alone: number[] = [];
const batched: number[] = [];
const peers: number[] = [];
const removed: number[] = [];
const waits: number[] = [];
for (let run = 0; run < runs; run++) {
  const stopWatch = watchEventLoop();
  alone.push(await perSecond(messages, () => store.commit([append(++seq, 'a/in')])));
  const hundreds = messages / 100;
  const first = seq + 1;
  batched.push(
    100 *
      (await perSecond(hundreds, () =>
        store.commit(Array.from({ length: 100 }, () => append(++seq, 'a/in'))),
      )),
  );
  let at = first;
  removed.push(
    100 *
      (await perSecond(hundreds, () =>
        store.commit(Array.from({ length: 100 }, () => remove(at++, 'a/in'))),
      )),
  );
  waits.push(stopWatch());
  peers.push(await perSecond(messages, () => plain.commit([append(++seq, 'a/in')])));
}
const single = bench.row('durable appends, one to a commit', 'messages/s', alone);
const hundred = bench.row('durable appends, 100 to a commit', 'messages/s', batched);
const peer = bench.row(AGAINST, 'messages/s', peers);
bench.row('durable removes, 100 to a commit', 'messages/s', removed);
bench.row('longest wait of the event loop meanwhile', 'ms', waits);
await store.close();

const online = await kilobytesWritten();
const offline = await kilobytesWritten('/messages/modules/sensor/*');
const writtenKb = {
  online: bench.row('written per 1,000 messages, online', 'KB', online).median,
  offline: bench.row('written per 1,000 messages, the hub is away', 'KB', offline).median,
};
bench.end({
  isolet: { appends: { 1: single, 100: hundred }, writtenKb },
  peer: { appends: { 1: peer } },
  against: AGAINST,
  ratio: ratio(hundred.median, peer.median),
});

async function perSecond(count: number, run: () => unknown): Promise<number> {
  const startedAt = performance.now();
  for (let at = 0; at < count; at++) await run();
  return (count * 1000) / (performance.now() - startedAt);
}

/** Gives how long the event loop stood still at most, ms. */
function watchEventLoop(): () => number {
  let longestMs = 0;
  let last = performance.now();
  const timer = setInterval(() => {
    longestMs = Math.max(longestMs, performance.now() - last - 1);
    last = performance.now();
  }, 1);
  return () => {
    clearInterval(timer);
    return longestMs;
  };
}

/** By the whole device, for 1,000 messages from the sensor to the sink at a steady pace. */
async function kilobytesWritten(offlineSource?: string): Promise<readonly number[]> {
  const chain = await startChain(offlineSource === undefined ? {} : { offline: offlineSource });
  const found: number[] = [];
  for (let run = 0; run < runs; run++) {
    const { writtenBytes } = await chain.run(RATE * seconds, RATE);
    found.push(writtenBytes / 1024 / ((RATE * seconds) / 1000));
  }
  await chain.stop();
  return found;
}
