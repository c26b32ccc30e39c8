/** What modules used, over starts, stops, power cuts, hours and days. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Json } from '../../src/core/json.ts';
import type { Ending, ModuleMetrics, StoreWrite } from '../../src/core/ports.ts';
import { createMeter } from '../../src/supervisor/meter.ts';
import { createFakeClock, type FakeClock } from '../fakes/clock.ts';

const test = suite('meter');

const START_MS = Date.UTC(2026, 5, 1, 10, 30);
const HOUR_MS = 3_600_000;
const crash: Ending = { cause: 'error', exitCode: 1, reason: 'x' };

/** A meter on documents that survive, and modules whose metrics the test sets. */
function open(clock: FakeClock, documents: Record<string, Json> = {}) {
  const running = new Map<string, ModuleMetrics>();
  const commits: (readonly StoreWrite[])[] = [];
  const meter = createMeter(
    {
      clock,
      metrics: (module) => running.get(module),
      memory: () => [
        { pid: 1, modules: [...running.keys()], residentBytes: 70, proportionalBytes: 50 },
      ],
      storageBytes: () => 30,
      async write(writes) {
        commits.push(writes);
        for (const write of writes) {
          if (write.kind !== 'document') continue;
          if (write.value === null) delete documents[write.name];
          // As a store does: what comes back is a copy.
          else documents[write.name] = JSON.parse(JSON.stringify(write.value)) as Json;
        }
      },
    },
    { ...documents },
  );
  const runs = (module: string, cpuMs: number, heapBytes = 1_000): void => {
    running.set(module, { cpuMs, heapBytes, cpuWaitMs: cpuMs / 10, messageWaitMs: 0 });
  };
  const ends = (module: string, how = crash): void => {
    const used = running.get(module) as ModuleMetrics;
    running.delete(module);
    meter.ended(module, how, used);
  };
  return { meter, commits, documents, runs, ends };
}

test('totals go on over the starts of a module, with its endings by reason', () => {
  const { meter, runs, ends } = open(createFakeClock(START_MS));
  const counters = meter.counters('m');
  counters.messagesOut += 3;
  counters.bytesOut += 300;
  runs('m', 100);
  assert.is(meter.totals('m').use.cpuMs, 100);
  ends('m');
  assert.is(meter.totals('m').use.cpuMs, 100, 'what the last run used is kept');
  runs('m', 50);
  assert.is(meter.totals('m').use.cpuMs, 150);
  assert.is(meter.totals('m').use.cpuWaitMs, 15);
  ends('m', { ...crash, cause: 'out of memory' });
  runs('m', 1);
  ends('m');
  const { use, endings, sinceMs } = meter.totals('m');
  assert.equal([use.messagesOut, use.bytesOut, use.cpuMs], [3, 300, 151]);
  assert.equal(endings, { 'unhandled error': 2, 'out of memory': 1 });
  assert.is(sinceMs, START_MS);
  meter.forget('m');
  assert.is(meter.totals('m').use.cpuMs, 0);
});

test('a stop keeps everything; a power cut costs five minutes at most', async () => {
  const clock = createFakeClock(START_MS);
  const first = open(clock);
  first.runs('m', 1_000);
  first.meter.counters('m').messagesIn += 7;
  await clock.advance(300_000);
  first.runs('m', 2_000);
  const cut = open(clock, { ...first.documents });
  assert.equal(
    [cut.meter.totals('m').use.cpuMs, cut.meter.totals('m').use.messagesIn],
    [1_000, 7],
    'as five minutes ago',
  );
  first.meter.stop();
  const next = open(clock, first.documents);
  assert.is(next.meter.totals('m').use.cpuMs, 2_000);
  next.runs('m', 500);
  assert.is(next.meter.totals('m').use.cpuMs, 2_500);
});

test('an idle device writes nothing', async () => {
  const clock = createFakeClock(START_MS);
  const { meter, commits, runs } = open(clock);
  meter.counters('m');
  runs('m', 10);
  await clock.advance(HOUR_MS * 2);
  const before = commits.length;
  await clock.advance(HOUR_MS * 2);
  assert.ok(commits.length - before <= 2, `${commits.length - before} commits in two idle hours`);
});

