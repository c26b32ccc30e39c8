import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Fault } from '../../src/core/fault.ts';
import type { Message } from '../../src/core/message.ts';
import { createDeadLetters, DEAD_LETTER_LIMITS } from '../../src/supervisor/dead-letters.ts';
import { createPump, type Endpoint, PUMP_LIMITS } from '../../src/supervisor/pump.ts';
import { createQueue, type Queue } from '../../src/supervisor/queue.ts';
import { createFakeClock } from '../fakes/clock.ts';
import { createFakeLog } from '../fakes/log.ts';
import { createMemoryStore } from '../fakes/store.ts';
import { accept } from '../fakes/told.ts';

const test = suite('pump');

const message = (text: string): Message => ({
  source: '/messages/modules/m',
  sender: 'm',
  body: Buffer.from(text),
  properties: {},
  system: {},
});

async function setUp(deliver: Endpoint['deliver'], letterLimits = DEAD_LETTER_LIMITS) {
  const clock = createFakeClock();
  const log = createFakeLog();
  const store = createMemoryStore();
  const deps = { clock, log, random: () => 0.5 };
  const queue: Queue = createQueue(
    {
      ...deps,
      store,
      time: clock.elapsed,
      wake: () => pump.wake(),
      flowing: () => true,
      bury: (seq, letter) => deadLetters.add(seq, letter),
    },
    await store.load(),
  );
  const pump = createPump('a/in', { deliver }, { ...deps, queue });
  const send = (text: string, priority = 0): Promise<void> =>
    accept(queue, message(text), [
      { endpoint: 'a/in', priority, expiresAtMs: Number.MAX_SAFE_INTEGER },
    ]);
  const deadLetters = createDeadLetters(
    {
      store,
      write: (writes) => queue.writeBehind.write(writes),
      readmit: ({ message: again, endpoint, priority }) =>
        accept(queue, again, [{ endpoint, priority, expiresAtMs: Number.MAX_SAFE_INTEGER }]),
      log,
    },
    { count: 0, bytes: 0 },
    letterLimits,
  );
  return { clock, log, queue, pump, send, store, deadLetters };
}

const textOf = ({ message: { body } }: { message: Message }): string =>
  Buffer.from(body).toString();
const texts = (batch: readonly { message: Message }[]): string[] => batch.map(textOf);
const many = (count: number): string[] => Array.from({ length: count }, (_, at) => `${at}`);

test('delivers in order, and what came meanwhile as the next batch', async () => {
  const batches: string[][] = [];
  const { clock, send, queue } = await setUp(async (batch, receipts) => {
    batches.push(texts(batch));
    for (const delivery of batch) receipts.done(delivery);
  });
  void send('1');
  void send('2');
  void send('3');
  await clock.advance(1);
  assert.equal(batches.flat(), ['1', '2', '3']);
  assert.is(queue.waiting('a/in'), 0);
});

test('rests while the neighbour is away, and goes on the moment it is back', async () => {
  let away = true;
  let calls = 0;
  const got: string[] = [];
  const { clock, send, pump } = await setUp(async (batch, receipts) => {
    calls++;
    if (away) throw new Fault('ENDPOINT_AWAY', 'away');
    got.push(...texts(batch));
    for (const delivery of batch) receipts.done(delivery);
  });
  void send('1');
  await clock.advance(3_600_000);
  assert.ok(calls > 10 && calls < 100, `${calls} calls in an hour`);
  assert.not.ok(pump.flowing());
  away = false;
  pump.resume();
  await clock.advance(0);
  assert.equal(got, ['1']);
});

test('what the neighbour took before it went is not delivered again', async () => {
  const got: string[] = [];
  let first = true;
  const { clock, send } = await setUp(async (batch, receipts) => {
    got.push(...texts(batch));
    const [head] = batch;
    if (first && head !== undefined) {
      first = false;
      receipts.done(head);
      throw new Fault('ENDPOINT_AWAY', 'it went');
    }
    for (const delivery of batch) receipts.done(delivery);
  });
  void send('1');
  void send('2');
  void send('3');
  await clock.advance(60_000);
  assert.equal(got.filter((text) => text === '1').length, 1);
  assert.equal(new Set(got), new Set(['1', '2', '3']));
});

test('a message that fails again and again becomes a dead letter; nothing waits behind it', async () => {
  const got: string[] = [];
  const triedAtMs: number[] = [];
  const { clock, send, queue, log, store, deadLetters } = await setUp(async (batch, receipts) => {
    for (const delivery of batch) {
      if (textOf(delivery) === 'bad') {
        triedAtMs.push(clock.elapsed());
        receipts.failed(delivery, 'it threw');
      } else {
        got.push(textOf(delivery));
        receipts.done(delivery);
      }
    }
  });
  const settled = [send('bad', 5), send('good', 5), send('less urgent', 9)];
  await clock.advance(1);
  assert.equal(got, ['good', 'less urgent']);
  await clock.advance(300_000);
  await Promise.all(settled);
  assert.is(triedAtMs.length, PUMP_LIMITS.attemptsMax);
  const pauses = triedAtMs.slice(1).map((at, index) => at - (triedAtMs[index] as number));
  assert.ok(
    pauses.every((pause, index) => pause >= (pauses[index - 1] ?? 100)),
    `it is tried at a slowing pace: ${pauses.join(' ')}`,
  );
  assert.is(queue.counters.deadLettered, 1);
  assert.is(queue.waiting('a/in'), 0);
  assert.ok(log.entries.some(({ level, message: text }) => level === 'error' && /dead/.test(text)));
  const [letter] = await deadLetters.list(0, 10);
  assert.is(letter?.reason, 'it threw');
  assert.is(letter?.attempts, 10);
  assert.is(letter?.priority, 5);
  // And it is so on the disk: nothing of it waits there any more.
  const { lanes, deadLetters: stored } = await store.afterPowerCut().load();
  assert.equal([lanes, stored], [[], { count: 1, bytes: 3 }]);
});

