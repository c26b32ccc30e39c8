/** The rules of the house, held by a test so that no reviewer has to. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { VERSION } from '../src/version.ts';

type Room = {
  readonly rooms: readonly string[];
  readonly packages: readonly string[];
  readonly node: boolean;
};

/** Who may import whom. ARCHITECTURE.md shows the same table to people. */
const table: Readonly<Record<string, Room>> = {
  core: { rooms: [], packages: [], node: false },
  lib: { rooms: [], packages: [], node: true },
  supervisor: { rooms: ['core', 'lib'], packages: [], node: false },
  store: { rooms: ['core', 'lib'], packages: ['better-sqlite3'], node: true },
  upstream: {
    rooms: ['core', 'lib'],
    packages: ['azure-iot-device', 'azure-iot-device-mqtt'],
    node: true,
  },
  identity: { rooms: ['core', 'lib'], packages: [], node: true },
  artifacts: { rooms: ['core', 'lib'], packages: [], node: true },
  host: { rooms: ['core', 'lib'], packages: ['isolated-vm', 'ws'], node: true },
  guest: {
    rooms: ['core'],
    packages: [
      'buffer',
      'croner',
      'events',
      'readable-stream',
      'urlpattern-polyfill',
      'web-streams-polyfill',
    ],
    node: false,
  },
  uploads: { rooms: ['core', 'lib'], packages: [], node: true },
  api: { rooms: ['core', 'lib'], packages: [], node: true },
  check: { rooms: ['core', 'lib'], packages: [], node: true },
  cli: { rooms: ['core', 'lib'], packages: ['rhea'], node: true },
  emulator: {
    rooms: ['core', 'lib'],
    packages: ['better-sqlite3', 'mqtt-packet', '@peculiar/x509', 'rhea', 'ws'],
    node: true,
  },
};

/** Files directly in src/: the composition root and what it needs. */
const rootMayNotImport = ['emulator', 'cli', 'guest'];

const root = join(import.meta.dirname, '..');
const sources = globSync('src/**/*.ts', { cwd: root }).filter((file) => !file.endsWith('.d.ts'));
const guest = globSync('modules/*/src/**/*.ts', { cwd: root });
const tests = globSync('test/**/*.test.ts', { cwd: root });
const scripts = globSync('build/**/*.ts', { cwd: root });

const read = (file: string): string => readFileSync(join(root, file), 'utf8');
/** Comments and strings may say what code may not. */
const codeOf = (file: string): string =>
  read(file)
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/(^|[^:])\/\/.*$/gm, '$1');

