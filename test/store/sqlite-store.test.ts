import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import Database from 'better-sqlite3';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Fault } from '../../src/core/fault.ts';
import type { Store, StoreWrite } from '../../src/core/ports.ts';
import { openSqliteStore } from '../../src/store/sqlite-store.ts';
import { append, message, storeContract, twin } from '../contracts/store.ts';
import { createFakeLog } from '../fakes/log.ts';
import { createMemoryStore } from '../fakes/store.ts';
import { within } from '../fakes/within.ts';

type Append = Extract<StoreWrite, { kind: 'append' }>;

const workerMain = join(import.meta.dirname, '../../src/store/worker.ts');
const newFolder = (): string => mkdtempSync(join(tmpdir(), 'isolet-store-'));
const open = (dataDir: string, log = createFakeLog()): Promise<Store> =>
  within(10_000, 'open', openSqliteStore({ dataDir, workerMain, log }));

storeContract('memory', async () => {
  const store = createMemoryStore();
  return { store, close: () => store.close() };
});

storeContract('sqlite', async () => {
  const dataDir = newFolder();
  const store = await open(dataDir);
  return {
    store,
    async close() {
      await store.close();
      rmSync(dataDir, { recursive: true });
    },
  };
});

const test = suite('sqlite store');

async function fault(promise: Promise<unknown>): Promise<Fault> {
  try {
    await promise;
  } catch (cause) {
    if (cause instanceof Fault) return cause;
    throw cause;
  }
  throw new Error('nothing was wrong');
}

test('what was committed is there after a reopen', async () => {
  const dataDir = newFolder();
  const first = await open(dataDir);
  await first.commit([append(1, 'a/in'), { kind: 'twin', module: 'm', twin }]);
  await first.close();
  const second = await open(dataDir);
  assert.is((await second.read('a/in', 0, 0, 10)).length, 1);
  assert.equal((await second.load()).twins, { m: twin });
  await second.close();
  assert.is(statSync(join(dataDir, 'isolet.db')).mode & 0o777, 0o600);
  rmSync(dataDir, { recursive: true });
});

test('a commit is all or nothing', async () => {
  const dataDir = newFolder();
  const store = await open(dataDir);
  await store.commit([append(1, 'a/in')]);
  // seq 1 is taken: the whole batch goes.
  let refused = false;
  await store.commit([append(2, 'a/in'), append(1, 'a/in')]).catch(() => {
    refused = true;
  });
  assert.ok(refused);
  assert.equal(
    (await store.read('a/in', 0, 0, 10)).map((row) => row.seq),
    [1],
  );
  await store.close();
  rmSync(dataDir, { recursive: true });
});

test('a second user of the folder is refused', async () => {
  const dataDir = newFolder();
  const store = await open(dataDir);
  const refused = await fault(open(dataDir));
  assert.is(refused.code, 'DATA_FOLDER_UNUSABLE');
  assert.match(refused.message, 'in use by another process');
  await store.close();
  rmSync(dataDir, { recursive: true });
});

test('a full disk refuses a commit whole, and takes the next when there is space', async () => {
  const dataDir = newFolder();
  const first = await open(dataDir);
  await first.commit([append(1, 'a/in')]);
  await first.close();
  const file = join(dataDir, 'isolet.db');
  const database = new Database(file);
  const pages = database.pragma('page_count', { simple: true }) as number;
  database.close();
  const store = await openSqliteStore({
    dataDir,
    workerMain,
    log: createFakeLog(),
    pagesMax: pages + 4,
  });
  const big = {
    ...(append(3, 'a/in') as Append),
    message: { ...message('big'), body: Buffer.alloc(100_000) },
  };
  const refused = await fault(store.commit([append(2, 'a/in'), big]));
  assert.is(refused.code, 'DISK_FULL');
  assert.equal(
    (await store.read('a/in', 0, 0, 10)).map((row) => row.seq),
    [1],
  );
  await store.commit([append(4, 'a/in')]);
  assert.equal(
    (await store.read('a/in', 0, 0, 10)).map((row) => row.seq),
    [1, 4],
  );
  await store.close();
  rmSync(dataDir, { recursive: true });
});

test('a damaged file is set aside, what can be read is saved, the device runs on', async () => {
  for (const damage of ['header', 'middle', 'rubbish'] as const) {
    const dataDir = newFolder();
    const first = await open(dataDir);
    await first.commit([{ kind: 'twin', module: 'm', twin }]);
    await first.commit(Array.from({ length: 500 }, (_, index) => append(index + 1, 'a/in')));
    await first.close();
    const file = join(dataDir, 'isolet.db');
    const bytes = readFileSync(file);
    if (damage === 'header') bytes.fill(0xff, 0, 100);
    if (damage === 'middle') bytes.fill(0xff, 4096 * 1, 4096 * 4);
    writeFileSync(file, damage === 'rubbish' ? 'this is no database, not at all' : bytes);
    const log = createFakeLog();
    const store = await open(dataDir, log);
    await store.commit([append(1000, 'a/in')]);
    assert.is((await store.load()).lastSeq, 1000);
    await store.close();
    assert.ok(
      readdirSync(dataDir).some((name) => name.includes('damaged')),
      damage,
    );
    assert.match(JSON.stringify(log.entries), 'set aside');
    rmSync(dataDir, { recursive: true });
  }
});

test('a newer file than we know is left alone', async () => {
  const dataDir = newFolder();
  const database = new Database(join(dataDir, 'isolet.db'));
  database.pragma('user_version = 99');
  database.close();
  const refused = await fault(open(dataDir));
  assert.is(refused.code, 'DATA_FOLDER_UNUSABLE');
  assert.match(refused.message, 'newer Isolet');
  rmSync(dataDir, { recursive: true });
});

test('what a killed process was told is committed is there', async () => {
  const dataDir = newFolder();
  const program = `
    import { openSqliteStore } from ${JSON.stringify(join(import.meta.dirname, '../../src/store/sqlite-store.ts'))};
    import { append } from ${JSON.stringify(join(import.meta.dirname, '../contracts/store.ts'))};
    const log = { debug() {}, info() {}, warn() {}, error() {} };
    const store = await openSqliteStore({ dataDir: ${JSON.stringify(dataDir)}, workerMain: ${JSON.stringify(workerMain)}, log });
    let seq = (await store.load()).lastSeq;
    for (;;) { seq++; const mine = seq; await store.commit([append(mine, 'a/in')]); console.log(mine); }
  `;
  let told = 0;
  for (const killAfter of [5, 40, 120]) {
    const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let count = 0;
    const lines = createInterface({ input: child.stdout });
    lines.on('line', (line) => {
      told = Number(line);
      if (++count === killAfter) child.kill('SIGKILL');
    });
    await within(20_000, 'the child dies', new Promise((resolve) => child.on('close', resolve)));
  }
  const store = await open(dataDir);
  const rows = await store.read('a/in', 0, 0, 100_000);
  assert.ok(told >= 165);
  assert.ok(rows.length >= told, `${rows.length} of ${told}`);
  await store.close();
  rmSync(dataDir, { recursive: true });
});

test.run();
