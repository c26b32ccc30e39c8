/** A module with packages of its own gives one digest, whatever the environment says and wherever it lies. */
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

type Context = { dir: string; digest: string };

const root = join(import.meta.dirname, '..', '..');
const program = join(root, 'build', 'bundle.ts');
const run = promisify(execFile);
const test = suite<Context>('reproducible');

/** Has TypeScript, JSON, a package in two kinds, names that sort differently in locales, and asks for something. */
const source: Readonly<Record<string, string>> = {
  'package.json': JSON.stringify({
    name: '@acme/try',
    version: '1.0.0',
    main: 'src/main.ts',
    isolet: { capabilities: { devices: ['i2c'] } },
  }),
  'src/main.ts': `import { ModuleClient } from 'azure-iot-device';
    import { Ä } from './Ä.ts';
    import { z } from './z.ts';
    import plain from 'plain';
    import modern from 'modern';
    import table from './table.json' with { type: 'json' };
    const mode: string = process.env['NODE_ENV'] ?? 'none';
    console.log(ModuleClient, Ä, z, plain, modern, table, mode, new Date(0).toString());`,
  'src/Ä.ts': `export const Ä = 'ä';`,
  'src/z.ts': `export enum Kind { A } export const z = Kind.A;`,
  'src/table.json': '{"b":1,"a":2}',
  'node_modules/plain/package.json': '{"name":"plain","main":"index.js"}',
  'node_modules/plain/index.js': `module.exports = require('path').join('a', 'b');`,
  'node_modules/modern/package.json': '{"name":"modern","type":"module","exports":"./index.js"}',
  'node_modules/modern/index.js': 'export default import.meta.url;',
};

function write(folder: string, names: readonly string[]): void {
  for (const name of names) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), source[name] as string);
  }
}

/** As a program of its own; returns the archive's digest. */
async function build(folder: string, env: object = {}): Promise<string> {
  const out = mkdtempSync(join(dirname(folder), 'out-'));
  const { stdout } = await run(process.execPath, [program, folder, '--out', out, '--json'], {
    cwd: root,
    env: { ...process.env, ...env },
    timeout: 60_000,
  });
  return (JSON.parse(stdout.trim()) as { digest: string }).digest;
}

test.before(async (context) => {
  context.dir = mkdtempSync(join(tmpdir(), 'isolet-same-'));
  write(join(context.dir, 'one'), Object.keys(source));
  context.digest = await build(join(context.dir, 'one'));
  assert.match(context.digest, /^sha256:[0-9a-f]{64}$/);
});
test.after(({ dir }) => rmSync(dir, { recursive: true }));

test('time zone, language, user, home and mode of Node are nobody’s business', async (context) => {
  const { dir, digest } = context;
  const env = {
    TZ: 'Pacific/Chatham',
    LANG: 'tr_TR.UTF-8',
    LC_ALL: 'tr_TR.UTF-8',
    USER: 'somebody',
    LOGNAME: 'somebody',
    HOME: join(dir, 'home'),
    TMPDIR: dir,
    NODE_ENV: 'production',
    NODE_PATH: join(dir, 'elsewhere'),
    SOURCE_DATE_EPOCH: '1',
  };
  assert.is(await build(join(dir, 'one'), env), digest);
  assert.is(await build(join(dir, 'one'), { NODE_ENV: 'development' }), digest);
});

test('files made in another order, at other times, with other rights, in another folder', async (context) => {
  const { dir, digest } = context;
  const folder = join(dir, 'a much longer', 'näme', 'of', 'a folder');
  write(folder, Object.keys(source).reverse());
  for (const name of Object.keys(source)) utimesSync(join(folder, name), 1, 1);
  assert.is(await build(folder), digest);
  const copy = join(dir, 'copy');
  cpSync(folder, copy, { recursive: true });
  await run('chmod', ['-R', '700', copy]);
  assert.is(await build(copy), digest);
});

test.run();
