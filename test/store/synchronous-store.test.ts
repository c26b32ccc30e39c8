import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { append, appendBytes, deadLetter, remove, twin } from '../contracts/store.ts';
import { faultOf, inFolder, openHere, type StoreHere } from './store-folder.ts';

const test = suite('synchronous store');

const seqsOf = (store: StoreHere): readonly number[] =>
  store.read('a/in', 0, 0, 1_000_000).map(({ seq }) => seq);
const codes = (outcomes: readonly unknown[]): readonly unknown[] =>
  outcomes.map((outcome) => (outcome as { code?: unknown } | undefined)?.code);

test('joined commits are one transaction; with a bad one among them each stands alone', () =>
  inFolder((dataDir) => {
    const store = openHere(dataDir);
    assert.equal(store.commit([[append(1, 'a/in')], [append(2, 'a/in')]]), [undefined, undefined]);
    assert.is(store.metrics().transactions, 1);
    const [first, bad, last] = store.commit([
      [append(3, 'a/in')],
      [append(4, 'a/in'), append(1, 'a/in')],
      [append(5, 'a/in')],
    ]);
    assert.is(first, undefined);
    assert.match(String(bad), 'UNIQUE');
    assert.is(last, undefined);
    assert.equal(seqsOf(store), [1, 2, 3, 5]);
    store.close();
  }));

test('a database at its limit refuses a commit whole, and takes the next that fits', () =>
  inFolder((dataDir) => {
    const store = openHere(dataDir, { pagesMax: 40 });
    const big = appendBytes(2, Buffer.alloc(200_000));
    assert.equal(codes(store.commit([[append(1, 'a/in')], [append(3, 'a/in'), big]])), [
      undefined,
      'DISK_FULL',
    ]);
    assert.equal(seqsOf(store), [1]);
    store.commit([[append(4, 'a/in')]]);
    assert.equal(seqsOf(store), [1, 4]);
    store.close();
  }));

test('the last free space is kept for removes', () =>
  inFolder(async (dataDir) => {
    const roomy = openHere(dataDir);
    roomy.commit([[append(1, 'a/in')]]);
    roomy.close();
    const store = openHere(dataDir, { freeBytesMin: Number.MAX_SAFE_INTEGER });
    const [refused] = store.commit([[append(2, 'a/in')]]);
    assert.is((refused as { code?: unknown }).code, 'DISK_FULL');
    // A dead letter only moves what is there.
    assert.equal(store.commit([[deadLetter(1, 'a/in'), remove(1, 'a/in')]]), [undefined]);
    assert.equal(seqsOf(store), []);
    assert.is(store.metrics().faults, 1);
    store.close();
  }));

/** The same on a real file system that is full: 3 MB of memory, mounted where only the child sees it. */
test('a full disk refuses commits whole, lets removes through, and works again without a restart', () =>
  inFolder((dataDir) => {
    const folder = JSON.stringify(join(dataDir, 'small'));
    const script = `
      import { appendFileSync, rmSync } from 'node:fs';
      import { openHere } from ${JSON.stringify(join(import.meta.dirname, 'store-folder.ts'))};
      import { append, appendBytes, remove } from ${JSON.stringify(join(import.meta.dirname, '../contracts/store.ts'))};
      let store = openHere(${folder}, { freeBytesMin: 500_000, checkpointPages: 50 });
      const code = ([outcome]) => outcome === undefined ? 'ok' : outcome.code ?? String(outcome);
      const waiting = (endpoint) => store.read(endpoint, 0, 0, 1_000).length;
      const body = Buffer.alloc(50_000);
      let seq = 0, said;
      do said = code(store.commit([[appendBytes(++seq, body), append(++seq, 'b/in')]]));
      while (said === 'ok' && seq < 500);
      console.log(said, waiting('a/in') > 5, waiting('a/in') === waiting('b/in'));
      // Somebody else takes the rest, to the last byte.
      const ballast = ${folder} + '/ballast';
      try { for (;;) appendFileSync(ballast, Buffer.alloc(4_096)); } catch {}
      // Even so it can be closed and opened, and what waits is there.
      const before = waiting('a/in');
      store.close();
      store = openHere(${folder}, { freeBytesMin: 500_000, checkpointPages: 50 });
      console.log(waiting('a/in') === before);
      try { for (;;) appendFileSync(ballast, Buffer.alloc(4_096)); } catch {}
      const large = { kind: 'document', name: 'd', value: 'x'.repeat(600_000) };
      const small = { kind: 'document', name: 'd', value: 1 };
      console.log(code(store.commit([[small, large]])), Object.keys(store.load().documents).length);
      rmSync(ballast);
      console.log(code(store.commit([[small]])), Object.keys(store.load().documents).length);
      // Filled by our own messages it can still be drained, and then takes new ones.
      for (let at = 1; at < seq; at++) said = code(store.commit([[remove(at, 'a/in'), remove(at, 'b/in')]]));
      console.log(said, waiting('a/in'), code(store.commit([[appendBytes(1_001, body)]])));
      store.close();`;
    mkdirSync(join(dataDir, 'small'));
    const command =
      'mount -t tmpfs -o size=3m tmpfs "$1" && exec "$2" --input-type=module-typescript -e "$3"';
    const args = [join(dataDir, 'small'), process.execPath, script];
    const { status, stdout, stderr } = spawnSync(
      'unshare',
      ['-Urm', 'sh', '-c', command, 'sh', ...args],
      {
        encoding: 'utf8',
        timeout: 30_000,
      },
    );
    if (/unshare|mount/.test(stderr)) console.log('a full disk: skipped: needs unshare and tmpfs');
    else {
      assert.is(stdout, 'DISK_FULL true true\ntrue\nDISK_FULL 0\nok 1\nok 0 ok\n', stderr);
      assert.is(status, 0);
    }
  }));

