/** The filter's threshold and what it calls a reading (spec/iotedge.md §15.2). */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  applyDesired,
  readThreshold,
  temperatureOf,
} from '../../modules/temperature-filter/src/threshold.ts';

test('twin before environment before 25', () => {
  const problems: string[] = [];
  assert.is(readThreshold(undefined, problems), 25);
  assert.is(readThreshold('30.5', problems), 30.5);
  assert.is(applyDesired(30, {}, 30, problems), 30);
  assert.is(applyDesired(30, { TemperatureThreshold: 0 }, 30, problems), 0);
  assert.is(applyDesired(0, { TemperatureThreshold: null }, 30, problems), 30);
  assert.equal(problems, []);
});

test('what is no number is told, and changes nothing', () => {
  const problems: string[] = [];
  assert.is(readThreshold('hot', problems), 25);
  assert.is(readThreshold('', problems), 25);
  assert.is(applyDesired(28, { TemperatureThreshold: '30' }, 25, problems), 28);
  assert.is(problems.length, 3);
  assert.match(problems[2] as string, /it is "30": keeping 28/);
});

test('only machine.temperature counts', () => {
  assert.is(temperatureOf('{"machine":{"temperature":25.1},"ambient":{"temperature":9}}'), 25.1);
  for (const body of [
    '',
    'null',
    '[]',
    '1',
    '{"machine":{}}',
    '{"machine":{"temperature":"25"}}',
  ]) {
    assert.throws(() => temperatureOf(body), undefined, body);
  }
});

test.run();
