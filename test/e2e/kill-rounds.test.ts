/** A few of the kill rounds; `npm run -s kill-rounds` plays all 200. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { runKillRounds } from './kill-rounds.ts';
import { build } from './programs.ts';

const test = suite('kill rounds');

test.before(build);

test('12 kills at random moments: told is delivered, in order, doubled only by a kill', async () => {
  const seed = Math.floor(Math.random() * 1e9);
  const report = await runKillRounds(12, seed);
  assert.ok(report.kept, JSON.stringify(report, null, 1));
  assert.ok(report.told > 500, `seed ${seed}: ${report.told} told`);
  assert.equal(report.errors, {}, `seed ${seed}`);
});

test.run();
