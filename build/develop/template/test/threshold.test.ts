/** What the module decides. Run with: npm test */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isHot, thresholdFrom } from '../src/threshold.ts';

test('above the threshold is hot, at it is not', () => {
  assert.equal(isHot({ temperature: 30.1 }, 30), true);
  assert.equal(isHot({ temperature: 30 }, 30), false);
  assert.equal(isHot({}, 30), false);
});

test('a patch without a threshold changes nothing', () => {
  assert.equal(thresholdFrom({ threshold: 40 }, 30), 40);
  assert.equal(thresholdFrom({}, 30), 30);
  assert.equal(thresholdFrom({ threshold: 'warm' }, 30), 30);
});
