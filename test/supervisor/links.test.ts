/** `$upstream` when the hub cuts the connection for one message, when the network cuts it for none, and in what order all arrives. */
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Fault } from '../../src/core/fault.ts';
import type { Message } from '../../src/core/message.ts';
import { UPSTREAM } from '../../src/core/message.ts';
import type { Clock, Link, LinkSink, SendOutcome, Upstream } from '../../src/core/ports.ts';
import { createLinks } from '../../src/supervisor/links.ts';
import { createPump, PUMP_LIMITS } from '../../src/supervisor/pump.ts';
import { createQueue, type Queue } from '../../src/supervisor/queue.ts';
import { createTwins } from '../../src/supervisor/twins.ts';
import { createSendWindow } from '../../src/upstream/send-window.ts';
import { createFakeClock } from '../fakes/clock.ts';
import { createFakeLog } from '../fakes/log.ts';
import { createMemoryStore } from '../fakes/store.ts';
import { accept } from '../fakes/told.ts';

const test = suite('links');

const message = (text: string, sender: string): Message => ({
  source: `/messages/modules/${sender}`,
  sender,
  body: Buffer.from(text),
  properties: {},
  system: {},
});

/** The rest of a link, of which only sending matters here. */
const linkOf = (send: Link['send']): Link => ({
  send,
  readTwin: async () => ({ desired: {}, reported: {} }),
  report: async () => {},
  async close() {},
});

async function setUp(open: (clock: Clock) => Upstream['open'], batchMax = PUMP_LIMITS.batchMax) {
  const clock = createFakeClock();
  const log = createFakeLog();
  const loopDeps = { clock, log, random: () => 0.5 };
  const store = createMemoryStore();
  const buried: string[] = [];
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
    upstream: { open: open(clock), stop: async () => {} },
    twins: createTwins({ ...loopDeps, write: async () => {} }, {}),
    log,
    resume: () => pump.resume(),
    method: async () => undefined,
  });
  const limits = { ...PUMP_LIMITS, batchMax };
  const pump = createPump(UPSTREAM, links.endpoint, { ...loopDeps, queue }, limits);
  const send = (text: string, sender = 'm'): Promise<void> =>
    accept(queue, message(text, sender), [
      { endpoint: UPSTREAM, priority: 0, expiresAtMs: Number.MAX_SAFE_INTEGER },
    ]);
  return { clock, send, buried, queue };
}

/** A hub that takes messages in order until `cutsAt` says that one ends the connection; back a second later. */
async function setUpCutting(cutsAt: (text: string) => boolean) {
  const taken: string[] = [];
  let connections = 1;
  let online = true;
  const world = await setUp((clock) => (_module, sink) => {
    return linkOf(async (messages) => {
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
            sink.online();
          });
        } else {
          taken.push(text);
          outcomes.push(undefined);
        }
      }
      return outcomes;
    });
  });
  return { ...world, taken, connections: () => connections };
}

type Chance = { readonly cut: boolean; readonly afterMs: number };

/** A link of a real window over connections that are cut at random, with some on their way; back some ms later. */
function openShaky(clock: Clock, sink: LinkSink, arrived: string[], chances: () => Chance): Link {
  const onTheWay = new Set<(fault?: Fault) => void>();
  let online = true;
  return linkOf(
    createSendWindow(5, (sent, told) => {
      const fault = new Fault('UPSTREAM_AWAY', 'away');
      if (!online) return told(fault);
      const { cut, afterMs } = chances();
      arrived.push(Buffer.from(sent.body).toString());
      onTheWay.add(told as (fault?: Fault) => void);
      // Acknowledgements keep their order.
      const acknowledge = (): void => {
        const [first] = onTheWay;
        if (first !== undefined && onTheWay.delete(first)) first();
      };
      if (!cut) return void clock.after(afterMs, acknowledge);
      online = false;
      for (const fail of onTheWay) fail(fault);
      onTheWay.clear();
      clock.after(afterMs, () => {
        online = true;
        sink.online();
      });
    }),
  );
}

test("whatever is cut, and whoever is back first: each sender's messages arrive in its order", () =>
  fc.assert(
    fc.asyncProperty(
      fc.infiniteStream(fc.record({ roll: fc.nat(30), afterMs: fc.integer({ min: 1, max: 9 }) })),
      fc.integer({ min: 1, max: 7 }),
      async (rolls, batchMax) => {
        const arrived: Record<string, string[]> = { a: [], b: [] };
        let calm = false;
        const chances = (): Chance => {
          const { roll, afterMs } = rolls.next().value as { roll: number; afterMs: number };
          return { cut: !calm && roll === 0, afterMs };
        };
        const { clock, send, queue, buried } = await setUp(
          (clockOf) => (module, sink) =>
            openShaky(clockOf, sink, arrived[module] as string[], chances),
          batchMax,
        );
        const wanted = Array.from({ length: 100 }, (_, at) => String(at));
        for (const text of wanted) {
          void send(text, 'a');
          void send(text, 'b');
          await clock.advance(1);
        }
        await clock.advance(5_000);
        calm = true;
        await clock.advance(60_000);
        for (const texts of Object.values(arrived)) assert.equal([...new Set(texts)], wanted);
        assert.is(queue.waiting(UPSTREAM), 0);
        assert.equal(buried, []);
      },
    ),
    { numRuns: 100 },
  ));

test('a message the hub cuts the connection for becomes a dead letter, and the others arrive in order', async () => {
  const { clock, send, taken, buried, connections } = await setUpCutting(
    (text) => text === 'poison',
  );
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
  const { clock, send, taken, buried } = await setUpCutting(() => ++sent % 8 !== 0);
  const texts = Array.from({ length: 20 }, (_, index) => `m${index}`);
  for (const text of texts) void send(text);
  await clock.advance(600_000);
  assert.equal(taken, texts);
  assert.equal(buried, []);
});

test.run();
