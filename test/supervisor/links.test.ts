/** `$upstream` when the hub cuts the connection for one message, and when the network cuts it for none. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Fault } from '../../src/core/fault.ts';
import type { Message } from '../../src/core/message.ts';
import { UPSTREAM } from '../../src/core/message.ts';
import type { LinkSink, SendOutcome, Upstream } from '../../src/core/ports.ts';
import { createLinks } from '../../src/supervisor/links.ts';
import { createPump } from '../../src/supervisor/pump.ts';
import { createQueue, type Queue } from '../../src/supervisor/queue.ts';
import { createTwins } from '../../src/supervisor/twins.ts';
import { createFakeClock } from '../fakes/clock.ts';
import { createFakeLog } from '../fakes/log.ts';
import { createMemoryStore } from '../fakes/store.ts';
import { accept } from '../fakes/told.ts';

const test = suite('links');

const message = (text: string): Message => ({
  source: '/messages/modules/m',
  sender: 'm',
  body: Buffer.from(text),
  properties: {},
  system: {},
});

/** A hub that takes messages in order until `cutsAt` says that one ends the connection; back a second later. */
async function setUp(cutsAt: (text: string) => boolean) {
  const clock = createFakeClock();
  const log = createFakeLog();
  const loopDeps = { clock, log, random: () => 0.5 };
  const store = createMemoryStore();
  const taken: string[] = [];
  const buried: string[] = [];
  let connections = 1;
  let online = true;
  let sink: LinkSink | undefined;
  const upstream: Upstream = {
    open(_module, opened) {
      sink = opened;
      return {
        async send(messages) {
          const outcomes: SendOutcome[] = [];
          for (const { body } of messages) {
            const text = Buffer.from(body).toString();
            if (!online) outcomes.push(new Fault('UPSTREAM_AWAY', 'away'));
            else if (cutsAt(text)) {
              online = false;
              outcomes.push(new Fault('UPSTREAM_CUT', 'the test has cut the connection'));
              clock.after(1_000, () => {
                connections++;
                online = true;
                sink?.online();
              });
            } else {
              taken.push(text);
              outcomes.push(undefined);
            }
          }
          return outcomes;
        },
        readTwin: async () => ({ desired: {}, reported: {} }),
        report: async () => {},
        async close() {},
      };
    },
    async stop() {},
  };
  const queue: Queue = createQueue(
    {
      ...loopDeps,
      store,
      time: clock.elapsed,
      wake: () => pump.wake(),
      flowing: () => pump.flowing(),
      async bury(_seq, letter) {
        buried.push(`${Buffer.from(letter.message.body).toString()}: ${letter.reason}`);
      },
    },
    await store.load(),
  );
  const links = createLinks({
    upstream,
    twins: createTwins({ ...loopDeps, write: async () => {} }, {}),
    log,
    resume: () => pump.resume(),
    method: async () => undefined,
  });
  const pump = createPump(UPSTREAM, links.endpoint, { ...loopDeps, queue });
  const send = (text: string): Promise<void> =>
    accept(queue, message(text), [
      { endpoint: UPSTREAM, priority: 0, expiresAtMs: Number.MAX_SAFE_INTEGER },
    ]);
  return { clock, send, taken, buried, connections: () => connections };
}

test('a message the hub cuts the connection for becomes a dead letter, and the others arrive in order', async () => {
  const { clock, send, taken, buried, connections } = await setUp((text) => text === 'poison');
  void send('a');
  void send('poison');
  for (const text of ['b', 'c', 'd']) void send(text);
  await clock.advance(60_000);
  assert.equal(taken, ['a', 'b', 'c', 'd']);
  assert.equal(buried, [
    'poison: the connection to the hub was lost 10 times soon after this message was sent',
  ]);
  assert.is(connections(), 11);
});

test('a network that breaks at whatever is sent costs no message and no order', async () => {
  let sent = 0;
  const { clock, send, taken, buried } = await setUp(() => ++sent % 8 !== 0);
  const texts = Array.from({ length: 20 }, (_, index) => `m${index}`);
  for (const text of texts) void send(text);
  await clock.advance(600_000);
  assert.equal(taken, texts);
  assert.equal(buried, []);
});

test.run();
