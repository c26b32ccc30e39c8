/** What every Store keeps: run by the fake and by SQLite alike. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Message } from '../../src/core/message.ts';
import type { StatisticsRow, Store, StoreWrite, TwinRow } from '../../src/core/ports.ts';

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
const remove = (seq: number, endpoint: string): StoreWrite => ({
  kind: 'remove',
  endpoint,
  priority: 0,
  seq,
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

/** `open` gives a new, empty store; `close` ends it. */
export function storeContract(
  name: string,
  open: () => Promise<{ store: Store; close(): Promise<void> }>,
): void {
  const test = suite(`store contract: ${name}`);

  async function using(run: (store: Store) => Promise<void>): Promise<void> {
    const { store, close } = await open();
    try {
      await run(store);
    } finally {
      await close();
    }
  }

  test('a new one is empty', () =>
    using(async (store) => {
      assert.equal(await store.load(), {
        lastSeq: 0,
        lanes: [],
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
      assert.is(first?.enqueuedAtMs, 1001);
      assert.is(first?.expiresAtMs, 5000);
      assert.equal(
        (await store.read('a/in', 0, 1, 10)).map((row) => row.seq),
        [3],
      );
      assert.equal(
        (await store.read('b/in', 0, 0, 1)).map((row) => row.seq),
        [2],
      );
      assert.equal(await store.read('a/in', 1, 0, 10), []);
    }));

  test('a delivery removed is gone, the others stay', () =>
    using(async (store) => {
      await store.commit([append(1, 'a/in', 'b/in'), append(2, 'a/in')]);
      await store.commit([remove(1, 'a/in'), remove(9, 'a/in'), remove(1, 'nobody/in')]);
      assert.equal(
        (await store.read('a/in', 0, 0, 10)).map((row) => row.seq),
        [2],
      );
      assert.equal(
        (await store.read('b/in', 0, 0, 10)).map((row) => row.seq),
        [1],
      );
      const { lanes } = await store.load();
      assert.equal(
        [...lanes].sort((x, y) => (x.endpoint < y.endpoint ? -1 : 1)),
        [
          { endpoint: 'a/in', priority: 0, count: 1 },
          { endpoint: 'b/in', priority: 0, count: 1 },
        ],
      );
    }));

  test('the highest seq is remembered when all messages are gone', () =>
    using(async (store) => {
      await store.commit([append(7, 'a/in')]);
      await store.commit([remove(7, 'a/in')]);
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
      ]);
      const after = await store.load();
      assert.is(after.twins['$edgeAgent']?.pending, null);
      assert.equal(after.statistics, {});
    }));

  test('calls are carried out in the order they were made', () =>
    using(async (store) => {
      const done: string[] = [];
      await Promise.all([
        store.commit([append(1, 'a/in')]).then(() => done.push('first')),
        store.read('a/in', 0, 0, 10).then((rows) => done.push(`read ${rows.length}`)),
        store.commit([append(2, 'a/in')]).then(() => done.push('second')),
      ]);
      assert.equal(done, ['first', 'read 1', 'second']);
    }));

  test.run();
}
