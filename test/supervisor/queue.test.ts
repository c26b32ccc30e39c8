import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Fault } from '../../src/core/fault.ts';
import type { Message } from '../../src/core/message.ts';
import type { DeliveryRow } from '../../src/core/ports.ts';
import {
  createQueue,
  QUEUE_LIMITS,
  type Queue,
  type QueueLimits,
} from '../../src/supervisor/queue.ts';
import { createFakeClock, settle } from '../fakes/clock.ts';
import { createFakeLog } from '../fakes/log.ts';
import { createMemoryStore, type MemoryStore } from '../fakes/store.ts';
import { accept } from '../fakes/told.ts';

const test = suite('queue');

const message = (text: string): Message => ({
  source: '/messages/modules/m/outputs/o',
  sender: 'm',
  body: Buffer.from(text),
  properties: {},
  system: {},
});
const row = (
  endpoint = 'a/in',
  priority = 0,
  expiresAtMs = Number.MAX_SAFE_INTEGER,
): DeliveryRow => ({
  endpoint,
  priority,
  expiresAtMs,
});
const textOf = (delivery: { message: Message }): string =>
  Buffer.from(delivery.message.body).toString();

async function setUp(limits: Partial<QueueLimits> = {}, store: MemoryStore = createMemoryStore()) {
  const clock = createFakeClock();
  const woken: string[] = [];
  let flowing = true;
  const queue: Queue = createQueue(
    {
      store,
      clock,
      random: () => 0.5,
      log: createFakeLog(),
      time: clock.elapsed,
      wake: (endpoint) => void woken.push(endpoint),
      flowing: () => flowing,
      bury: async (seq, letter) => {
        await queue.writeBehind.write([{ kind: 'deadLetter', seq, ...letter }]);
      },
    },
    await store.load(),
    { ...QUEUE_LIMITS, ...limits },
  );
  return {
    queue,
    store,
    clock,
    woken,
    away: () => {
      flowing = false;
    },
    back: () => {
      flowing = true;
    },
  };
}

/** Settled promises by number. */
function track(promises: readonly Promise<void>[]): {
  done: Set<number>;
  failed: Map<number, unknown>;
} {
  const done = new Set<number>();
  const failed = new Map<number, unknown>();
  for (const [index, promise] of promises.entries()) {
    promise.then(
      () => done.add(index),
      (cause) => failed.set(index, cause),
    );
  }
  return { done, failed };
}

const takeAll = (queue: Queue, endpoint = 'a/in') => queue.take(endpoint, 100, 1e6);

test('a message consumed at once is told stored and never touches the disk', async () => {
  const { queue, store, clock } = await setUp();
  const { done } = track([accept(queue, message('x'), [row()])]);
  const [delivery] = takeAll(queue);
  await settle();
  assert.is(done.size, 0);
  queue.done(delivery as never);
  await settle();
  assert.is(done.size, 1);
  await clock.advance(10_000);
  assert.equal(store.commits.flat(), []);
});

test('a message whose receiver is away is told stored when it is on the disk, without waiting', async () => {
  const { queue, store, clock, away } = await setUp();
  away();
  const { done } = track([accept(queue, message('x'), [row()])]);
  await settle();
  assert.is(done.size, 0);
  await clock.advance(0);
  assert.is(done.size, 1);
  assert.is(store.commits.length, 1);
});

test('a message with two receivers is told stored when both have it', async () => {
  const { queue, store, clock } = await setUp();
  const { done } = track([accept(queue, message('x'), [row('a/in'), row('b/in')])]);
  queue.done(takeAll(queue, 'a/in')[0] as never);
  await settle();
  assert.is(done.size, 0);
  // One of them has it when the commit comes: only the other's delivery is written.
  await clock.advance(200);
  assert.is(done.size, 1);
  const [write] = store.commits.flat();
  assert.equal(write?.kind === 'append' && write.deliveries, [row('b/in')]);
});

test('what arrives while a commit runs goes together in the next', async () => {
  const { queue, store, clock, away } = await setUp();
  away();
  store.hold(true);
  void accept(queue, message('0'), [row()]);
  await clock.advance(1);
  for (let index = 1; index <= 50; index++) void accept(queue, message(String(index)), [row()]);
  await clock.advance(1);
  assert.is(store.commits.length, 0);
  store.hold(false);
  await clock.advance(QUEUE_LIMITS.gatherMs);
  assert.equal(
    store.commits.map((commit) => commit.length),
    [1, 50],
  );
});

test('urgent before less urgent, first in first out within', async () => {
  const { queue } = await setUp();
  for (const [text, priority] of [
    ['low1', 9],
    ['high1', 0],
    ['low2', 9],
    ['high2', 0],
  ] as const) {
    void accept(queue, message(text), [row('a/in', priority)]);
  }
  assert.equal(takeAll(queue).map(textOf), ['high1', 'high2']);
  assert.equal(takeAll(queue).map(textOf), ['low1', 'low2']);
});

