import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Json } from '../../src/core/json.ts';
import { createDeviceTime } from '../../src/supervisor/device-time.ts';
import { createFakeClock } from '../fakes/clock.ts';

const test = suite('device time');
const HOUR = 3_600_000;
const NOW = Date.UTC(2027, 5, 1);

function start(wallMs: number, stored?: Json) {
  const clock = createFakeClock(wallMs);
  let saved: Json | undefined = stored;
  const time = createDeviceTime(
    clock,
    async ([write]) => {
      if (write?.kind === 'document') saved = write.value;
    },
    stored,
  );
  return { clock, time, saved: () => saved };
}

test('a step of the wall clock changes nothing', async () => {
  const { clock, time } = start(0);
  await clock.advance(HOUR);
  clock.step(NOW);
  await clock.advance(HOUR);
  assert.is(time.now(), 2 * HOUR);
  clock.step(-NOW);
  assert.is(time.now(), 2 * HOUR);
});

test('it counts whole milliseconds, whatever the clock has', async () => {
  const { clock, time } = start(NOW);
  await clock.advance(1234.567);
  assert.is(time.now(), 1234);
});

test('it goes on over a restart, and counts the time off', async () => {
  const first = start(NOW);
  await first.clock.advance(HOUR);
  first.time.stop();
  const second = start(NOW + 3 * HOUR, first.saved());
  assert.is(second.time.now(), 3 * HOUR);
});

test('a clock nobody has set yet says nothing about the time off', async () => {
  const first = start(NOW);
  await first.clock.advance(HOUR);
  first.time.stop();
  const inTheDark = start(5_000, first.saved());
  assert.is(inTheDark.time.now(), HOUR);
  const savedInTheDark = start(5_000);
  await savedInTheDark.clock.advance(HOUR);
  savedInTheDark.time.stop();
  // 57 years later, says the clock that has been set now.
  assert.is(start(NOW, savedInTheDark.saved()).time.now(), HOUR);
});

test('a kill costs at most the time since it was saved, and nothing where the clock is right', async () => {
  const first = start(NOW);
  await first.clock.advance(HOUR + 500_000);
  assert.is(start(NOW + HOUR + 500_000, first.saved()).time.now(), HOUR + 500_000);
  const dark = start(1_000);
  await dark.clock.advance(HOUR + 500_000);
  assert.is(start(1_000, dark.saved()).time.now(), HOUR);
});

test('it never goes back, whatever the clocks and the cuts', async () => {
  const step = fc.record({
    ms: fc.nat(HOUR),
    wall: fc.integer({ min: -NOW, max: NOW }),
    cut: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
      let world = start(NOW);
      let last = 0;
      for (const { ms, wall, cut } of steps) {
        await world.clock.advance(ms);
        world.clock.step(wall);
        if (world.time.now() < last) return false;
        last = world.time.now();
        if (!cut) continue;
        world.time.stop();
        world = start(world.clock.now(), world.saved());
        if (world.time.now() < Math.floor(last)) return false;
        last = world.time.now();
      }
      return true;
    }),
  );
});

test('rubbish in the store is no time at all', () => {
  for (const stored of [null, 3, 'x', [], { livedMs: 'x' }])
    assert.is(start(NOW, stored).time.now(), 0);
});

test.run();
