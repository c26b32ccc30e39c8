import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Fault } from '../../src/core/fault.ts';
import type { Message } from '../../src/core/message.ts';
import { createPump, type Endpoint } from '../../src/supervisor/pump.ts';
import { createQueue } from '../../src/supervisor/queue.ts';
import { createFakeClock } from '../fakes/clock.ts';
import { createFakeLog } from '../fakes/log.ts';
import { createMemoryStore } from '../fakes/store.ts';

const test = suite('pump');

const message = (text: string): Message => ({
  source: '/messages/modules/m',
  sender: 'm',
  body: Buffer.from(text),
  properties: {},
  system: {},
});

async function setUp(deliver: Endpoint['deliver']) {
  const clock = createFakeClock();
  const log = createFakeLog();
  const store = createMemoryStore();
  const deps = { clock, log, random: () => 0.5 };
  const queue = createQueue(
    { ...deps, store, time: clock.elapsed, wake: () => pump.wake(), flowing: () => true },
    await store.load(),
  );
  const pump = createPump('a/in', { deliver }, { ...deps, queue });
  const send = (text: string): Promise<void> =>
    queue.accept(message(text), [
      { endpoint: 'a/in', priority: 0, expiresAtMs: Number.MAX_SAFE_INTEGER },
    ]);
  return { clock, log, queue, pump, send };
}

const texts = (batch: readonly { message: Message }[]): string[] =>
  batch.map(({ message: { body } }) => Buffer.from(body).toString());

test('delivers in order, and what came meanwhile as the next batch', async () => {
  const batches: string[][] = [];
  const { clock, send, queue } = await setUp(async (batch, done) => {
    batches.push(texts(batch));
    for (const delivery of batch) done(delivery);
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
  const { clock, send, pump } = await setUp(async (batch, done) => {
    calls++;
    if (away) throw new Fault('ENDPOINT_AWAY', 'away');
    got.push(...texts(batch));
    for (const delivery of batch) done(delivery);
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
  const { clock, send } = await setUp(async (batch, done) => {
    got.push(...texts(batch));
    const [head] = batch;
    if (first && head !== undefined) {
      first = false;
      done(head);
      throw new Fault('ENDPOINT_AWAY', 'it went');
    }
    for (const delivery of batch) done(delivery);
  });
  void send('1');
  void send('2');
  void send('3');
  await clock.advance(60_000);
  assert.equal(got.filter((text) => text === '1').length, 1);
  assert.equal(new Set(got), new Set(['1', '2', '3']));
});

test('a message the neighbour fails on again and again is let go, the others are not held up', async () => {
  const got: string[] = [];
  let tries = 0;
  const { clock, send, queue, log } = await setUp(async (batch, done) => {
    for (const delivery of batch) {
      const [text] = texts([delivery]);
      if (text === 'bad') tries++;
      else {
        got.push(text as string);
        done(delivery);
      }
    }
  });
  const settled = [send('bad'), send('good')];
  await clock.advance(60_000);
  await Promise.all(settled);
  assert.is(tries, 10);
  assert.equal(got, ['good']);
  assert.is(queue.counters.poison, 1);
  assert.ok(
    log.entries.some(({ level, message: text }) => level === 'error' && text.includes('let go')),
  );
});

test('stops for good', async () => {
  let calls = 0;
  const { clock, send, pump } = await setUp(async (batch, done) => {
    calls++;
    for (const delivery of batch) done(delivery);
  });
  await pump.stop();
  void send('1');
  await clock.advance(1000);
  assert.is(calls, 0);
});

test.run();