test('a neighbour that fails on everything is not fed without end', async () => {
  let tried = 0;
  const { clock, send, queue } = await setUp(async (batch, receipts) => {
    for (const delivery of batch) {
      tried++;
      receipts.failed(delivery, 'no');
    }
  });
  for (const text of many(1_000)) void send(text);
  await clock.advance(100);
  assert.ok(tried <= 200, `${tried} tried`);
  // Each has its tries, and then makes room for the next.
  await clock.advance(3_600_000);
  assert.is(tried, 10_000);
  assert.is(queue.counters.deadLettered, 1_000);
});

test('of a batch that brings its module down only the guilty message becomes a dead letter', async () => {
  const got: string[] = [];
  let crashes = 0;
  const { clock, send, pump, deadLetters } = await setUp(async (batch, receipts) => {
    // It acknowledges nothing before the end of its turn.
    if (texts(batch).includes('7')) {
      crashes++;
      throw new Fault('ENDPOINT_CRASHED', 'module a ended: TypeError');
    }
    for (const delivery of batch) {
      got.push(textOf(delivery));
      receipts.done(delivery);
    }
  });
  for (const text of many(20)) void send(text);
  for (let restart = 0; restart < 30; restart++) {
    await clock.advance(60_000);
    pump.resume();
  }
  await clock.advance(60_000);
  assert.equal(
    got,
    many(20).filter((text) => text !== '7'),
  );
  assert.equal(texts(await deadLetters.list(0, 10)), ['7']);
  assert.is(crashes, 1 + PUMP_LIMITS.crashesMax);
});

test('what a neighbour will never take is a dead letter at once', async () => {
  const { clock, send, deadLetters } = await setUp(async (batch, receipts) => {
    for (const delivery of batch) receipts.refused(delivery, 'too large for it');
  });
  const sent = send('1');
  await clock.advance(1_000);
  await sent;
  const [letter] = await deadLetters.list(0, 10);
  assert.equal([letter?.reason, letter?.attempts], ['too large for it', 0]);
});

test('dead letters are sent again in their order, or thrown away', async () => {
  let well = false;
  const got: string[] = [];
  const { clock, send, store, deadLetters } = await setUp(async (batch, receipts) => {
    for (const delivery of batch) {
      if (well) {
        got.push(textOf(delivery));
        receipts.done(delivery);
      } else receipts.refused(delivery, 'no');
    }
  });
  for (const text of many(250)) void send(text);
  await clock.advance(1_000);
  assert.is(deadLetters.counters.count, 250);
  well = true;
  const [first, second] = await deadLetters.list(0, 2);
  const some = deadLetters.replay([second?.id as number, 9_999]);
  const thrown = deadLetters.drop([first?.id as number]);
  await clock.advance(1_000);
  assert.equal([await some, await thrown], [1, 1]);
  assert.equal(got, ['1']);
  const all = deadLetters.replay(null);
  await clock.advance(1_000);
  assert.is(await all, 248);
  assert.equal(got, ['1', ...many(250).slice(2)]);
  assert.equal((await store.load()).deadLetters, { count: 0, bytes: 0 });
  assert.is(deadLetters.counters.count, 0);
});

test('dead letters have a limit: the oldest make room', async () => {
  const limits = { countMax: 3, bytesMax: 7 };
  const { clock, send, deadLetters, store } = await setUp(async (batch, receipts) => {
    for (const delivery of batch) receipts.refused(delivery, 'no');
  }, limits);
  for (const text of ['a', 'b', 'c', 'd', 'large']) void send(text);
  await clock.advance(1_000);
  assert.equal(texts(await deadLetters.list(0, 10)), ['c', 'd', 'large']);
  assert.equal(deadLetters.counters, { count: 3, overflowed: 2 });
  assert.equal((await store.load()).deadLetters, { count: 3, bytes: 7 });
});

test('the less urgent are not starved for ever', async () => {
  const got: string[] = [];
  const { clock, send } = await setUp(async (batch, receipts) => {
    for (const delivery of batch) {
      got.push(textOf(delivery));
      receipts.done(delivery);
    }
  });
  for (const text of many(100 * 50)) void send(text, 0);
  void send('low', 9);
  void send('lower', 2_000_000_000);
  await clock.advance(1_000);
  const low = got.indexOf('low');
  const lower = got.indexOf('lower');
  assert.ok(low > 1_000 && low < 3_000, `low came after ${low}`);
  assert.ok(lower > low && lower < 3_000, `lower came after ${lower}`);
  assert.equal(
    got.filter((text) => text !== 'low' && text !== 'lower'),
    many(100 * 50),
  );
});

test('stops for good', async () => {
  let calls = 0;
  const { clock, send, pump } = await setUp(async (batch, receipts) => {
    calls++;
    for (const delivery of batch) receipts.done(delivery);
  });
  await pump.stop();
  void send('1');
  await clock.advance(1000);
  assert.is(calls, 0);
});

test.run();
