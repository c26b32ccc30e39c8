/** What every Store keeps: run by the fake and by SQLite alike. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Message } from '../../src/core/message.ts';
import type {
  StatisticsRow,
  Store,
  StoredDeadLetter,
  StoreWrite,
  TwinRow,
} from '../../src/core/ports.ts';
import { within } from '../fakes/within.ts';

export const message = (text: string): Message => ({
  source: '/messages/modules/sensor/outputs/out',
  sender: 'sensor',
  body: Buffer.from(text),
  properties: { 'a b': 'é', empty: '' },
  system: { contentType: 'application/json' },
});

export const append = (seq: number, ...endpoints: readonly string[]): StoreWrite => ({
  kind: 'append',
  seq,
  enqueuedAtMs: 1000 + seq,
  message: message(`m${seq}`),
  deliveries: endpoints.map((endpoint) => ({ endpoint, priority: 0, expiresAtMs: 5_000 })),
});

/** One message for `a/in` with a body of this size. */
export const appendBytes = (seq: number, body: Uint8Array): StoreWrite => ({
  kind: 'append',
  seq,
  enqueuedAtMs: 1000 + seq,
  message: { ...message(''), body },
  deliveries: [{ endpoint: 'a/in', priority: 0, expiresAtMs: Number.MAX_SAFE_INTEGER }],
});

export const remove = (seq: number, endpoint: string): StoreWrite => ({
  kind: 'remove',
  endpoint,
  priority: 0,
  seq,
});

export const deadLetter = (
  seq: number,
  endpoint: string,
): Extract<StoreWrite, { kind: 'deadLetter' }> => ({
  kind: 'deadLetter',
  seq,
  endpoint,
  priority: 0,
  enqueuedAtMs: 1000 + seq,
  message: message(`m${seq}`),
  attempts: 10,
  reason: 'it threw "é"',
  deadAtMs: 2_000,
});

export const twin: TwinRow = {
  desired: { a: 1, $version: 3 },
  reported: { b: { c: 'é' } },
  pending: { d: null },
  syncedAtMs: 42,
};
const statistics: StatisticsRow = {
  restartCount: 2,
  lastRestartAtMs: 1,
  lastStartAtMs: 2,
  lastExitAtMs: null,
  exitCode: 137,
  exitReason: 'why',
  quarantined: true,
};

/** The seqs waiting in one lane. */
export async function seqs(store: Store, endpoint = 'a/in', afterSeq = 0, limit = 1_000) {
  return (await store.read(endpoint, 0, afterSeq, limit)).map((row) => row.seq);
}

