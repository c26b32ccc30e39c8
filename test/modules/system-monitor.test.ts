/** What the monitor makes of the kernel's text. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { applyDesired, readInterval } from '../../modules/system-monitor/src/interval.ts';
import {
  parseLoad,
  parseMemory,
  parseTemperature,
  parseUptime,
} from '../../modules/system-monitor/src/readings.ts';

test('the files of /proc and /sys', () => {
  assert.equal(parseLoad('0.20 0.18 0.12 1/80 11206\n'), { one: 0.2, five: 0.18, fifteen: 0.12 });
  const meminfo = 'MemTotal:        1888160 kB\nMemFree:  1 kB\nMemAvailable:    1467440 kB\n';
  assert.equal(parseMemory(meminfo), {
    totalBytes: 1_933_475_840,
    availableBytes: 1_502_658_560,
  });
  assert.is(parseUptime('350735.47 234388.90\n'), 350_735.47);
  assert.equal(parseTemperature('cpu-thermal\n', '48312\n'), {
    zone: 'cpu-thermal',
    celsius: 48.312,
  });
  assert.equal(parseTemperature('cold', '-5000'), { zone: 'cold', celsius: -5 });
});

test('no numbers are made up', () => {
  assert.is(parseLoad(''), undefined);
  assert.is(parseMemory('MemTotal: 12 kB\n'), undefined);
  assert.is(parseUptime('x'), undefined);
  assert.is(parseTemperature('cpu-thermal', ''), undefined);
  assert.is(parseTemperature('', '1'), undefined);
});

test('the interval', () => {
  const problems: string[] = [];
  assert.is(readInterval(undefined, problems), 5);
  assert.is(readInterval('2', problems), 2);
  assert.is(applyDesired(5, { intervalSeconds: 0.5 }, 5, problems), 0.5);
  assert.is(applyDesired(1, { intervalSeconds: null }, 5, problems), 5);
  assert.is(applyDesired(1, {}, 5, problems), 1);
  assert.equal(problems, []);
  assert.is(readInterval('often', problems), 5);
  for (const intervalSeconds of [0, -1, '2', 1e9]) {
    assert.is(applyDesired(3, { intervalSeconds }, 5, problems), 3);
  }
  assert.is(problems.length, 5);
});

test.run();
