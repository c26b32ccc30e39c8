import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { within } from '../fakes/within.ts';
import { flood } from './flood.ts';

const test = suite('many fast producers, one slow consumer');

test('nothing is lost or out of order, and producers are slowed', async () => {
  const report = await within(
    150_000,
    'the flood',
    flood(16, 3_000, 500, () => 0),
  );
  assert.ok(report.told > 1_000, `${report.told} told`);
  assert.is(report.arrived, report.told);
  assert.equal([report.wrong, report.refused], [0, 0]);
  assert.ok(report.waitedMost > 1_000, `${report.waitedMost} waited`);
});

test.run();
