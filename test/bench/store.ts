/**
 * The store: appends alone and in batches, what commits do to the event loop, what the worker costs.
 *
 *   node --expose-gc test/bench/store.ts [--million]
 *
 * `--million` adds a start with a million waiting messages.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDatabase } from '../../src/store/database.ts';
import { openSqliteStore, type SqliteStore } from '../../src/store/sqlite-store.ts';
import { STORE_SETTINGS } from '../../src/store/store-settings.ts';
import { createTables } from '../../src/store/tables.ts';
import { append, appendBytes, remove } from '../contracts/store.ts';
import { build } from '../e2e/programs.ts';
import { createFakeLog } from '../fakes/log.ts';

// What ships: types stripped at start would cost the worker 10 MB of their own.
build();
const workerMain = join(import.meta.dirname, '../../dist/store-worker.js');
const pssMb = (): number => {
  globalThis.gc?.();
  return Number(/^Pss:\s+(\d+)/m.exec(readFileSync('/proc/self/smaps_rollup', 'utf8'))?.[1]) / 1024;
};
const print = (what: string, value: string): void =>
  void process.stdout.write(`${what.padEnd(58)} ${value}\n`);

const folder = mkdtempSync(join(tmpdir(), 'isolet-bench-'));
const open = (): Promise<SqliteStore> =>
  openSqliteStore({ dataDir: folder, workerMain, log: createFakeLog() });

const before = pssMb();
const plain = openDatabase(join(folder, 'plain.db'), STORE_SETTINGS);
createTables(plain).commit([append(1, 'a/in')]);
const onMain = pssMb() - before;
plain.close();

const beforeWorker = pssMb();
const store = await open();
await store.commit([append(1, 'a/in')]);
print('memory: SQLite on the main thread', `${onMain.toFixed(1)} MB`);
print('memory: the worker with it', `${(pssMb() - beforeWorker).toFixed(1)} MB`);

let seq = 1;
let longestMs = 0;
let last = performance.now();
const watch = setInterval(() => {
  longestMs = Math.max(longestMs, performance.now() - last - 1);
  last = performance.now();
}, 1);
for (const batch of [1, 100]) {
  const rounds = batch === 1 ? 300 : 100;
  const startedAt = performance.now();
  for (let round = 0; round < rounds; round++) {
    await store.commit(Array.from({ length: batch }, () => append(++seq, 'a/in')));
  }
  const eachMs = (performance.now() - startedAt) / (rounds * batch);
  const value = `${(eachMs * 1000).toFixed(0)} µs, ${(1000 / eachMs).toFixed(0)}/s`;
  print(`one durable append, ${batch} to a commit`, value);
}
const startedAt = performance.now();
let read = 0;
for (let after = 0; ; ) {
  const rows = await store.read('a/in', 0, after, 1_000);
  if (rows.length === 0) break;
  read += rows.length;
  after = rows.at(-1)?.seq ?? 0;
}
print(
  'one delivery read, 1,000 to a read',
  `${(((performance.now() - startedAt) * 1000) / read).toFixed(1)} µs`,
);
const removedAt = performance.now();
const first = seq - 9_999;
for (let at = first; at <= seq; at += 100) {
  await store.commit(Array.from({ length: 100 }, (_, each) => remove(at + each, 'a/in')));
}
print(
  'one durable remove, 100 to a commit',
  `${((performance.now() - removedAt) / 10).toFixed(0)} µs`,
);
clearInterval(watch);
print('longest wait of the event loop meanwhile', `${longestMs.toFixed(1)} ms`);
print('longest transaction', `${store.metrics()?.longestMs.toFixed(1)} ms`);
print('memory: the worker after all that', `${(pssMb() - beforeWorker).toFixed(1)} MB`);

if (process.argv.includes('--million')) {
  const body = Buffer.alloc(200, 1);
  for (let at = 0; at < 1_000; at++) {
    await store.commit(Array.from({ length: 1_000 }, () => appendBytes(++seq, body)));
  }
  await store.close();
  const openedAt = performance.now();
  const again = await open();
  const { lanes } = await again.load();
  const value = `${(performance.now() - openedAt).toFixed(0)} ms`;
  print(`opening and loading, ${lanes[0]?.count} messages waiting`, value);
  await again.close();
} else await store.close();
rmSync(folder, { recursive: true });
