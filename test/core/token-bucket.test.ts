/** A token bucket over random spending: never more than the rate over time, and never starved. */
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createTokenBucket } from '../../src/core/token-bucket.ts';

const test = suite('token bucket');

const steps = fc.array(
  fc.record({
    afterMs: fc.integer({ min: 0, max: 5_000 }),
    amount: fc.integer({ min: 0, max: 500 }),
  }),
  { minLength: 1, maxLength: 60 },
);
const rate = fc.integer({ min: 1, max: 1_000 }).map((perSecond) => perSecond / 1_000);
const most = fc.integer({ min: 0, max: 1_000 });
const TINY = 1e-6;

test('what is taken never passes what was saved and what came in', () => {
  fc.assert(
    fc.property(rate, most, steps, (perMs, burst, list) => {
      const bucket = createTokenBucket(perMs, burst, 0);
      let nowMs = 0;
      let taken = 0;
      for (const { afterMs, amount } of list) {
        nowMs += afterMs;
        if (bucket.take(amount, nowMs)) taken += amount;
        assert.ok(taken <= burst + perMs * nowMs + TINY);
        assert.is(bucket.owedMs(nowMs), 0, 'taking owes nothing');
      }
    }),
  );
});

test('whoever waits for what is owed spends the rate and one overdraft at most', () => {
  fc.assert(
    fc.property(rate, most, steps, (perMs, burst, list) => {
      const bucket = createTokenBucket(perMs, burst, 0);
      let nowMs = 0;
      let spent = 0;
      for (const { afterMs, amount } of list) {
        nowMs += Math.max(afterMs, bucket.owedMs(nowMs));
        assert.ok(bucket.owedMs(nowMs) < TINY, 'it is paid back when it says so');
        assert.ok(spent <= burst + perMs * nowMs + TINY);
        bucket.spend(amount, nowMs);
        spent += amount;
      }
    }),
  );
});

test('what is spent bit by bit over a time counts like many small sums', () => {
  fc.assert(
    fc.property(rate, most, fc.integer({ min: 1, max: 200 }), (perMs, burst, ticks) => {
      const whole = createTokenBucket(perMs, burst, 0);
      const parts = createTokenBucket(perMs, burst, 0);
      // Faster than it comes in, so nothing is saved up on the way.
      for (let nowMs = 1; nowMs <= ticks; nowMs++) parts.spend(1, nowMs, nowMs - 1);
      whole.spend(ticks, ticks, 0);
      assert.ok(Math.abs(whole.owedMs(ticks) - parts.owedMs(ticks)) < 1e-3);
    }),
  );
});

test('it saves up no more than its most, however long it rests', () => {
  const bucket = createTokenBucket(1, 10, 0);
  assert.not.ok(bucket.take(11, 1e9));
  assert.ok(bucket.take(10, 1e9));
  assert.not.ok(bucket.take(1, 1e9));
  bucket.spend(5, 1e9);
  assert.is(bucket.owedMs(1e9), 5);
  assert.is(bucket.owedMs(1e9 - 1_000), 5, 'time that goes back changes nothing');
});

test.run();
