import { spawn } from 'node:child_process';
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openSqliteStore } from '../../src/store/sqlite-store.ts';
import { append, appendBytes, seqs, storeContract, twin } from '../contracts/store.ts';
import { createFakeLog } from '../fakes/log.ts';
import { createMemoryStore } from '../fakes/store.ts';
import { until, within } from '../fakes/within.ts';
import { faultOf, inFolder, open, workerMain } from './store-folder.ts';

storeContract('memory', async () => {
  const store = createMemoryStore();
  return { store, close: () => store.close() };
});

storeContract('sqlite', async () => {
  const folder = Promise.withResolvers<string>();
  const over = Promise.withResolvers<void>();
  const gone = inFolder((dataDir) => {
    folder.resolve(dataDir);
    return over.promise;
  });
  const store = await open(await folder.promise);
  return {
    store,
    async close() {
      await store.close();
      over.resolve();
      await gone;
    },
  };
});

const test = suite('sqlite store');

test('what was committed is there after a reopen, for nobody else to read', () =>
  inFolder(async (parent) => {
    const dataDir = join(parent, 'made', 'for us');
    const first = await open(dataDir);
    await first.commit([append(1, 'a/in'), { kind: 'twin', module: 'm', twin }]);
    for (const end of ['isolet.db', 'isolet.db-wal', 'isolet.lock', 'isolet.pid']) {
      assert.is(statSync(join(dataDir, end)).mode & 0o777, 0o600, end);
    }
    assert.is(statSync(dataDir).mode & 0o777, 0o700);
    await first.close();
    assert.not.ok(existsSync(join(dataDir, 'isolet.db-wal')));
    const second = await open(dataDir);
    assert.equal(await seqs(second), [1]);
    assert.equal((await second.load()).twins, { m: twin });
    await second.close();
  }));

test('a second user of the folder is refused and told who holds it', () =>
  inFolder(async (dataDir) => {
    const store = await open(dataDir);
    const refused = await faultOf(() => open(dataDir, { lockMs: 10 }));
    assert.is(refused.code, 'DATA_FOLDER_UNUSABLE');
    assert.match(refused.message, `in use by process ${process.pid}`);
    await store.commit([append(1, 'a/in')]);
    await store.close();
    await (await open(dataDir)).close();
  }));

test('another process is refused; what a killed one left does not block', () =>
  inFolder(async (dataDir) => {
    const program = `
      import { openSqliteStore } from ${JSON.stringify(join(import.meta.dirname, '../../src/store/sqlite-store.ts'))};
      const log = { debug() {}, info() {}, warn() {}, error() {} };
      await openSqliteStore({ dataDir: ${JSON.stringify(dataDir)}, workerMain: ${JSON.stringify(workerMain)}, log });
      console.log('open');`;
    const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = new Promise((resolve) => child.on('close', resolve));
    await within(
      10_000,
      'the child opens',
      new Promise((resolve) => child.stdout.once('data', resolve)),
    );
    const refused = await faultOf(() => open(dataDir, { lockMs: 10 }));
    assert.match(refused.message, `in use by process ${child.pid}`);
    child.kill('SIGKILL');
    await within(5_000, 'the child dies', ended);
    assert.ok(existsSync(join(dataDir, 'isolet.pid')));
    await (await open(dataDir)).close();
  }));

test('commits that wait are joined into few transactions', () =>
  inFolder(async (dataDir) => {
    const store = await open(dataDir);
    await Promise.all(
      Array.from({ length: 50 }, (_, at) => store.commit([append(at + 1, 'a/in')])),
    );
    const metrics = store.metrics();
    assert.is(metrics?.commits, 50);
    assert.is(metrics?.writes, 50);
    assert.ok((metrics?.transactions ?? 50) < 10, `${metrics?.transactions} transactions`);
    assert.is((await seqs(store)).length, 50);
    await store.close();
  }));

test('what cannot be copied to the thread is refused, and nothing hangs', () =>
  inFolder(async (dataDir) => {
    const store = await open(dataDir);
    const wrong = [{ kind: 'document', name: 'd', value: 1n as never } as const];
    const outcome = await store.commit(wrong).then(
      () => 'stored',
      () => 'refused',
    );
    assert.is(outcome, 'refused');
    await store.commit([append(1, 'a/in')]);
    await store.close();
  }));

test('a thread that dies takes what it had with it, and the next call starts another', () =>
  inFolder(async (dataDir) => {
    const signal = join(dataDir, 'die');
    const mortal = join(dataDir, 'mortal-worker.mjs');
    writeFileSync(
      mortal,
      `import { existsSync, rmSync } from 'node:fs';
       import { parentPort } from 'node:worker_threads';
       parentPort.on('message', () => {
         if (!existsSync(${JSON.stringify(signal)})) return;
         rmSync(${JSON.stringify(signal)});
         process.exit(3);
       });
       await import(${JSON.stringify(pathToFileURL(workerMain).href)});`,
    );
    const log = createFakeLog();
    const store = await within(
      10_000,
      'open',
      openSqliteStore({ dataDir, workerMain: pathToFileURL(mortal), log }),
    );
    await store.commit([append(1, 'a/in')]);
    writeFileSync(signal, '');
    const outcomes = await within(
      10_000,
      'the answers',
      Promise.all([
        faultOf(() => store.commit([append(2, 'a/in')])),
        faultOf(() => store.read('a/in', 0, 0, 10)),
      ]),
    );
    assert.equal(
      outcomes.map(({ code }) => code),
      ['STORE_DAMAGED', 'STORE_DAMAGED'],
    );
    assert.match(outcomes[0]?.message ?? '', 'unknown whether');
    await within(10_000, 'a commit', store.commit([append(3, 'a/in')]));
    assert.equal(await seqs(store), [1, 3]);
    assert.match(JSON.stringify(log.entries), 'thread has ended');
    await store.close();
  }));

test('close does not wait for ever for a thread that is stuck', () =>
  inFolder(async (dataDir) => {
    const stuck = join(dataDir, 'stuck-worker.mjs');
    writeFileSync(
      stuck,
      `import { parentPort } from 'node:worker_threads';
       parentPort.on('message', () => { for (;;); });
       parentPort.postMessage({ kind: 'opened', fault: undefined });`,
    );
    const log = createFakeLog();
    const settings = { closeMs: 100 };
    const opening = openSqliteStore({ dataDir, workerMain: stuck, log, settings });
    const store = await within(10_000, 'open', opening);
    const pending = faultOf(() => store.commit([append(1, 'a/in')]));
    await within(5_000, 'close', store.close());
    assert.is((await within(5_000, 'the commit', pending)).code, 'STORE_DAMAGED');
  }));

test('an idle store gives the space of a drained backlog back to the disk', () =>
  inFolder(async (dataDir) => {
    const store = await open(dataDir, { idleMs: 20 });
    const body = Buffer.alloc(20_000);
    for (let at = 0; at < 10; at++) {
      await store.commit(
        Array.from({ length: 50 }, (_, each) => appendBytes(at * 50 + each + 1, body)),
      );
    }
    const size = (): number => statSync(join(dataDir, 'isolet.db')).size;
    assert.ok(size() > 8_000_000, `${size()} bytes`);
    await store.commit(
      Array.from({ length: 500 }, (_, at) => ({
        kind: 'remove',
        endpoint: 'a/in',
        priority: 0,
        seq: at + 1,
      })),
    );
    await until(10_000, 'the file shrinks', () => size() < 2_000_000);
    await store.commit([append(1_000, 'a/in')]);
    await store.close();
  }));

test.run();