test('what is given back keeps its place', async () => {
  const { queue } = await setUp();
  for (const text of ['1', '2', '3', '4']) void accept(queue, message(text), [row()]);
  const [first, second, third] = takeAll(queue);
  assert.ok(first && second && third);
  queue.done(second);
  queue.giveBack([third, first]);
  void accept(queue, message('5'), [row()]);
  assert.equal(takeAll(queue).map(textOf), ['1', '3', '5']);
});

test('the expired are dropped and counted, and block nobody', async () => {
  const { queue, clock } = await setUp();
  const soon = clock.elapsed() + 1000;
  const { done } = track([accept(queue, message('old'), [row('a/in', 0, soon)])]);
  void accept(queue, message('new'), [row()]);
  await clock.advance(2000);
  assert.equal(takeAll(queue).map(textOf), ['new']);
  assert.is(queue.counters.expired, 1);
  assert.is(done.size, 1);
});

test('an acknowledgement takes effect after what was sent because of it', async () => {
  const { queue, store, clock, away } = await setUp();
  away();
  void accept(queue, message('in'), [row()]);
  await clock.advance(1);
  const [delivery] = takeAll(queue);
  store.hold(true);
  const out = accept(queue, message('out'), [row('$upstream')]);
  void out.then(() => queue.done(delivery as never));
  await clock.advance(1000);
  // The plug is pulled now: the output is not on the disk, so the input must be.
  assert.is((await store.afterPowerCut().load()).lanes[0]?.endpoint, 'a/in');
  store.hold(false);
  await clock.advance(1000);
  const { lanes } = await store.afterPowerCut().load();
  assert.equal(
    lanes.map(({ endpoint, count }) => [endpoint, count]),
    [['$upstream', 1]],
  );
});

test('a full disk is told to the sender; what is in memory is still delivered; then it goes on', async () => {
  const { queue, store, clock, away } = await setUp();
  away();
  store.fail(new Fault('DISK_FULL', 'full'));
  const { failed } = track([accept(queue, message('1'), [row()])]);
  await clock.advance(1);
  assert.is((failed.get(0) as Fault).code, 'DISK_FULL');
  assert.equal(takeAll(queue).map(textOf), ['1']);
  store.fail(undefined);
  const later = track([accept(queue, message('2'), [row()])]);
  await clock.advance(20_000);
  assert.is(later.done.size, 1);
});

test('what comes and goes all the time is not written because something else is', async () => {
  const { queue, store, clock } = await setUp();
  void accept(queue, message('stays'), [row('b/in')]);
  for (let index = 0; index < 30; index++) {
    void accept(queue, message(String(index)), [row()]);
    await clock.advance(20);
    for (const delivery of takeAll(queue)) queue.done(delivery);
  }
  const written = store.commits.flat().filter(({ kind }) => kind === 'append');
  assert.is(written.length, 1);
});

test('what waits is written when everything stops', async () => {
  const { queue, store } = await setUp();
  const { done } = track([accept(queue, message('x'), [row()])]);
  await queue.stop();
  await settle();
  assert.is(done.size, 1);
  assert.is(store.commits.length, 1);
});

test('a message whose consequence is written only when everything stops does not come again', async () => {
  const { queue, store, clock, away } = await setUp();
  away();
  void accept(queue, message('cause'), [row()]);
  await clock.advance(0);
  const [delivery] = takeAll(queue);
  const consequence = accept(queue, message('consequence'), [row('b/in')]);
  void consequence.then(() => queue.done(delivery as never));
  await queue.stop();
  const { lanes } = await store.load();
  assert.equal(lanes, [{ endpoint: 'b/in', priority: 0, count: 1, bytes: 11 }]);
});

test('a disk that refuses does not hold up the end', async () => {
  const { queue, store } = await setUp();
  store.fail(new Fault('DISK_FULL', 'full'));
  const { failed } = track([accept(queue, message('x'), [row()])]);
  await queue.stop();
  await settle();
  assert.is(failed.size, 1);
});

test('a full disk is drained although a sender goes on sending', async () => {
  const { queue, store, clock, away } = await setUp();
  away();
  for (let index = 0; index < 5; index++) void accept(queue, message(String(index)), [row()]);
  await clock.advance(10);
  // From now on the disk takes removes only, as SQLite's last reserve does.
  const commit = store.commit;
  store.commit = (writes) =>
    writes.some(({ kind }) => kind === 'append')
      ? Promise.reject(new Fault('DISK_FULL', 'full'))
      : commit(writes);
  for (const delivery of takeAll(queue)) queue.done(delivery);
  // There is always one more message when the disk is tried again.
  for (let round = 0; round < 300; round++) {
    accept(queue, message('more'), [row('b/in')]).catch(() => {});
    await clock.advance(50);
  }
  const { lanes } = await store.load();
  assert.equal(lanes, []);
});

