/** What a killed process was told is committed is there: kills at random moments of a busy store. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { append } from '../contracts/store.ts';
import { within } from '../fakes/within.ts';
import { inFolder, open, openHere, workerMain } from './store-folder.ts';

const test = suite('a killed store');

const LIVES = 8;

/** Several commits under way at once, some large, some removing; tells each that is acknowledged. */
const program = (dataDir: string): string => `
  import { openSqliteStore } from ${JSON.stringify(join(import.meta.dirname, '../../src/store/sqlite-store.ts'))};
  import { append, appendBytes, remove } from ${JSON.stringify(join(import.meta.dirname, '../contracts/store.ts'))};
  const log = { debug() {}, info() {}, warn() {}, error: console.error };
  const store = await openSqliteStore({ dataDir: ${JSON.stringify(dataDir)}, workerMain: ${JSON.stringify(workerMain)}, log });
  let seq = (await store.load()).lastSeq;
  async function write() {
    for (;;) {
      const [first, second] = [++seq, ++seq];
      await store.commit([append(first, 'a/in', 'b/in'), appendBytes(second, Buffer.alloc(first % 7 === 0 ? 100_000 : 10))]);
      console.log('stored ' + first + ' ' + second);
      if (first % 3 !== 0) continue;
      console.log('removing ' + first);
      await store.commit([remove(first, 'a/in')]);
      console.log('removed ' + first);
    }
  }
  for (let at = 0; at < 4; at++) void write();`;

test('everything acknowledged is there after each kill', () =>
  inFolder(async (dataDir) => {
    const stored = new Set<number>();
    const removing = new Set<number>();
    const removed = new Set<number>();
    for (let life = 0; life < LIVES; life++) {
      const child = spawn(
        process.execPath,
        ['--input-type=module-typescript', '-e', program(dataDir)],
        {
          stdio: ['ignore', 'pipe', 'inherit'],
        },
      );
      let acknowledged = 0;
      // At a moment of its own in each life, a little after the line that decides it.
      const fatal = 1 + Math.floor(Math.random() * 150);
      createInterface({ input: child.stdout }).on('line', (line) => {
        const [what, ...seqs] = line.split(' ');
        // A line cut in half by the kill says nothing.
        if (what === 'stored' && seqs.length === 2) for (const seq of seqs) stored.add(Number(seq));
        if (what === 'removing') removing.add(Number(seqs[0]));
        if (what === 'removed') removed.add(Number(seqs[0]));
        if (++acknowledged === fatal) setTimeout(() => child.kill('SIGKILL'), Math.random() * 5);
      });
      await within(30_000, 'the child dies', new Promise((resolve) => child.on('close', resolve)));
      const store = openHere(dataDir, { readBytesMax: 1e9 });
      const inA = new Set(store.read('a/in', 0, 0, 1_000_000).map(({ seq }) => seq));
      const inB = new Set(store.read('b/in', 0, 0, 1_000_000).map(({ seq }) => seq));
      const { lastSeq } = store.load();
      assert.equal(
        [...stored].filter((seq) => !inA.has(seq) && !removing.has(seq)),
        [],
        `life ${life}: lost`,
      );
      assert.equal(
        [...removed].filter((seq) => inA.has(seq) || !inB.has(seq)),
        [],
        `life ${life}: back`,
      );
      assert.ok(lastSeq >= Math.max(...stored));
      assert.equal(store.warnings, []);
      store.close();
    }
    assert.ok(stored.size > LIVES);
    const after = await open(dataDir);
    await after.commit([append((await after.load()).lastSeq + 1, 'a/in')]);
    await after.close();
  }));

test.run();
