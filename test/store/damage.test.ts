import {
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { isOfTheWorld } from '../../src/core/fault.ts';
import { append, appendBytes, remove, seqs, twin } from '../contracts/store.ts';
import { createFakeLog } from '../fakes/log.ts';
import { faultOf, inFolder, open, openHere } from './store-folder.ts';

const test = suite('damaged database');

const MESSAGES = 500;
const PAGE = 4_096;

/** A closed store with a twin, a document and so many messages for `a/in`; returns its file. */
function prepare(dataDir: string): string {
  const store = openHere(dataDir);
  const body = Buffer.alloc(300, 1);
  store.commit([
    [
      { kind: 'twin', module: 'm', twin },
      { kind: 'document', name: 'deployment', value: { keep: 'me' } },
    ],
    Array.from({ length: MESSAGES }, (_, at) => appendBytes(at + 1, body)),
  ]);
  store.close();
  return join(dataDir, 'isolet.db');
}

function overwrite(file: string, at: number, bytes: Uint8Array): void {
  const descriptor = openSync(file, 'r+');
  writeSync(descriptor, bytes, 0, bytes.length, at);
  closeSync(descriptor);
}

/** Changes the database as no program of ours would, past all its checks. */
function tamper(file: string, sql: string): void {
  const database = new Database(file);
  database.exec(sql);
  database.close();
}

const asides = (dataDir: string): readonly string[] =>
  readdirSync(dataDir).filter((name) => name.includes('.damaged-') && !/-(wal|shm)$/.test(name));

const damages: Readonly<Record<string, (file: string) => void>> = {
  'a header overwritten': (file) => overwrite(file, 0, Buffer.alloc(100, 0xff)),
  'the first page zeroed': (file) => overwrite(file, 0, Buffer.alloc(PAGE)),
  'rubbish in the schema': (file) => overwrite(file, 100, Buffer.alloc(3_000, 0x41)),
  'every table lost': (file) => overwrite(file, PAGE, Buffer.alloc(PAGE * 12, 0xff)),
  'the file cut in half': (file) => truncateSync(file, Math.floor(readFileSync(file).length / 2)),
  'the file cut to a few bytes': (file) => truncateSync(file, 50),
  'another file altogether': (file) => writeFileSync(file, 'this is no database, not at all'),
  'a table dropped': (file) => tamper(file, 'DROP TABLE twin'),
  'a column gone': (file) => tamper(file, 'ALTER TABLE message DROP COLUMN sender'),
  'an impossible version': (file) => tamper(file, 'PRAGMA user_version = 123456789'),
  'a header that forbids writing': (file) => overwrite(file, 18, Buffer.from([9])),
};

for (const [what, damage] of Object.entries(damages)) {
  test(`${what}: set aside, and the device runs on`, () =>
    inFolder((dataDir) => {
      const file = prepare(dataDir);
      damage(file);
      const store = openHere(dataDir);
      const { lastSeq } = store.load();
      assert.equal(store.commit([[append(lastSeq + 1, 'b/in')]]), [undefined]);
      assert.is(store.read('b/in', 0, 0, 10).length, 1);
      assert.is(store.metrics().repairs, 1);
      const [warning] = store.warnings;
      const [aside] = asides(dataDir);
      assert.is(warning?.fields['aside'], join(dataDir, aside as string));
      assert.ok('rows' in (warning?.fields ?? {}));
      store.close();
      // Once is enough.
      const again = openHere(dataDir);
      assert.is(again.load().lastSeq, lastSeq + 1);
      assert.equal(again.warnings, []);
      again.close();
    }));
}

test('what lies outside the damage is saved, from both ends', () =>
  inFolder((dataDir) => {
    const file = prepare(dataDir);
    // One page of messages in the middle of the file.
    const pages = readFileSync(file).length / PAGE;
    overwrite(file, Math.floor(pages / 2) * PAGE, Buffer.alloc(PAGE, 0xff));
    const store = openHere(dataDir);
    const before = store.load();
    assert.equal(before.documents, { deployment: { keep: 'me' } });
    assert.equal(before.twins, { m: twin });
    // Nobody looked at the page yet: a start reads no bodies.
    assert.is(store.metrics().repairs, 0);
    const found = store.read('a/in', 0, 0, MESSAGES).map(({ seq }) => seq);
    assert.is(store.metrics().repairs, 1);
    assert.ok(found.length > MESSAGES - 40 && found.length < MESSAGES, `${found.length} saved`);
    assert.is(found[0], 1);
    assert.is(found.at(-1), MESSAGES);
    const after = store.load();
    assert.equal(after.documents, { deployment: { keep: 'me' } });
    assert.equal(after.twins, { m: twin });
    assert.is(after.lanes[0]?.count, found.length);
    store.close();
  }));

test('a value that is no JSON any more costs its row, not the start', () =>
  inFolder((dataDir) => {
    const file = prepare(dataDir);
    tamper(
      file,
      `UPDATE message SET properties = '{"a' WHERE seq = 7;
       INSERT INTO document VALUES ('bent', '{"a":');
       INSERT INTO twin VALUES ('bent', '[]', 'x', NULL, NULL)`,
    );
    const store = openHere(dataDir);
    assert.equal(store.load().documents, { deployment: { keep: 'me' } });
    assert.equal(store.load().twins, { m: twin });
    const found = store.read('a/in', 0, 0, MESSAGES).map(({ seq }) => seq);
    assert.is(found.length, MESSAGES - 1);
    assert.not.ok(found.includes(7));
    store.close();
  }));

test('numbers of messages do not go back when the messages are lost', () =>
  inFolder((dataDir) => {
    const file = prepare(dataDir);
    const gone = openHere(dataDir);
    gone.commit([Array.from({ length: MESSAGES }, (_, at) => remove(at + 1, 'a/in'))]);
    gone.close();
    tamper(file, "INSERT INTO document VALUES ('bent', '{')");
    const store = openHere(dataDir);
    assert.is(store.load().lastSeq, MESSAGES);
    assert.is(store.metrics().repairs, 1);
    store.close();
  }));

test('damage found while the device runs is repaired under the feet of whoever asked', () =>
  inFolder(async (dataDir) => {
    const file = prepare(dataDir);
    tamper(file, "UPDATE message SET system = 'bent' WHERE seq = 3");
    const log = createFakeLog();
    const store = await open(dataDir, {}, log);
    const [rows] = await Promise.all([seqs(store), store.commit([append(MESSAGES + 1, 'a/in')])]);
    assert.is(rows.length, MESSAGES - 1);
    assert.is((await seqs(store)).length, MESSAGES);
    assert.is(store.metrics()?.repairs, 1);
    assert.match(JSON.stringify(log.entries), asides(dataDir)[0] as string);
    await store.close();
  }));

test('hardware that fails again and again is not repaired all the time, nor fills the disk', () =>
  inFolder(async (dataDir) => {
    let elapsedMs = 0;
    const clock = { now: () => 1_700_000_000_000 + elapsedMs, elapsed: () => elapsedMs };
    const file = prepare(dataDir);
    const store = openHere(dataDir, { cacheKb: 40, repairPauseMs: 60_000 }, clock);
    const read = () => store.read('a/in', 0, 0, MESSAGES);
    for (let round = 1; round <= 4; round++) {
      // A page in the middle: no cache has it.
      overwrite(file, Math.floor(statSync(file).size / PAGE / 2) * PAGE, Buffer.alloc(PAGE, 0xff));
      if (round > 1) {
        const fault = await faultOf(read);
        assert.is(fault.code, 'STORE_DAMAGED');
        // Whoever asked rests, and asks again.
        assert.ok(isOfTheWorld(fault));
      }
      elapsedMs += 60_000;
      assert.ok(read().length > MESSAGES / 2);
      assert.is(store.metrics().repairs, round);
      assert.ok(asides(dataDir).length <= 2);
    }
    store.close();
  }));

test('a power cut in the middle of a repair is finished by the next start', () =>
  inFolder((dataDir) => {
    const file = prepare(dataDir);
    // As after the salvage, before anything was moved; the old log still there.
    const salvaged = `${file}.salvaged`;
    renameSync(file, salvaged);
    writeFileSync(file, 'the damaged one');
    writeFileSync(`${file}-wal`, 'and its log');
    writeFileSync(`${file}.salvaging`, 'half of an older attempt');
    const first = openHere(dataDir);
    assert.is(first.read('a/in', 0, 0, 1_000).length, MESSAGES);
    first.close();
    // As after the damaged one was moved.
    renameSync(file, salvaged);
    const second = openHere(dataDir);
    assert.is(second.read('a/in', 0, 0, 1_000).length, MESSAGES);
    second.close();
    assert.is(asides(dataDir).length, 1);
  }));

test('salvage ends when its time is over, with what matters most', () =>
  inFolder((dataDir) => {
    const file = prepare(dataDir);
    tamper(file, 'DROP TABLE statistics');
    let elapsedMs = 0;
    const clock = { now: Date.now, elapsed: () => (elapsedMs += 10) };
    const store = openHere(dataDir, { salvageMs: 45 }, clock);
    assert.equal(store.load().documents, { deployment: { keep: 'me' } });
    assert.is(store.warnings[0]?.fields['stopped'], 'it took too long');
    store.close();
  }));

test('whatever bytes change, the store opens, answers, and takes new messages', () =>
  inFolder((parent) => {
    const pristine = readFileSync(prepare(join(parent, 'pristine')));
    const pages = pristine.length / PAGE;
    const hurt = fc.record({
      // The first pages are the ones everything hangs on.
      page: fc.oneof(fc.nat({ max: 12 }), fc.nat({ max: pages - 1 })),
      offset: fc.oneof(fc.nat({ max: 120 }), fc.nat({ max: PAGE - 1 })),
      bytes: fc.uint8Array({ minLength: 1, maxLength: 64 }),
    });
    let round = 0;
    fc.assert(
      fc.property(fc.array(hurt, { minLength: 1, maxLength: 4 }), (hurts) => {
        const dataDir = join(parent, `${round++}`);
        openHere(dataDir).close();
        const bytes = Buffer.from(pristine);
        for (const { page, offset, bytes: rubbish } of hurts) {
          bytes.set(rubbish.subarray(0, PAGE - offset), page * PAGE + offset);
        }
        writeFileSync(join(dataDir, 'isolet.db'), bytes);
        let store: ReturnType<typeof openHere>;
        try {
          store = openHere(dataDir, { repairPauseMs: 0 });
        } catch (cause) {
          // The version's own bytes may say "newer", plausibly.
          assert.match((cause as Error).message, 'newer Isolet');
          return;
        }
        const { lastSeq } = store.load();
        for (const { endpoint, priority } of store.load().lanes) {
          store.read(endpoint, priority, 0, 1_000);
        }
        const [outcome] = store.commit([[append(lastSeq + 1, 'b/in')]]);
        assert.is(outcome, undefined, String(outcome));
        assert.is(store.read('b/in', 0, lastSeq, 10).length, 1);
        store.close();
      }),
      { numRuns: 60 },
    );
  }));

test.run();
