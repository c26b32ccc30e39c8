/** What goes wrong in a module is told with the author's file and line: in its log, and as the reason of its end. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { buildPrelude } from '../../build/guest.ts';
import type { ModuleHost } from '../../src/core/ports.ts';
import { startNoting } from '../contracts/module-host.ts';
import { until, within } from '../fakes/within.ts';
import { built } from '../guest/built-box.ts';
import { createTestHost } from './real-host.ts';

const LIMIT_MS = 15_000;
const prelude = buildPrelude();
const test = suite<{ host: ModuleHost }>('places of the author');

test.before(async (context) => {
  context.host = createTestHost({}, await prelude);
});
test.after(({ host }) => within(LIMIT_MS, 'the host stops', host.stop()));

/** The reason of its end, and its log. */
async function run(
  host: ModuleHost,
  module: string,
  files: Readonly<Record<string, string>>,
): Promise<{ reason: string; logs: readonly string[] }> {
  const told = startNoting(host, { module, ...(await built(files)) });
  const ending = await until(LIMIT_MS, 'its end', () => told.endings[0]);
  const logs = told.requests.flatMap((request) => (request.t === 'log' ? [request.text] : []));
  return { reason: ending.reason, logs };
}

const typescript = {
  'src/main.ts': `import { check } from './check.ts';

interface Reading { celsius: number }
const reading: Reading = { celsius: 99 };
try {
  check(reading.celsius);
} catch (error) {
  console.error('caught', error);
}
setTimeout(() => {
  END
}, 1);
`,
  'src/check.ts': `type Limit = number;

export function check(celsius: number, limit: Limit = 50): void {
  if (celsius > limit) throw new RangeError('too hot: ' + celsius);
}
`,
};
const ending = (end: string): Record<string, string> => ({
  ...typescript,
  'src/main.ts': typescript['src/main.ts'].replace('END', end),
});

test('an uncaught error and what is caught and logged', async ({ host }) => {
  const { reason, logs } = await run(host, 'throws', ending('check(70);'));
  assert.match(reason, /^RangeError: too hot: 70\n {4}at check \(src\/check\.ts:4:\d+\)/);
  assert.match(reason, /src\/main\.ts:11:\d+/);
  assert.match(
    logs[0] as string,
    /^caught RangeError: too hot: 99\n {4}at check \(src\/check\.ts:4:/,
  );
  assert.match(logs[0] as string, /src\/main\.ts:6:\d+/);
});

test('a rejection nobody handles', async ({ host }) => {
  const { reason } = await run(host, 'rejects', ending('void (async () => check(71))();'));
  assert.match(reason, /too hot: 71[^]*src\/check\.ts:4:\d+[^]*src\/main\.ts:11:\d+/);
});

test('sloppy CommonJS, while it loads, and in a dependency', async ({ host }) => {
  const { reason } = await run(host, 'sloppy', {
    'app.js': `// a comment\nlevel = 3;\nrequire('deep').run(level, process.argv);\n`,
    'node_modules/deep/package.json': '{"name":"deep"}',
    'node_modules/deep/index.js': `exports.run = function (level) {\n  return level > 0 ? exports.run(level - 1) : null.x;\n};\n`,
  });
  assert.match(
    reason,
    /^TypeError: Cannot read properties of null[^]*node_modules\/deep\/index\.js:2:/,
  );
  assert.match(reason, /app\.js:3:\d+/);
});

test('a top-level await that fails, in a bundle with sloppy CommonJS', async ({ host }) => {
  const { reason } = await run(host, 'awaits', {
    'main.mjs': `import value from './value.cjs';\n\nawait Promise.resolve();\nvalue.read();\n`,
    'value.cjs': `undeclared = 1;\nexports.read = () => {\n  throw new Error('late');\n};\n`,
  });
  assert.match(reason, /^Error: late\n {4}at \S+ \(value\.cjs:3:9\)\n {4}at \S*\(?main\.mjs:4:/);
});

test.run();
