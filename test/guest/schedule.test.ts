/** Schedules: years of a clock that steps, in no time; and the same in an isolate. */
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createDeskKeeper } from '../../build/develop/desk-kept.ts';
import { readPattern } from '../../src/guest/isolet/cron-pattern.ts';
import { createPlan, MISSED_MAX, type PlannedWake } from '../../src/guest/isolet/schedule-plan.ts';
import { withKeeping } from './kept-box.ts';

const test = suite('schedule');
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const START = Date.UTC(2026, 10, 23, 12, 0, 30);

/** A module's life: `rest` lets the wall clock go on by so much and gives the wake-ups, `step` turns its hands. */
function createLife(text: string, nowMs: number, since?: number) {
  let now = nowMs;
  const plan = createPlan(readPattern(text, 'UTC'), since, now);
  const woken: PlannedWake[] = [];
  return {
    plan,
    rest(ms: number): readonly (readonly [string, number])[] {
      const before = woken.length;
      const end = now + ms;
      for (let looks = 0; ; looks++) {
        assert.ok(looks < 100_000, 'it looks for ever');
        const look = plan.look(now);
        if ('wake' in look) {
          if (look.wake === undefined) break;
          woken.push(look.wake);
          continue;
        }
        if (now + look.waitMs > end) break;
        now += look.waitMs;
      }
      now = end;
      return woken
        .slice(before)
        .map(({ atMs, missed }) => [new Date(atMs).toISOString().slice(5, 16), missed] as const);
    },
    step(ms: number) {
      now += ms;
    },
  };
}

test('it wakes at each moment, once', () => {
  const life = createLife('*/5 * * * *', START);
  assert.equal(life.rest(12 * MINUTE), [
    ['11-23T12:05', 0],
    ['11-23T12:10', 0],
  ]);
  assert.is(life.rest(DAY).length, 288);
});

test('a board of 1970 that learns the time wakes for nothing it cannot know of', () => {
  const life = createLife('*/5 * * * *', 30_000);
  assert.equal(life.rest(6 * MINUTE), [['01-01T00:05', 0]]);
  assert.is(life.plan.since(), undefined);
  life.step(START - 6.5 * MINUTE);
  assert.equal(life.rest(MINUTE), []);
  assert.equal(life.rest(5 * MINUTE), [['11-23T12:05', 0]]);
});

test('and knows what it missed when it has run before', () => {
  const life = createLife('0 * * * *', 30_000, START - 3 * HOUR);
  assert.equal(life.rest(MINUTE), []);
  life.step(START);
  assert.equal(life.rest(MINUTE), [['11-23T12:00', 2]]);
  assert.equal(life.rest(HOUR), [['11-23T13:00', 0]]);
});

test('of what a start, a sleep or a step forward passes by, one comes, with the number of the others', () => {
  assert.equal(createLife('0 * * * *', START, START - 5 * HOUR).rest(0), [['11-23T12:00', 4]]);
  assert.equal(createLife('0 * * * *', START, START).rest(0), []);
  const life = createLife('0 3 * * *', START);
  life.step(3 * DAY);
  assert.equal(life.rest(MINUTE), [['11-26T03:00', 2]]);
  life.step(30 * 365 * DAY);
  const [[at, missed] = ['', 0], ...others] = life.rest(MINUTE);
  assert.equal([at, missed, others], ['11-18T03:00', MISSED_MAX, []]);
});

test('a small step back brings no moment twice, a large one begins anew', () => {
  const life = createLife('* * * * *', START);
  assert.equal(life.rest(2 * MINUTE).length, 2);
  life.step(-2 * MINUTE);
  assert.equal(life.rest(2 * MINUTE), []);
  assert.equal(life.rest(MINUTE).length, 1);
  life.step(-DAY);
  assert.equal(life.rest(10 * MINUTE).length, 10);
});

test('a last run in the future is not waited for', () => {
  const life = createLife('0 * * * *', START, START + 365 * DAY);
  assert.equal(life.rest(HOUR), [['11-23T13:00', 0]]);
});

