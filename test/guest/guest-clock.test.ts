/** The guest's clock against wall clocks that step: timers must be neither early by years nor lost. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createGuestClock } from '../../src/guest/world/guest-clock.ts';
import { createTimers } from '../../src/guest/world/timers.ts';

const test = suite('guest clock');
const YEARS_MS = 50 * 365 * 24 * 3600 * 1000;

test('a step of the wall clock is no passing of time', () => {
  let wall = 1000;
  const clock = createGuestClock(
    () => wall,
    () => () => wall,
  );
  clock.start();
  wall += 40;
  assert.is(clock.elapsed(), 40);
  wall -= YEARS_MS;
  assert.is(clock.elapsed(), 40, 'a step back');
  wall += 5;
  assert.is(clock.elapsed(), 45);
  clock.expectWake(100);
  wall += YEARS_MS;
  assert.ok(clock.elapsed() <= 100 + 10_000, 'a step forward while a timer waits');
});

test('timers keep their distances over a step', () => {
  let wall = 0;
  const fired: string[] = [];
  const clock = createGuestClock(
    () => wall,
    () => () => wall,
  );
  clock.start();
  let touched = 0;
  const timers = createTimers(
    clock,
    (run) => void run(),
    () => touched++,
  );
  const set = timers.globals['setTimeout'] as (run: () => void, ms: number) => void;
  set(() => fired.push('minute'), 60_000);
  set(() => fired.push('hour'), 3_600_000);
  assert.is(timers.wakeMs(), 60_000);
  wall += YEARS_MS; // The board learns the time one moment later, and the host wakes us for the minute.
  void timers.run();
  assert.equal(fired, ['minute']);
  const left = timers.wakeMs();
  assert.ok(left > 3_500_000 && left <= 3_540_000, `${left} ms left of the hour`);
  wall -= YEARS_MS;
  void timers.run();
  assert.equal(fired, ['minute']);
  assert.is(timers.wakeMs(), left);
  assert.ok(touched > 0);
});

test.run();