test('hours add up to the totals, and each has what was used in it', async () => {
  const clock = createFakeClock(START_MS);
  const { meter, runs } = open(clock);
  const counters = meter.counters('m');
  for (let minute = 1; minute <= 150; minute++) {
    counters.messagesIn += 2;
    runs('m', minute * 10, minute === 80 ? 9_000 : 1_000);
    await clock.advance(60_000);
  }
  const hours = meter.hours('m');
  assert.equal(
    hours.map(({ fromMs }) => new Date(fromMs).toISOString().slice(11, 16)),
    ['10:00', '11:00', '12:00', '13:00'].slice(0, hours.length),
  );
  assert.equal(
    hours.slice(0, 3).map(({ use }) => use.messagesIn),
    [60, 120, 120],
  );
  const sum = hours.reduce((total, { use }) => total + use.cpuMs, 0);
  assert.is(sum, meter.totals('m').use.cpuMs);
  assert.equal(hours[1]?.most, { heapBytesMax: 9_000, hostBytesMax: 50, storageBytesMax: 30 });
});

test('hours survive a stop and a power cut, over midnight too', async () => {
  const clock = createFakeClock(Date.UTC(2026, 5, 1, 22, 30));
  let world = open(clock);
  for (let hour = 0; hour < 4; hour++) {
    world.meter.counters('m').messagesIn += 10;
    await clock.advance(HOUR_MS);
    if (hour % 2 === 0) world.meter.stop();
    // Only what is on the disk is known to the next.
    world = open(clock, { ...world.documents });
    world.meter.counters('m');
  }
  const hours = world.meter.hours('m').filter(({ use }) => use.messagesIn > 0);
  const sum = hours.reduce((total, { use }) => total + use.messagesIn, 0);
  assert.is(sum, 40, JSON.stringify(hours));
});

test('a week is kept: one document a day, the old ones go', async () => {
  const clock = createFakeClock(START_MS);
  const { meter, documents, commits } = open(clock);
  const counters = meter.counters('m');
  for (let hour = 0; hour < 24 * 10; hour++) {
    counters.messagesIn++;
    await clock.advance(HOUR_MS);
  }
  const days = Object.keys(documents).filter((name) => name.startsWith('meter '));
  assert.ok(days.length <= 9, days.join());
  assert.ok(meter.hours('m').length > 24 * 7);
  assert.ok(meter.hours('m').length <= 24 * 8);
  assert.ok(commits.length <= 24 * 10 * 13, `${commits.length} commits`);
});

test('a clock that has not been set makes no hours, and one that leapt ahead leaves none', async () => {
  const clock = createFakeClock(0);
  const { meter, documents, runs } = open(clock);
  meter.counters('m').messagesIn += 5;
  runs('m', 10);
  await clock.advance(HOUR_MS);
  assert.equal(meter.hours('m'), []);
  clock.step(Date.UTC(2050, 0, 1));
  await clock.advance(HOUR_MS * 2);
  meter.counters('m').messagesIn += 5;
  await clock.advance(HOUR_MS * 2);
  clock.step(-24 * 365 * 20 * HOUR_MS);
  await clock.advance(HOUR_MS * 2);
  meter.counters('m').messagesIn += 5;
  await clock.advance(HOUR_MS * 2);
  const years = new Set(meter.hours('m').map(({ fromMs }) => new Date(fromMs).getUTCFullYear()));
  assert.equal([...years], [2030]);
  assert.not.ok(Object.keys(documents).some((name) => name.startsWith('meter 2050')));
  assert.is(meter.totals('m').use.messagesIn, 15, 'totals know no clock');
});

test('documents of another version, or none of ours, are read as far as they can be', () => {
  const clock = createFakeClock(START_MS);
  const { meter } = open(clock, {
    meter: { modules: { m: { cpuMs: 5, later: 1, messagesIn: 'x' }, n: 3 }, hour: 'x' },
    'meter 2026-06-01': { [String(START_MS)]: { m: 7, n: { cpuMs: -1 } }, x: 1, y: {} },
  });
  assert.is(meter.totals('m').use.cpuMs, 5);
  assert.is(meter.totals('m').use.messagesIn, 0);
  assert.is(meter.totals('n').use.cpuMs, 0);
  assert.ok(Array.isArray(meter.hours('m')));
});

test.run();