test('whatever the clock does, no step brings more than one wake-up', () => {
  const jump = fc.integer({ min: -80 * 365 * DAY, max: 80 * 365 * DAY });
  fc.assert(
    fc.property(
      fc.constantFrom('* * * * *', '*/5 * * * *', '0 3 * * *', '0 0 29 2 *'),
      fc.array(fc.tuple(jump, fc.nat({ max: 10 * MINUTE })), { maxLength: 8 }),
      (text, steps) => {
        const life = createLife(text, START);
        let now = START;
        for (const [step, ms] of steps) {
          // A Date has bounds of its own.
          const by = Math.max(step, MINUTE - now);
          life.step(by);
          now += by + ms;
          assert.ok(life.rest(ms).length <= 1 + Math.ceil(ms / MINUTE));
        }
      },
    ),
    { numRuns: 60 },
  );
});

test('days that are shorter or longer have one night each', () => {
  const pattern = readPattern('30 2 * * *', 'Europe/Berlin');
  const days = (from: number) => {
    const first = pattern.next(from) as number;
    return [first, pattern.next(first) as number].map((ms) =>
      new Date(ms).toISOString().slice(5, 16),
    );
  };
  assert.equal(days(Date.UTC(2026, 2, 28, 12)), ['03-29T01:00', '03-30T00:30']);
  assert.equal(days(Date.UTC(2026, 9, 24, 12)), ['10-25T00:30', '10-26T01:30']);
});

test('in an isolate: by the second, never at the same time, known by name in the next life', async () => {
  const keeper = createDeskKeeper();
  const source = `
    import { schedule } from 'isolet';
    const failure = (run) => { try { run(); return 'fine'; } catch (error) { return error.name + ': ' + error.message; } };
    let at = 0, calls = 0;
    const ticking = schedule('* * * * * *', async (wake) => {
      if (++at > 1) console.log('twice at once');
      console.log('tick ' + (wake.at instanceof Date) + ' ' + wake.missed);
      at--;
      if (++calls === 2) { ticking.stop(); console.log('stopped'); }
    }, { name: 'tick' });
    console.log(failure(() => schedule('* * * * *', () => {}, { name: 'tick' })));
    console.log(failure(() => schedule('99 * * * *', () => {})));
    console.log(failure(() => schedule('0 0 31 2 *', () => {})));
    console.log(failure(() => schedule('* * * * *', () => {}, { timezone: 'Mars/Olympus' })));
    console.log(failure(() => schedule('* * * * *')));
    const yearly = schedule('0 0 1 1 *', () => {}, { timezone: 'Asia/Tokyo' });
    yearly.stop();
    console.log(yearly.next().toISOString().slice(4));`;
  await withKeeping(
    source,
    async (box) => {
      await box.log('stopped');
      assert.equal(box.logs().slice(0, 6), [
        'Error: There is a schedule "tick" already.',
        'RangeError: CronPattern: Invalid value for minute: 99',
        'TypeError: "0 0 31 2 *" is a pattern that never comes.',
        'RangeError: Invalid time zone specified: Mars/Olympus',
        'TypeError: The handler must be a function.',
        '-12-31T15:00:00.000Z',
      ]);
      assert.equal(box.logs().slice(6), ['tick true 0', 'tick true 0', 'stopped']);
    },
    keeper,
  );
  const [since] = (await keeper.carryOut(
    'filter',
    { what: 'get', keys: ['\0schedule/tick'] },
    {},
  )) as string[];
  assert.ok(Math.abs(Number(since) - Date.now()) < 10_000);
  const hours = [[`\0schedule/hourly`, String(Date.now() - 3 * HOUR - MINUTE)]] as const;
  await keeper.carryOut('filter', { what: 'write', changes: hours }, {});
  const next = `import { schedule } from 'isolet';
    schedule('0 * * * *', ({ missed }) => console.log('missed ' + missed), { name: 'hourly' });`;
  await withKeeping(
    next,
    async (box) => {
      assert.match(await box.log('missed'), /missed [23]/);
    },
    keeper,
  );
});

test.run();
