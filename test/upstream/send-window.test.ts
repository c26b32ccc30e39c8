/** Order, the window, and what a failure does to the messages behind it. */
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Fault } from '../../src/core/fault.ts';
import { createSendWindow } from '../../src/upstream/send-window.ts';
import { message } from '../contracts/store.ts';

const test = suite('send window');

type Fate = 'ok' | 'UPSTREAM_AWAY' | 'MESSAGE_TOO_LARGE';

test('in order, no more than the window at once, nothing tried after the world failed', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom<Fate>('ok', 'ok', 'ok', 'UPSTREAM_AWAY', 'MESSAGE_TOO_LARGE')),
      fc.integer({ min: 1, max: 5 }),
      fc.infiniteStream(fc.nat(3)),
      fc.integer({ min: 1, max: 4 }),
      async (fates, windowMax, turns, calls) => {
        const tried: number[] = [];
        let underway = 0;
        let failed = false;
        const send = createSendWindow(windowMax, ({ body }, told) => void sendOne(body, told));
        async function sendOne(body: Uint8Array, told: (outcome?: Fault) => void): Promise<void> {
          const index = Number(Buffer.from(body));
          tried.push(index);
          assert.not.ok(failed, 'nothing is tried after the world failed');
          assert.ok(++underway <= windowMax);
          for (let wait = turns.next().value as number; wait >= 0; wait--) await Promise.resolve();
          underway--;
          const fate = fates[index] as Fate;
          if (fate === 'UPSTREAM_AWAY') failed = true;
          told(fate === 'ok' ? undefined : new Fault(fate, `number ${index}`));
        }
        const messages = fates.map((_, index) => message(String(index)));
        const each = Math.ceil(messages.length / calls) || 1;
        const batches = Array.from({ length: calls }, (_, at) =>
          messages.slice(at * each, (at + 1) * each),
        );
        const outcomes = (await Promise.all(batches.map(send))).flat();
        assert.equal(
          tried,
          tried.map((_, index) => index),
        );
        assert.is(outcomes.length, fates.length);
        for (const [index, fate] of fates.entries()) {
          const wanted = index >= tried.length ? 'UPSTREAM_AWAY' : fate;
          assert.is(outcomes[index]?.code ?? 'ok', wanted);
        }
      },
    ),
  );
});

test('the next call fills the window before the last one is through', async () => {
  const open: { readonly text: string; readonly told: () => void }[] = [];
  const send = createSendWindow(3, ({ body }, told) => {
    open.push({ text: Buffer.from(body).toString(), told: () => told(undefined) });
  });
  const first = send(['a', 'b'].map(message));
  void send(['c', 'd'].map(message));
  assert.equal(
    open.map(({ text }) => text),
    ['a', 'b', 'c'],
  );
  open[0]?.told();
  open[1]?.told();
  assert.is(open[3]?.text, 'd');
  assert.equal(await first, [undefined, undefined]);
});

test('a full window is filled again when half of it is free, many messages at a time', async () => {
  const open: (() => void)[] = [];
  let sent = 0;
  const send = createSendWindow(10, (_, told) => {
    sent++;
    open.push(() => told(undefined));
  });
  const acknowledge = (count: number): void => {
    for (const tell of open.splice(0, count)) tell();
  };
  const all = send(Array.from({ length: 17 }, (_, index) => message(String(index))));
  assert.is(sent, 10);
  acknowledge(4);
  assert.is(sent, 10);
  acknowledge(1);
  assert.is(sent, 15);
  acknowledge(5);
  assert.is(sent, 17, 'the rest, though it fills no window');
  acknowledge(7);
  assert.equal(new Set(await all), new Set([undefined]));
});

test('what is no fault is a bug, and not hidden in an outcome', async () => {
  const bug = new TypeError('ours');
  const send = createSendWindow(2, () => {
    throw bug;
  });
  assert.is(await send([message('a')]).catch((cause: unknown) => cause), bug);
});

test.run();
