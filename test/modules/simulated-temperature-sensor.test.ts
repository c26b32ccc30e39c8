/** The sensor's settings, its machine, its commands (spec/iotedge.md §15.1). */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { asksForReset } from '../../modules/simulated-temperature-sensor/src/control.ts';
import { createMachine } from '../../modules/simulated-temperature-sensor/src/machine.ts';
import {
  applyDesired,
  parseTimeSpan,
  readSettings,
} from '../../modules/simulated-temperature-sensor/src/settings.ts';

test('time spans as .NET writes them', () => {
  const spans: Record<string, number | undefined> = {
    '00:00:05': 5_000,
    '00:00:00.500': 500,
    '00:00:00.0005': 1,
    '0:0:1.1234567': 1_123,
    '1.02:03:04.5': 93_784_500,
    '01:30': 5_400_000,
    '2': 172_800_000,
    ' 00:00:01 ': 1_000,
    '24:00:00': undefined,
    '00:60:00': undefined,
    '00:00:60': undefined,
    '-00:00:01': undefined,
    '5s': undefined,
    '00:00:00.12345678': undefined,
    '': undefined,
  };
  for (const [text, ms] of Object.entries(spans)) assert.is(parseTimeSpan(text), ms, text);
});

test('settings have IoT Edge’s defaults, in any case of letters, and tell what is wrong', () => {
  const problems: string[] = [];
  assert.equal(readSettings({}, problems), {
    messageDelayMs: 5_000,
    messageCount: 500,
    machineTempMin: 21,
    machineTempMax: 100,
    machinePressureMin: 1,
    machinePressureMax: 10,
    ambientTemp: 21,
    ambientHumidity: 25,
  });
  const env = { MESSAGEDELAY: '00:00:00.250', messageCount: '-1', MachineTempMax: '30' };
  const settings = readSettings(env, problems);
  assert.equal(
    [settings.messageDelayMs, settings.messageCount, settings.machineTempMax],
    [250, -1, 30],
  );
  assert.equal(problems, []);
  const wrong = readSettings(
    { MessageDelay: 'soon', MessageCount: '', ambientTemp: 'x' },
    problems,
  );
  assert.equal([wrong.messageDelayMs, wrong.messageCount, wrong.ambientTemp], [5_000, 500, 21]);
  assert.is(problems.length, 3);
  assert.match(problems[0] as string, /MessageDelay must be a time span like .* it is "soon"/);
});

test('the twin pauses and paces; what is wrong in it is told and changes nothing', () => {
  const defaults = { enabled: true, intervalMs: 5_000 };
  const problems: string[] = [];
  const paced = applyDesired(defaults, { SendInterval: 10, $version: 1 }, defaults, problems);
  assert.equal(paced, { enabled: true, intervalMs: 10_000 });
  const paused = applyDesired(paced, { SendData: false }, defaults, problems);
  assert.equal(paused, { enabled: false, intervalMs: 10_000 });
  assert.equal(
    applyDesired(paused, { SendData: null, SendInterval: null }, defaults, problems),
    defaults,
  );
  assert.equal(problems, []);
  for (const SendInterval of [0, -1, '5', 1e12, Number.NaN, {}]) {
    assert.equal(applyDesired(paused, { SendInterval }, defaults, problems), paused);
  }
  assert.equal(applyDesired(paused, { SendData: 'yes' }, defaults, problems), paused);
  assert.is(problems.length, 7);
});

test('the machine warms up to a little above its highest temperature, whatever chance does', () => {
  const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  fc.assert(
    fc.property(fc.array(chance, { minLength: 1, maxLength: 400 }), (draws) => {
      let at = 0;
      const random = (): number => draws[at++ % draws.length] as number;
      const machine = createMachine(readSettings({ machineTempMax: '30' }, []), random);
      let last = 21;
      for (let tick = 0; tick < 100; tick += 1) {
        const { machine: read, ambient, timeCreated } = machine.read(0);
        const step = read.temperature - last;
        const [low, high] = last > 30 ? [-0.5, 0.5] : [-0.25, 1.25];
        assert.ok(step > low - 1e-9 && step < high + 1e-9);
        assert.ok(Math.abs(read.pressure - (1 + (read.temperature - 21))) < 1e-9);
        assert.ok(ambient.temperature >= 20.5 && ambient.temperature <= 21.5);
        assert.ok([24, 25, 26].includes(ambient.humidity));
        assert.is(timeCreated, '1970-01-01T00:00:00.0000000Z');
        last = read.temperature;
      }
      machine.reset();
      assert.ok(machine.read(0).machine.temperature <= 22.25);
    }),
    { numRuns: 50 },
  );
});

test('a machine of one temperature has a pressure too', () => {
  const settings = readSettings({ machineTempMin: '50', machineTempMax: '50' }, []);
  assert.is(createMachine(settings, () => 0.5).read(0).machine.pressure, 1);
});

test('commands come by name or number, alone or in an array', () => {
  for (const body of [
    '{"command":"reset"}',
    '{"Command":"Reset"}',
    '{"command":0}',
    '[{"command":1},{"command":"reset"}]',
  ]) {
    assert.ok(asksForReset(body), body);
  }
  for (const body of [
    '',
    'reset',
    '"reset"',
    'null',
    '{}',
    '[]',
    '{"command":1}',
    '{"command":"noOperation"}',
    '[null,1,[{"command":"reset"}]]',
  ]) {
    assert.not.ok(asksForReset(body), body);
  }
});

test.run();
