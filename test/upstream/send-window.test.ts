/** Order, the window, and what a failure does to the messages behind it. */
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Fault } from '../../src/core/fault.ts';
import { sendInOrder } from '../../src/upstream/send-window.ts';
import { message } from '../contracts/store.ts';

const test = suite('send window');

type Fate = 'ok' | 'UPSTREAM_AWAY' | 'MESSAGE_TOO_LARGE';

test('in order, no more than the window at once, nothing tried after the world failed', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom<Fate>('ok', 'ok', 'ok', 'UPSTREAM_AWAY', 'MESSAGE_TOO_LARGE')),
      fc.integer({ min: 1, max: 5 }),
      fc.infiniteStream(fc.nat(3)),
      async (fates, windowMax, turns) => {
        const tried: number[] = [];
        let underway = 0;
        let failedAt: number | undefined;
        const outcomes = await sendInOrder(
          fates.map((_, index) => message(String(index))),
          windowMax,
          async ({ body }) => {
            const index = Number(Buffer.from(body));
            tried.push(index);
            // Those beside it may have started in the very turn it failed.
            assert.ok(failedAt === undefined || tried.length - failedAt < windowMax);
            assert.ok(++underway <= windowMax);
            for (let wait = turns.next().value as number; wait > 0; wait--) await Promise.resolve();
            underway--;
            const fate = fates[index] as Fate;
            if (fate === 'ok') return;
            if (fate === 'UPSTREAM_AWAY') failedAt ??= tried.length;
            throw new Fault(fate, `number ${index}`);
          },
        );
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

test('what is no fault is a bug, and not hidden in an outcome', async () => {
  const bug = new TypeError('ours');
  const sent = sendInOrder([message('a')], 2, () => Promise.reject(bug));
  assert.is(await sent.catch((cause: unknown) => cause), bug);
});

test.run();