test('the log stays small, also after a large transaction', () =>
  inFolder((dataDir) => {
    const store = openHere(dataDir);
    const log = (): number => statSync(join(dataDir, 'isolet.db-wal')).size;
    let seq = 0;
    for (let round = 0; round < 100; round++) {
      store.commit([[appendBytes(++seq, Buffer.alloc(200_000))]]);
      assert.ok(log() < 8_500_000, `${log()} bytes`);
    }
    const large = Array.from({ length: 100 }, () => appendBytes(++seq, Buffer.alloc(200_000)));
    store.commit([large]);
    store.commit([[append(++seq, 'a/in')]]);
    store.commit([[append(++seq, 'a/in')]]);
    assert.ok(log() < 8_500_000, `${log()} bytes`);
    store.close();
  }));

test('a backlog that has left gives its pages back in steps', () =>
  inFolder((dataDir) => {
    const store = openHere(dataDir);
    const body = Buffer.alloc(4_000);
    store.commit([Array.from({ length: 5_000 }, (_, at) => appendBytes(at + 1, body))]);
    assert.not.ok(store.tidy());
    const full = store.metrics().databaseBytes;
    store.commit([Array.from({ length: 5_000 }, (_, at) => remove(at + 1, 'a/in'))]);
    let steps = 1;
    while (store.tidy()) steps++;
    assert.ok(steps > 3, `${steps} steps`);
    assert.ok(store.metrics().databaseBytes < full / 10);
    assert.ok(statSync(join(dataDir, 'isolet.db')).size < full / 10);
    store.close();
  }));

test('a folder that cannot be used is refused with what to do', () =>
  inFolder(async (dataDir) => {
    const file = join(dataDir, 'file');
    writeFileSync(file, '');
    for (const wrong of [file, join(file, 'below')]) {
      const refused = await faultOf(() => openHere(wrong));
      assert.is(refused.code, 'DATA_FOLDER_UNUSABLE', wrong);
      assert.match(refused.message, /right to write|another data folder/);
    }
  }));

test('a folder of somebody else is refused, and so is a database', () =>
  inFolder(async (dataDir) => {
    if (process.getuid?.() !== 0) {
      chmodSync(dataDir, 0o500);
      assert.is((await faultOf(() => openHere(dataDir))).code, 'DATA_FOLDER_UNUSABLE');
      chmodSync(dataDir, 0o700);
      return;
    }
    const theirs = join(dataDir, 'theirs');
    openHere(theirs).close();
    // Their folder first, then their file in a folder for everybody.
    for (const mode of [0o755, 0o777]) {
      chmodSync(dataDir, 0o755);
      chmodSync(theirs, mode);
      process.seteuid?.(65_534);
      try {
        const refused = await faultOf(() => openHere(theirs));
        assert.is(refused.code, 'DATA_FOLDER_UNUSABLE');
      } finally {
        process.seteuid?.(0);
      }
    }
  }));

test('a lock file of rubbish, and a stale process id, block nobody', () =>
  inFolder((dataDir) => {
    writeFileSync(join(dataDir, 'isolet.lock'), 'x'.repeat(5_000));
    writeFileSync(join(dataDir, 'isolet.pid'), '1\n');
    const store = openHere(dataDir);
    store.commit([[{ kind: 'twin', module: 'm', twin }]]);
    store.close();
    assert.not.ok(existsSync(join(dataDir, 'isolet.pid')));
  }));

test.run();