function importsOf(file: string): readonly string[] {
  const found = codeOf(file).matchAll(
    /(?:^|\n)\s*(?:import|export)\s(?:[^'"]*?\sfrom\s)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/g,
  );
  // Our own name for a package of npm that stands in for one of Node's (build/guest-packages.ts).
  return [...found].map((match) => (match[1] ?? match[2] ?? '').replace(/^isolet-package:/, ''));
}

const test = suite('tidy');

test('there is something to look at', () => {
  assert.ok(
    sources.length > 50 && tests.length > 20,
    `${sources.length} sources, ${tests.length} tests`,
  );
});

test('every room imports only what it may', () => {
  const offences: string[] = [];
  for (const file of sources) {
    const [, room] = file.split('/') as [string, string];
    const rules = table[room];
    for (const name of importsOf(file)) {
      const offence =
        rules === undefined ? rootOffence(file, name) : roomOffence(file, room, rules, name);
      if (offence !== undefined) offences.push(`${file}: ${offence}`);
    }
  }
  assert.equal(offences, []);
});

function rootOffence(file: string, name: string): string | undefined {
  if (!name.startsWith('.')) return undefined;
  const target = normalize(join(dirname(file), name)).split('/')[1] as string;
  return rootMayNotImport.includes(target) ? `the root may not import ${target}` : undefined;
}

function roomOffence(file: string, room: string, rules: Room, name: string): string | undefined {
  if (name.startsWith('node:')) return rules.node ? undefined : `${room} may not import ${name}`;
  if (!name.startsWith('.')) {
    return rules.packages.some((allowed) => name === allowed || name.startsWith(`${allowed}/`))
      ? undefined
      : `${room} may not import the package ${name}`;
  }
  const [top, target] = normalize(join(dirname(file), name)).split('/') as [string, string];
  if (top !== 'src') return `src may not import ${top}`;
  return target === room || rules.rooms.includes(target)
    ? undefined
    : `${room} may not import ${target}`;
}

test('every room there is stands in the table', () => {
  const rooms = new Set(
    sources.filter((file) => file.split('/').length > 2).map((file) => file.split('/')[1]),
  );
  assert.equal(
    [...rooms].filter((room) => table[room as string] === undefined),
    [],
  );
});

test('relative imports name files that exist, with their ending', () => {
  for (const file of [...sources, ...guest, ...scripts]) {
    for (const name of importsOf(file).filter((candidate) => candidate.startsWith('.'))) {
      assert.ok(existsSync(join(root, dirname(file), name)), `${file} imports ${name}`);
    }
  }
});

test('no barrels, and names in kebab-case', () => {
  for (const file of [...sources, ...guest]) {
    const name = file.split('/').at(-1) as string;
    assert.match(name, /^[a-z0-9]+(-[a-z0-9]+)*\.ts$/, file);
    assert.not.ok(/^(index|utils|helpers|common|types|manager)\.ts$/.test(name), file);
  }
});

test('no file is longer than 400 lines', () => {
  const long = [...sources, ...guest, ...scripts]
    .map((file) => ({ file, lines: read(file).split('\n').length }))
    .filter(({ lines }) => lines > 400);
  assert.equal(long, []);
});

test('every file begins with a sentence on what it is for', () => {
  const silent = [...sources, ...scripts].filter((file) => !/^(#!.*\n)?\/\*\*/.test(read(file)));
  assert.equal(silent, []);
});

test('time and chance come in from outside where the program is pure', () => {
  const offences = sources.filter(
    (file) =>
      /^src\/(core|supervisor)\//.test(file) &&
      /\b(Date\.now|performance\.now|setTimeout|setInterval|Math\.random)\b/.test(codeOf(file)),
  );
  assert.equal(offences, []);
});

test('only config.ts and programs for a person read the environment; only they write to the console', () => {
  const offences = sources.filter(
    (file) => !/^src\/(cli|guest|emulator)\//.test(file) && /\bprocess\.env\b/.test(codeOf(file)),
  );
  assert.equal(offences, []);
  const talkers = sources.filter(
    (file) =>
      !/^src\/guest\//.test(file) && /\bconsole\.(log|error|warn|info)\b/.test(codeOf(file)),
  );
  assert.equal(talkers, []);
});

test('every test file runs, and none runs alone', () => {
  for (const file of tests) {
    const code = codeOf(file);
    assert.ok(/\.run\(|^\w+Contract\(/m.test(code), `${file} runs nothing: it needs .run()`);
    assert.not.ok(/\btest\.only\(/.test(code), `${file} has a test.only`);
  }
});

test('the lockfile knows every platform package: else `npm ci` refuses it (build/lockfile.ts)', () => {
  type Entry = { readonly optionalDependencies?: Readonly<Record<string, string>> };
  const { packages } = JSON.parse(read('package-lock.json')) as { packages: Record<string, Entry> };
  const absent = Object.entries(packages).flatMap(([place, { optionalDependencies }]) =>
    Object.keys(optionalDependencies ?? {})
      .filter((name) => packages[`node_modules/${name}`] === undefined)
      .map((name) => `${name} of ${place}`),
  );
  assert.equal(absent, []);
});

test('the version is package.json’s', () => {
  assert.is((JSON.parse(read('package.json')) as { version: string }).version, VERSION);
});

test('every fault code is explained in docs/faults.md, and no other', () => {
  const documented = [...read('docs/faults.md').matchAll(/^\| `([A-Z_]+)` \|/gm)].map(
    (match) => match[1],
  );
  const source = read('src/core/fault.ts');
  const known = [
    ...source.slice(0, source.indexOf('export type Whose')).matchAll(/^ {4}'([A-Z_]+)'/gm),
  ].map((match) => match[1]);
  assert.ok(known.length > 10);
  assert.equal([...documented].sort(), [...known].sort());
});

test('no path of a machine is written down', () => {
  for (const file of [...sources, ...guest, ...scripts, ...tests].filter(
    (candidate) => candidate !== relative(root, import.meta.filename),
  )) {
    assert.not.ok(/\/(work|root)\//.test(read(file)), file);
  }
});

test.run();