test('while one commit runs there is no other', async () => {
  const { queue, store, clock, away, back } = await setUp();
  store.hold(true);
  away();
  void accept(queue, message('hurries'), [row()]);
  back();
  void accept(queue, message('lingers'), [row()]);
  await clock.advance(5_000);
  store.hold(false);
  await clock.advance(5_000);
  const seqs = store.commits
    .flat()
    .flatMap((write) => (write.kind === 'append' ? [write.seq] : []));
  assert.equal(seqs, [1, 2]);
});

test('senders are slowed while too much waits to be written, and go on when it is', async () => {
  const { queue, clock, store, away } = await setUp({ unwrittenMax: 3, gatherMs: 0 });
  away();
  store.hold(true);
  for (const text of ['1', '2', '3']) void accept(queue, message(text), [row()]);
  assert.is(queue.relief(), undefined);
  void accept(queue, message('4'), [row()]);
  const { done } = track([queue.relief() as Promise<void>]);
  await clock.advance(1_000);
  assert.is(done.size, 0);
  store.hold(false);
  await clock.advance(1_000);
  assert.is(done.size, 1);
  assert.is(queue.relief(), undefined);
});

test('while receivers are away one message is written at once, and those behind it together', async () => {
  const { queue, clock, store, away } = await setUp({ gatherMs: 20 });
  away();
  const alone = track([accept(queue, message('alone'), [row()])]);
  await clock.advance(1);
  assert.is(alone.done.size, 1);
  const commits = store.commits.length;
  for (let tick = 0; tick < 20; tick++) {
    for (let each = 0; each < 5; each++) void accept(queue, message('x'), [row()]);
    await clock.advance(5);
  }
  await clock.advance(100);
  assert.is(queue.counters.written, 101);
  assert.ok(store.commits.length - commits <= 8, `${store.commits.length - commits} commits`);
});

test('the fuller an endpoint, the later its senders hear', async () => {
  const store = { countMax: 100, bytesMax: 1e6, endpointCountMax: 10, endpointBytesMax: 1e6 };
  const { queue, clock, away } = await setUp({ store, slowMs: 1_000 });
  away();
  const tookMs: number[] = [];
  for (let count = 0; count < 12; count++) {
    const sentAtMs = clock.elapsed();
    let told = false;
    const settle = (): void => void (told = true);
    accept(queue, message('x'), [row()]).then(settle, settle);
    while (!told) await clock.advance(50);
    tookMs.push(clock.elapsed() - sentAtMs);
  }
  assert.ok(
    tookMs.slice(0, 5).every((ms) => ms <= 50),
    tookMs.join(),
  );
  assert.ok(
    tookMs.slice(6).every((ms, at) => ms >= (tookMs[at + 5] as number)),
    tookMs.join(),
  );
  // The last two were refused: who tries again at once is slowed as well.
  assert.ok(
    tookMs.slice(-2).every((ms) => ms >= 1_000),
    tookMs.join(),
  );
});

const few = { countMax: 3, bytesMax: 1_000, endpointCountMax: 2, endpointBytesMax: 600 };

test('what finds no room is refused with a sentence, and taken again when something left', async () => {
  const { queue } = await setUp({ store: few, slowMs: 0 });
  for (const text of ['1', '2']) void accept(queue, message(text), [row()]);
  const { failed } = track([accept(queue, message('3'), [row()])]);
  await settle();
  const fault = failed.get(0) as Fault;
  assert.is(fault.code, 'STORE_FULL');
  assert.match(fault.message, '2 messages wait for a/in');
  void accept(queue, message('4'), [row('b/in')]);
  const { failed: all } = track([accept(queue, message('5'), [row('b/in')])]);
  await settle();
  assert.match((all.get(0) as Fault).message, '3 messages wait and 3 is the limit');
  assert.is(queue.counters.refused, 2);
  queue.done(takeAll(queue)[0] as never);
  const { failed: none } = track([accept(queue, message('6'), [row()])]);
  await settle();
  assert.is(none.size, 0);
});

