/** The store: appends alone and in batches, what commits do to the event loop, what the worker costs. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDatabase } from '../../src/store/database.ts';
import { openSqliteStore } from '../../src/store/sqlite-store.ts';
import { createTables } from '../../src/store/tables.ts';
import { append } from '../contracts/store.ts';
import { build } from '../e2e/programs.ts';
import { createFakeLog } from '../fakes/log.ts';

// What ships: types stripped at start would cost the worker 10 MB of their own.
build();
const workerMain = join(import.meta.dirname, '../../dist/store-worker.js');
const newFolder = (): string => mkdtempSync(join(tmpdir(), 'isolet-bench-'));
const pssMb = (): number => {
  globalThis.gc?.();
  return Number(/^Pss:\s+(\d+)/m.exec(readFileSync('/proc/self/smaps_rollup', 'utf8'))?.[1]) / 1024;
};
const print = (what: string, value: string): void =>
  void process.stdout.write(`${what.padEnd(58)} ${value}\n`);

const before = pssMb();
const plainFolder = newFolder();
const plain = openDatabase(join(plainFolder, 'isolet.db'));
createTables(plain).commit([append(1, 'a/in')]);
const onMain = pssMb() - before;
plain.close();

const folder = newFolder();
const beforeWorker = pssMb();
const store = await openSqliteStore({ dataDir: folder, workerMain, log: createFakeLog() });
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
  const microseconds = ((performance.now() - startedAt) * 1000) / (rounds * batch);
  print(`one durable append, ${batch} to a commit`, `${microseconds.toFixed(0)} µs`);
}
clearInterval(watch);
print('longest wait of the event loop meanwhile', `${longestMs.toFixed(1)} ms`);
await store.close();
for (const each of [plainFolder, folder]) rmSync(each, { recursive: true });
