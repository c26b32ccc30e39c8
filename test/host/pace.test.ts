/** The pace of a module on a clock that the test moves. */
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createPace } from '../../src/host/pace.ts';
import { createFakeClock, type FakeClock } from '../fakes/clock.ts';

const test = suite('pace');

/** A module with turns to do, each of so many ms; gives when each began. */
function worker(clock: FakeClock, cpuShare: number | undefined) {
  const turns: number[] = [];
  const began: number[] = [];
  const pace = createPace(cpuShare, clock, next);
  function next(): void {
    while (turns.length > 0 && pace.mayBegin()) {
      began.push(clock.elapsed());
      pace.spent(turns.shift() as number);
    }
  }
  const work = (...list: readonly number[]): void => {
    turns.push(...list);
    next();
  };
  return { pace, began, work, left: turns };
}

test('without limits nothing waits', () => {
  const clock = createFakeClock();
  const { pace, work, left } = worker(clock, undefined);
  work(1_000, 1_000, 1_000);
  assert.is(left.length, 0);
  assert.equal(pace.waited(), { cpuMs: 0, messageMs: 0 });
  assert.is(clock.pending(), 0);
});

test('a turn that overdraws is paid back before the next begins', async () => {
  const clock = createFakeClock();
  const { pace, began, work } = worker(clock, 0.5);
  work(150, 10, 10);
  await clock.advance(199);
  assert.equal(began, [0], 'half a CPU saves 50 ms up: 100 are owed, 200 ms long');
  assert.is(pace.waited().cpuMs, 199, 'the wait under way counts');
  await clock.advance(1);
  assert.equal(began, [0, 200]);
  await clock.advance(1_000);
  assert.equal(began, [0, 200, 220]);
  assert.equal(pace.waited(), { cpuMs: 220, messageMs: 0 });
});

test('a long turn is charged for the time it took: half of each second is half a CPU', async () => {
  const clock = createFakeClock();
  const pace = createPace(0.5, clock, () => {});
  assert.ok(pace.mayBegin());
  await clock.advance(1_000);
  pace.spent(500);
  assert.ok(pace.mayBegin(), 'it used half a CPU, no more');
  await clock.advance(1_000);
  pace.spent(1_000);
  assert.not.ok(pace.mayBegin());
  await clock.advance(900);
  assert.ok(pace.mayBegin(), '500 ms too much, but for the 50 ms it had saved up');
});

test('whoever has nothing to do waits for nothing, and it is not counted', async () => {
  const clock = createFakeClock();
  const { pace, began, work } = worker(clock, 0.1);
  work(1_000);
  await clock.advance(60_000);
  work(1);
  assert.equal(began, [0, 60_000]);
  assert.is(pace.waited().cpuMs, 0);
});

test('a rest holds turns back and is counted apart', async () => {
  const clock = createFakeClock();
  const { pace, began, work } = worker(clock, undefined);
  pace.rest(300);
  work(1);
  pace.rest(500);
  await clock.advance(499);
  assert.equal(began, []);
  await clock.advance(1);
  assert.equal(began, [500]);
  assert.equal(pace.waited(), { cpuMs: 0, messageMs: 500 });
});

test('a debt of months is waited for in parts, for timers take weeks', async () => {
  const clock = createFakeClock();
  const monthMs = 30 * 24 * 3_600_000;
  const alarms: number[] = [];
  const spying = {
    ...clock,
    after(ms: number, run: () => void) {
      alarms.push(ms);
      return clock.after(ms, run);
    },
  };
  const pace = createPace(undefined, spying, () => void pace.mayBegin());
  pace.rest(2 * monthMs);
  assert.not.ok(pace.mayBegin());
  await clock.advance(3 * monthMs);
  assert.ok(pace.mayBegin());
  assert.ok(Math.max(...alarms) < 2 ** 31, alarms.join());
  assert.is(pace.waited().messageMs, 2 * monthMs);
});

test('after stop nothing comes', async () => {
  const clock = createFakeClock();
  const { pace, began, work } = worker(clock, 0.1);
  work(100, 1);
  pace.stop();
  await clock.advance(60_000);
  assert.equal(began, [0]);
  assert.is(clock.pending(), 0);
});

test('over any work the share holds, the order stays and all of it is done', async () => {
  const turn = fc.integer({ min: 1, max: 400 });
  const share = fc.integer({ min: 5, max: 99 }).map((percent) => percent / 100);
  await fc.assert(
    fc.asyncProperty(share, fc.array(turn, { minLength: 1, maxLength: 15 }), async (cpu, list) => {
      const clock = createFakeClock();
      const { began, work, left } = worker(clock, cpu);
      work(...list);
      await clock.advance(400 * 15 * 20 + 1_000);
      assert.is(left.length, 0);
      let usedMs = 0;
      for (const [index, atMs] of began.entries()) {
        assert.ok(usedMs <= cpu * 100 + cpu * atMs + 1e-6, `${usedMs} ms used at ${atMs}`);
        usedMs += list[index] as number;
      }
    }),
    { numRuns: 30 },
  );
});

test.run();