test('bytes have limits as well, and they hold over a restart', async () => {
  const first = await setUp({ store: few, slowMs: 0 });
  first.away();
  void accept(first.queue, message('x'.repeat(500)), [row()]);
  await first.clock.advance(1_000);
  const second = await setUp({ store: few, slowMs: 0 }, first.store.afterPowerCut());
  assert.equal(second.queue.room.all, { count: 1, bytes: 500 });
  const tracked = track([
    accept(second.queue, message('x'.repeat(101)), [row()]),
    accept(second.queue, message('x'.repeat(501)), [row('b/in')]),
    accept(second.queue, message('x'.repeat(100)), [row()]),
  ]);
  await second.clock.advance(1_000);
  assert.equal([...tracked.failed.keys()], [0, 1]);
  assert.match((tracked.failed.get(0) as Fault).message, '500 bytes wait for a/in');
  assert.match((tracked.failed.get(1) as Fault).message, '500 bytes wait and 1000 is the limit');
  second.queue.room.limitBytes(10);
  const { failed } = track([accept(second.queue, message('small, but'), [row('c/in')])]);
  await settle();
  assert.match((failed.get(0) as Fault).message, '10 is the limit');
});

test('an endpoint without room refuses its own copy alone; the sender hears it when the others are safe', async () => {
  const { queue, clock, store } = await setUp({ store: few, slowMs: 0 });
  for (const text of ['1', '2']) void accept(queue, message(text), [row('$upstream')]);
  store.hold(true);
  const tracked = track([accept(queue, message('3'), [row('$upstream'), row('a/in')])]);
  await clock.advance(1_000);
  assert.equal([tracked.done.size, tracked.failed.size], [0, 0]);
  store.hold(false);
  await clock.advance(1_000);
  assert.match((tracked.failed.get(0) as Fault).message, 'wait for $upstream');
  assert.is(queue.waiting('a/in'), 1);
  assert.is(queue.waiting('$upstream'), 2);
});

test('a backlog lies on the disk, not in memory, and comes back in order', async () => {
  const { queue, clock, woken } = await setUp({
    lane: { ...QUEUE_LIMITS.lane, rowsMax: 10, bytesMax: 1e6 },
  });
  const count = 95;
  for (let index = 0; index < count; index++) void accept(queue, message(String(index)), [row()]);
  await clock.advance(1000);
  const seen: string[] = [];
  for (let round = 0; round < 100 && seen.length < count; round++) {
    woken.length = 0;
    const batch = queue.take('a/in', 7, 1e6);
    for (const delivery of batch) {
      seen.push(textOf(delivery));
      queue.done(delivery);
    }
    await clock.advance(200);
  }
  assert.equal(
    seen,
    Array.from({ length: count }, (_, index) => String(index)),
  );
  assert.is(queue.waiting('a/in'), 0);
});

test('nothing that was told stored is lost by a power cut, whatever happened before', async () => {
  const step = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('send' as const),
        to: fc.constantFrom('a', 'b', 'ab'),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant('deliver' as const),
        to: fc.constantFrom('a', 'b'),
        give: fc.nat(3),
      }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('time' as const), ms: fc.nat(300) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('disk' as const), held: fc.boolean() }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'cut' as const }) },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const limits = { lane: { ...QUEUE_LIMITS.lane, rowsMax: 3, bytesMax: 1e6 } };
      let world = await setUp(limits);
      let sent = 0;
      let life = 0;
      const told = new Set<string>();
      const received = { a: [] as string[], b: [] as string[] };
      for (const step of steps) {
        if (step.kind === 'send') {
          const text = String(sent++);
          const rows = step.to.split('').map((name) => row(`${name}/in`));
          const mine = life;
          void accept(world.queue, message(text), rows).then(
            () => {
              // Nobody is told anything by a process that is gone.
              if (mine !== life) return;
              for (const name of step.to) told.add(`${name} ${text}`);
            },
            () => {},
          );
        } else if (step.kind === 'deliver') {
          const batch = world.queue.take(`${step.to}/in`, 4, 1e6);
          for (const delivery of batch.slice(step.give)) {
            received[step.to].push(textOf(delivery));
            world.queue.done(delivery);
          }
          world.queue.giveBack(batch.slice(0, step.give));
        } else if (step.kind === 'time') await world.clock.advance(step.ms);
        else if (step.kind === 'disk') world.store.hold(step.held);
        else {
          life++;
          world = await setUp(limits, world.store.afterPowerCut());
        }
      }
      // The sun comes out: everything that waits is delivered.
      world.store.hold(false);
      for (let round = 0; round < 60; round++) {
        for (const name of ['a', 'b'] as const) {
          for (const delivery of world.queue.take(`${name}/in`, 100, 1e6)) {
            received[name].push(textOf(delivery));
            world.queue.done(delivery);
          }
        }
        await world.clock.advance(500);
      }
      for (const promise of told) {
        const [name, text] = promise.split(' ') as ['a' | 'b', string];
        if (!received[name].includes(text)) throw new Error(`${promise} is lost`);
      }
      for (const name of ['a', 'b'] as const) {
        if (world.queue.waiting(`${name}/in`) !== 0) throw new Error(`${name} still waits`);
      }
    }),
    { numRuns: 300 },
  );
});

test.run();