/** `open` gives a new, empty store; `close` ends it. */
export function storeContract(
  name: string,
  open: () => Promise<{ store: Store; close(): Promise<void> }>,
): void {
  const test = suite(`store contract: ${name}`);

  async function using(run: (store: Store) => Promise<void>): Promise<void> {
    const { store, close } = await within(10_000, 'open', open());
    try {
      await within(20_000, 'the test', run(store));
    } finally {
      await within(15_000, 'close', close());
    }
  }

  test('a new one is empty', () =>
    using(async (store) => {
      assert.equal(await store.load(), {
        lastSeq: 0,
        lanes: [],
        deadLetters: { count: 0, bytes: 0 },
        twins: {},
        statistics: {},
        documents: {},
      });
      assert.equal(await store.read('a/in', 0, 0, 10), []);
    }));

  test('deliveries come back in order, whole, from where one asks', () =>
    using(async (store) => {
      await store.commit([append(1, 'a/in'), append(2, 'b/in'), append(3, 'a/in', 'b/in')]);
      const rows = await store.read('a/in', 0, 0, 10);
      assert.equal(
        rows.map((row) => row.seq),
        [1, 3],
      );
      const [first] = rows;
      assert.equal(
        { ...first?.message, body: Buffer.from(first?.message.body ?? []).toString() },
        { ...message('m1'), body: 'm1' },
      );
      assert.is(first?.endpoint, 'a/in');
      assert.is(first?.priority, 0);
      assert.is(first?.enqueuedAtMs, 1001);
      assert.is(first?.expiresAtMs, 5000);
      assert.equal(await seqs(store, 'a/in', 1), [3]);
      assert.equal(await seqs(store, 'b/in', 0, 1), [2]);
      assert.equal(await store.read('a/in', 1, 0, 10), []);
    }));

  test('a delivery becomes a dead letter, is read, and is dropped', () =>
    using(async (store) => {
      await store.commit([append(1, 'a/in', 'b/in'), append(2, 'a/in')]);
      await store.commit([deadLetter(1, 'a/in'), deadLetter(2, 'a/in'), deadLetter(3, 'a/in')]);
      assert.equal(await seqs(store), []);
      assert.equal(await seqs(store, 'b/in'), [1]);
      assert.equal((await store.load()).deadLetters, { count: 3, bytes: 6 });
      const letters = await store.readDeadLetters(0, 2);
      const [first, second] = letters;
      assert.is(letters.length, 2);
      const { id: _id, ...rest } = first as StoredDeadLetter;
      const { kind: _kind, seq: _seq, ...written } = deadLetter(1, 'a/in');
      assert.equal(
        { ...rest, message: { ...rest.message, body: Buffer.from(rest.message.body).toString() } },
        { ...written, message: { ...written.message, body: 'm1' } },
      );
      const lastId = (second as StoredDeadLetter).id;
      assert.is((await store.readDeadLetters(lastId, 10)).length, 1);
      await store.commit([{ kind: 'dropDeadLetters', ids: [lastId, 99] }]);
      assert.equal((await store.load()).deadLetters, { count: 2, bytes: 4 });
      await store.commit([{ kind: 'dropDeadLetters', ids: null }]);
      assert.equal(await store.readDeadLetters(0, 10), []);
      await store.commit([deadLetter(4, 'a/in')]);
      assert.ok(((await store.readDeadLetters(0, 10))[0] as StoredDeadLetter).id > lastId);
    }));

  test('one endpoint at two priorities is two lanes', () =>
    using(async (store) => {
      const [urgent, plain] = [0, 2_000_000_000].map((priority) => ({
        endpoint: 'a/in',
        priority,
        expiresAtMs: Number.MAX_SAFE_INTEGER,
      }));
      const both = { ...append(1), deliveries: [urgent, plain] } as StoreWrite;
      await store.commit([both, append(2, 'a/in')]);
      assert.equal(await seqs(store), [1, 2]);
      const [row] = await store.read('a/in', 2_000_000_000, 0, 10);
      assert.is(row?.expiresAtMs, Number.MAX_SAFE_INTEGER);
      assert.equal(lanesOf(await store.load()), ['a/in 0: 2', 'a/in 2000000000: 1']);
    }));

  test('bodies are bytes, texts are any text', () =>
    using(async (store) => {
      const odd = { '': '\u0000', 'line\nbreak': '😀', "quote'": '"', __proto: '\ud800' };
      const write = append(1, "m'od/ïn") as Extract<StoreWrite, { kind: 'append' }>;
      const body = Uint8Array.from({ length: 256 }, (_, index) => index);
      await store.commit([{ ...write, message: { ...write.message, body, properties: odd } }]);
      await store.commit([appendBytes(2, new Uint8Array(0))]);
      const [row] = await store.read("m'od/ïn", 0, 0, 1);
      assert.equal([...(row?.message.body ?? [])], [...body]);
      assert.equal(row?.message.properties, odd);
      assert.is((await store.read('a/in', 0, 0, 1))[0]?.message.body.byteLength, 0);
    }));

  test('a body that is a view on something larger is stored as what it shows', () =>
    using(async (store) => {
      const frame = Buffer.from('....first.second....');
      await store.commit([
        appendBytes(1, frame.subarray(4, 9)),
        appendBytes(2, frame.subarray(10, 16)),
      ]);
      const rows = await store.read('a/in', 0, 0, 10);
      assert.equal(
        rows.map((row) => Buffer.from(row.message.body).toString()),
        ['first', 'second'],
      );
    }));

  test('what is committed is what was given at that moment', () =>
    using(async (store) => {
      const body = Buffer.from('before');
      const writes = [appendBytes(1, body)];
      const committed = store.commit(writes);
      body.fill('x');
      writes.push(append(2, 'a/in'));
      await committed;
      const rows = await store.read('a/in', 0, 0, 10);
      assert.equal(
        rows.map((row) => Buffer.from(row.message.body).toString()),
        ['before'],
      );
    }));

  test('a read gives a few megabytes at most, and one row at least', () =>
    using(async (store) => {
      for (const seq of [1, 2, 3]) {
        await store.commit([appendBytes(seq, Buffer.alloc(3_000_000, seq))]);
      }
      assert.equal(await seqs(store), [1]);
      assert.equal(await seqs(store, 'a/in', 1), [2]);
      await store.commit([appendBytes(4, Buffer.alloc(6_000_000))]);
      assert.equal(await seqs(store, 'a/in', 3), [4]);
    }));

  test('a delivery removed is gone, the others stay', () =>
    using(async (store) => {
      await store.commit([append(1, 'a/in', 'b/in'), append(2, 'a/in')]);
      await store.commit([remove(1, 'a/in'), remove(9, 'a/in'), remove(1, 'nobody/in')]);
      assert.equal(await seqs(store), [2]);
      assert.equal(await seqs(store, 'b/in'), [1]);
      assert.equal(lanesOf(await store.load()), ['a/in 0: 1', 'b/in 0: 1']);
    }));

  test('one batch may append and remove the same delivery', () =>
    using(async (store) => {
      await store.commit([append(1, 'a/in'), remove(1, 'a/in'), append(2, 'a/in')]);
      assert.equal(await seqs(store), [2]);
    }));

  test('the highest seq is remembered when all messages are gone', () =>
    using(async (store) => {
      await store.commit([append(7, 'a/in')]);
      await store.commit([remove(7, 'a/in')]);
      assert.equal((await store.load()).lanes, []);
      assert.is((await store.load()).lastSeq, 7);
    }));

  test('twins, statistics and documents are put, replaced and dropped', () =>
    using(async (store) => {
      await store.commit([
        { kind: 'twin', module: '$edgeAgent', twin },
        { kind: 'statistics', module: 'm', statistics },
        { kind: 'document', name: 'deployment', value: { deep: [1, null] } },
        { kind: 'document', name: 'other', value: 1 },
      ]);
      await store.commit([{ kind: 'document', name: 'other', value: null }]);
      const snapshot = await store.load();
      assert.equal(snapshot.twins, { $edgeAgent: twin });
      assert.equal(snapshot.statistics, { m: statistics });
      assert.equal(snapshot.documents, { deployment: { deep: [1, null] } });
      await store.commit([
        { kind: 'twin', module: '$edgeAgent', twin: { ...twin, pending: null, syncedAtMs: null } },
        { kind: 'statistics', module: 'm', statistics: null },
        { kind: 'statistics', module: 'nobody', statistics: null },
      ]);
      const after = await store.load();
      assert.is(after.twins['$edgeAgent']?.pending, null);
      assert.is(after.twins['$edgeAgent']?.syncedAtMs, null);
      assert.equal(after.statistics, {});
    }));

  test('calls are carried out in the order they were made', () =>
    using(async (store) => {
      const done: string[] = [];
      await Promise.all([
        store.commit([append(1, 'a/in')]).then(() => done.push('first')),
        store.read('a/in', 0, 0, 10).then((rows) => done.push(`read ${rows.length}`)),
        store.commit([append(2, 'a/in')]).then(() => done.push('second')),
        store.load().then(({ lastSeq }) => done.push(`load ${lastSeq}`)),
      ]);
      assert.equal(done, ['first', 'read 1', 'second', 'load 2']);
    }));

  test('a commit is all or nothing, and a bad one fails alone', () =>
    using(async (store) => {
      await store.commit([append(1, 'a/in')]);
      const outcomes = await Promise.allSettled([
        store.commit([append(2, 'a/in')]),
        // seq 1 is taken: the whole batch goes, the document too.
        store.commit([
          { kind: 'document', name: 'd', value: 1 },
          append(3, 'a/in'),
          append(1, 'a/in'),
        ]),
        store.commit([append(4, 'a/in')]),
      ]);
      assert.equal(
        outcomes.map(({ status }) => status),
        ['fulfilled', 'rejected', 'fulfilled'],
      );
      assert.equal(await seqs(store), [1, 2, 4]);
      assert.equal((await store.load()).documents, {});
    }));

  test('an empty commit is fine', () => using((store) => store.commit([])));

  test('close finishes what was asked before it; nobody waits for ever after it', () =>
    using(async (store) => {
      const asked = [store.commit([append(1, 'a/in')]), store.commit([append(2, 'a/in')])];
      const rows = store.read('a/in', 0, 0, 10);
      await store.close();
      await Promise.all(asked);
      assert.is((await rows).length, 2);
      const late = await Promise.allSettled([store.load(), store.commit([append(3, 'a/in')])]);
      assert.equal(
        late.map(({ status }) => status),
        ['rejected', 'rejected'],
      );
      await store.close();
    }));

  test.run();
}

function lanesOf({ lanes }: Awaited<ReturnType<Store['load']>>): readonly string[] {
  return lanes.map(({ endpoint, priority, count }) => `${endpoint} ${priority}: ${count}`).sort();
}
