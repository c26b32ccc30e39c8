/**
 * Kills the programs of dist/ at random moments under load and checks the promise:
 *
 *   npm run -s kill-rounds -- [--rounds 200] [--seed N]
 *
 * Builds first. Ends with one line of JSON; fails unless every acknowledged message arrived, in order,
 * and was doubled only by a kill. The same seed draws the same kinds of rounds and pauses again.
 */
import { parseArgs } from 'node:util';
import { runKillRounds } from '../test/e2e/kill-rounds.ts';
import { build } from '../test/e2e/programs.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '200' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  },
});
const say = (text: string): void => void process.stderr.write(`${text}\n`);
build();
const { examples, ...report } = await runKillRounds(
  Number(values.rounds),
  Number(values.seed),
  say,
);
for (const example of examples) say(example);
process.stdout.write(`${JSON.stringify(report)}\n`);
process.exit(report.kept ? 0 : 1);
