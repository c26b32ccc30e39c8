/** Runs a benchmark: `npm run -s bench -- NAME [options]`. Without a name, lists what there is. */
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';

const names = globSync('test/bench/*.ts').map((file) => file.slice('test/bench/'.length, -3));
const [name, ...rest] = process.argv.slice(2);
if (name === undefined || !names.includes(name)) {
  process.stderr.write(`usage: npm run -s bench -- NAME; there is ${names.sort().join(', ')}\n`);
  process.exit(1);
}
const flags = ['--no-node-snapshot', '--expose-gc'];
const { status } = spawnSync(process.execPath, [...flags, `test/bench/${name}.ts`, ...rest], {
  stdio: 'inherit',
});
process.exit(status ?? 1);
