/** Runs a benchmark: `npm run -s bench -- NAME [options]`. Without a name, lists what there is. */
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { programCommand } from '../src/cli/program-files.ts';

const names = globSync('test/bench/*.ts').map((file) => file.slice('test/bench/'.length, -3));
const [name, ...rest] = process.argv.slice(2);
if (name === undefined || !names.includes(name)) {
  process.stderr.write(`usage: npm run -s bench -- NAME; there is ${names.sort().join(', ')}\n`);
  process.exit(1);
}
// Most benches are the supervisor's process themselves: it runs as `isolet run` runs it.
const { argv, env } = programCommand('supervisor');
const flags = [...argv.slice(0, -1), '--expose-gc'];
const { status } = spawnSync(process.execPath, [...flags, `test/bench/${name}.ts`, ...rest], {
  stdio: 'inherit',
  env,
});
process.exit(status ?? 1);
