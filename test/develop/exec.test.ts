/** `isolet exec`: a file runs as a module does, and ends as under Node. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { within } from '../fakes/within.ts';
import { start } from './desk-kit.ts';

const WAIT_MS = 60_000;
const program = join(import.meta.dirname, '..', '..', 'build', 'develop.ts');
const test = suite<{ dir: string }>('exec');

test.before((context) => {
  context.dir = mkdtempSync(join(tmpdir(), 'isolet-exec-'));
});
test.after(({ dir }) => rmSync(dir, { recursive: true }));

type Outcome = { readonly code: number | null; readonly out: string; readonly err: string };

async function exec(
  dir: string,
  file: string,
  source: string,
  ...options: readonly string[]
): Promise<Outcome> {
  writeFileSync(join(dir, file), source);
  const child = spawn(process.execPath, [program, 'exec', file, ...options], { cwd: dir });
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  try {
    return { code: await within(WAIT_MS, file, ended), out, err };
  } finally {
    child.kill('SIGKILL');
  }
}

test('levels go to stdout and stderr, unprefixed, and the end is 0', async ({ dir }) => {
  const source = `
    console.log('log'); console.info('info'); console.debug('debug');
    console.warn('warn'); console.error('error');
    setTimeout(() => console.log('later'), 10);
    clearTimeout(setTimeout(() => {}, 1_000_000));`;
  assert.equal(await exec(dir, 'levels.js', source), {
    code: 0,
    out: 'log\ninfo\ndebug\nlater\n',
    err: 'warn\nerror\n',
  });
});

test('TypeScript, CommonJS, and globals nobody names', async ({ dir }) => {
  const source = `const { EventEmitter } = require('events');
    enum Level { Low = 1 }
    const name: string = ['Head', 'ers'].join('');
    console.log(typeof EventEmitter, Level.Low, typeof (globalThis as any)[name]);`;
  assert.is((await exec(dir, 'words.ts', source)).out, 'function 1 function\n');
});

test('an uncaught error and a rejection: 1, with the place in the source', async ({ dir }) => {
  const thrown = await exec(dir, 'throws.ts', 'interface A { a: 1 }\n\nthrow new Error("boom");\n');
  assert.is(thrown.code, 1);
  assert.match(thrown.err, /^Error: boom\n {4}at throws\.ts:3:7$/m);
  const rejected = await exec(dir, 'rejects.ts', '\n\nPromise.reject(new Error("no"));\n');
  assert.is(rejected.code, 1);
  assert.match(rejected.err, /^Error: no\n {4}at rejects\.ts:3:16$/m);
});

test('rejections nobody handled: the global object hears of them, then process, then it is over', async ({
  dir,
}) => {
  const source = `const steps = [
      () => Promise.reject(new RangeError('later')),
      () => Promise.reject(7),
      () => { const late = Promise.reject(); setTimeout(() => late.catch(() => console.log('late')), 5); },
      () => {
        process.once('unhandledRejection', (reason) => (console.log('process', reason), next()));
        Promise.reject('not mine');
      },
      () => Promise.reject('not mine'),
    ];
    // Of several in one turn only the first is told.
    const next = () => setTimeout(() => void steps.shift()?.(), 10);
    addEventListener('unhandledrejection', (event) => {
      const { reason, promise, isTrusted } = event;
      promise.catch((same) => console.log('its promise', same === reason));
      console.log('event', reason?.name, reason?.message ?? reason, reason instanceof RangeError, isTrusted);
      if (reason === 'not mine') return;
      event.preventDefault();
      next();
    });
    void (async () => { throw new RangeError('at once'); })();`;
  const { out, code, err } = await exec(dir, 'handled.js', source);
  assert.equal(out.split('\n'), [
    'event RangeError at once true true',
    'its promise true',
    'event RangeError later true true',
    'its promise true',
    'event undefined 7 false true',
    'its promise true',
    'event undefined undefined false true',
    'its promise true',
    'late',
    'event undefined not mine false true',
    'process not mine',
    'its promise true',
    'event undefined not mine false true',
    'its promise true',
    '',
  ]);
  assert.is(code, 1);
  assert.match(err, 'Uncaught not mine');
});

test('what fails while it loads ends it, whoever listens', async ({ dir }) => {
  const source = `addEventListener('unhandledrejection', (event) => event.preventDefault());
    process.on('unhandledRejection', () => {});
    throw new Error('half loaded');`;
  const { err, code } = await exec(dir, 'half.js', source);
  assert.is(code, 1);
  assert.match(err, 'half loaded');
});

test('process.exit and process.exitCode', async ({ dir }) => {
  assert.is((await exec(dir, 'three.js', 'process.exit(3)')).code, 3);
  const late = await exec(
    dir,
    'late.js',
    'process.exitCode = 4; process.on("exit", (code) => console.log("ends with", code))',
  );
  assert.equal([late.code, late.out], [4, 'ends with 4\n']);
});

test('a top-level await that never ends: 13, and a sentence', async ({ dir }) => {
  const { code, out, err } = await exec(
    dir,
    'waits.ts',
    'console.log("before");\nawait 1;\nconst f = async () => await 2;\n  await new Promise(() => {});',
  );
  assert.equal([code, out], [13, 'before\n']);
  assert.match(err, /top level of waits\.ts awaits something that will never come/);
  assert.match(err, /\n {4}at waits\.ts:2:1\n {4}at waits\.ts:4:3\n$/);
});

test('an endless loop and endless memory end at their limits', async ({ dir }) => {
  const spin = 'function spin() {\n  for (;;);\n}\n';
  for (const source of ['spin();', 'setTimeout(() => {\n  spin();\n});']) {
    const loop = await exec(dir, 'loop.js', spin + source, '--time', '1');
    assert.is(loop.code, 137);
    assert.match(
      loop.err,
      /^Its code was still running after 1000 ms\.\n {4}at spin \(loop\.js:2:\d+\)\n.*loop\.js:[45]:/,
    );
  }
  const idle = await exec(dir, 'idle.js', 'setTimeout(() => {}, 1e6);', '--time', '1');
  assert.is(idle.code, 137);
  assert.match(idle.err, /idle\.js was still running after 1 s/);
  const eater = await exec(
    dir,
    'eater.js',
    'const all = []; for (;;) all.push("x".repeat(1000) + all.length);',
    '--memory',
    '32',
  );
  assert.is(eater.code, 137);
  assert.match(eater.err, /32 MB/);
});

test('much output comes whole', async ({ dir }) => {
  const { out } = await exec(
    dir,
    'much.js',
    'for (let i = 0; i < 100_000; i++) console.log("line", i)',
  );
  assert.is(out.split('\n').length, 100_001);
  const long = await exec(dir, 'long.js', 'console.log("x".repeat(1_000_000))');
  assert.is(long.out.length, 1_000_001);
});

test('what is wrong in the source or with the file', async ({ dir }) => {
  const syntax = await exec(dir, 'syntax.ts', 'const a: number = 1;\nconst b = ;\n');
  assert.is(syntax.code, 1);
  assert.match(syntax.err, /syntax\.ts:2:10/);
  const absent = await exec(dir, 'import.ts', '\nimport { connect } from "node:tls";\nconnect();');
  assert.match(absent.err, /import\.ts:2:24/);
  const none = await exec(
    dir,
    'x.ts',
    '',
    '--grant',
    'netwrok',
    '--grant',
    'bind=a',
    '--grant',
    'port=0',
  );
  assert.is(none.code, 1);
  assert.match(none.err, /did you mean network\?[^]*bind=a[^]*port=0/);
});

test('what a device refuses is refused here, too, in a sentence', async ({ dir }) => {
  const source = `
    import { Message, ModuleClient } from 'azure-iot-device';
    import { Mqtt } from 'azure-iot-device-mqtt';
    const client = await ModuleClient.fromEnvironment(Mqtt);
    await client.open();
    const twin = await client.getTwin();
    const told = (run: Promise<unknown>) => run.then(() => 'taken', (error: Error) => error.message);
    const report = (value: object) =>
      new Promise<void>((yes, no) => twin.properties.reported.update(value, (e: Error) => (e ? no(e) : yes())));
    console.log(await told(client.sendOutputEvent('o', new Message('x'.repeat(20_000_000)))));
    console.log(await told(report({ a: 'x'.repeat(33 * 1024) })));
    console.log(await told(report({ a: 1 })), JSON.stringify((await client.getTwin()).properties.reported.a));
    try { new TextDecoder('utf-8', { fatal: true }).decode(new Uint8Array([0xff])); } catch (e) { console.log(e.name); }
    process.exit();`;
  const { out, err, code } = await exec(dir, 'limits.ts', source);
  assert.equal([code, err], [0, '']);
  assert.match(out, /^A message may have \d+ bytes; this body alone has 20000000 or more\.\n/);
  assert.match(out, /\nTwin properties size \d+ exceeds maximum 32768\ntaken 1\nTypeError\n$/);
});

test('files that import each other in a circle run as far as they can', async ({ dir }) => {
  writeFileSync(
    join(dir, 'circle.js'),
    "import { a } from './round.js';\nexport const b = () => a;",
  );
  const round = "import { b } from './circle.js';\nexport const a = 1;\nconsole.log(b());";
  assert.is((await exec(dir, 'round.js', round)).out, '1\n');
});

test('an HTTP server keeps it running until it is closed', async ({ dir }) => {
  const source = `import http from 'http';
    const server = http.createServer((request, response) => { response.end('served'); server.close(); });
    server.listen(8080, () => console.log('listens'));`;
  writeFileSync(join(dir, 'serves.js'), source);
  const it = start(dir, 'exec', 'serves.js', '--grant', 'port=127.0.0.1::8080');
  const [, port] = await it.sees(/port 8080 of this module is port (\d+)/);
  await it.sees(/listens/);
  assert.is(await (await fetch(`http://127.0.0.1:${port}/`)).text(), 'served');
  assert.is(await it.ended(), 0);
});

test('what is granted is there', async ({ dir }) => {
  writeFileSync(join(dir, 'facts.txt'), 'a fact');
  const source = `import { readFile } from 'fs/promises';
    console.log(await readFile('/data/facts.txt', 'utf8'), process.env.WHO);`;
  const options = ['--grant', 'bind=.:/data:ro', '--grant', 'env=WHO=me'];
  assert.equal(await exec(dir, 'reads.ts', source, ...options), {
    code: 0,
    out: 'a fact me\n',
    err: '',
  });
});

test.run();
