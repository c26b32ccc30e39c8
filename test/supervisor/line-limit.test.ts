/** Console lines above their limit: dropped, counted, told. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createLineLimit } from '../../src/supervisor/line-limit.ts';
import { createFakeClock } from '../fakes/clock.ts';

const test = suite('line limit');

test('a burst goes through, a flood is held to the rate, and a line tells how many are missing', async () => {
  const clock = createFakeClock();
  const told: string[] = [];
  const lines = createLineLimit(10, clock, (sentence) => told.push(sentence));
  let written = 0;
  const write = (count: number): void => {
    for (let line = 0; line < count; line++) if (lines.take()) written++;
  };
  write(100);
  assert.is(written, 100);
  write(50);
  assert.is(written, 100);
  await clock.advance(1_000);
  assert.equal(told, ['50 lines were dropped: it may write 10 a second']);
  write(11);
  assert.is(written, 110);
  await clock.advance(60_000);
  assert.is(told[1], '1 line was dropped: it may write 10 a second');
  write(200);
  assert.is(written, 210, 'what is saved up is one burst');
  await clock.advance(60_000);
  assert.is(told.length, 3);
  assert.is(clock.pending(), 0);
});

test('without a limit nothing is dropped', () => {
  const clock = createFakeClock();
  const lines = createLineLimit(undefined, clock, () => {});
  for (let line = 0; line < 10_000; line++) assert.ok(lines.take());
});

test.run();
