/** Never more than allowed inside, first come first served, and failures give their place back. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createTurnstile } from '../../src/identity/turnstile.ts';

const test = suite('turnstile');

test('some at once, in order, whatever becomes of them', async () => {
  const enter = createTurnstile(2);
  const started: number[] = [];
  let inside = 0;
  let most = 0;
  const visits = Array.from({ length: 9 }, (_, index) =>
    enter(async () => {
      started.push(index);
      most = Math.max(most, ++inside);
      await new Promise((resolve) => setImmediate(resolve));
      inside--;
      if (index % 3 === 0) throw new Error('no');
      return index;
    }),
  );
  const ends = await Promise.allSettled(visits);
  assert.is(most, 2);
  assert.equal(started, [0, 1, 2, 3, 4, 5, 6, 7, 8]);
  assert.is(ends.filter(({ status }) => status === 'rejected').length, 3);
});

test.run();
