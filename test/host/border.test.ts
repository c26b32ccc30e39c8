/** What module code can find and do at the border of its isolate. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { transform } from 'esbuild';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ModuleHost } from '../../src/core/ports.ts';
import {
  endOf,
  granting,
  input,
  startNoting,
  startOf,
  type Told,
} from '../contracts/module-host.ts';
import { until } from '../fakes/within.ts';
import { guestPrograms } from './contract-programs.ts';
import { createTestHost } from './real-host.ts';

const LIMIT_MS = 10_000;

const test = suite<{ host: ModuleHost }>('border');
test.before((context) => {
  context.host = createTestHost();
});
test.after(({ host }) => host.stop());

/** Starts code that tells things with `say(value)`; gives what it said, as a list. */
function listen(host: ModuleHost, code: string): { told: Told; said: () => unknown[] } {
  const say = `const say = (value) => isolet.request([{ t: 'log', level: 'info', text: JSON.stringify(value) ?? 'undefined' }]);`;
  const told = startNoting(host, { module: 'spy', code: `${say}\n${code}` });
  const said = (): unknown[] =>
    told.requests.flatMap((one) => (one.t === 'log' ? [JSON.parse(one.text) as unknown] : []));
  return { told, said };
}

test('nothing of Node or of the host is in reach', async ({ host }) => {
  const { told, said } = listen(
    host,
    `
    const outbox = isolet.rawOutbox;
    say(['process', 'require', 'global', 'ivm', '__isoletBoot', 'Buffer', 'setTimeout', 'fetch'].filter((name) => name in globalThis));
    say([outbox, outbox.constructor, isolet.constructor].map((one) => {
      try { return typeof one.constructor('return process')(); } catch (error) { return error.name; }
    }));
    say(Object.getOwnPropertyNames(outbox));
    say(await import('node:fs').then(() => 'in', () => 'refused'));`,
  );
  await until(LIMIT_MS, 'all said', () => said().length === 4);
  assert.equal(said()[0], []);
  assert.equal(said()[1], ['ReferenceError', 'ReferenceError', 'ReferenceError']);
  assert.is(said()[3], 'refused');
  assert.not(JSON.stringify(told.requests).includes('/src/host'), 'a path of the host');
  await told.running.stop();
});

test('an error tells the module nothing about the device', async ({ host }) => {
  const imports = startNoting(host, { module: 'spy', code: `import 'node:fs';` });
  assert.match((await endOf(imports)).reason, /imports "node:fs"/);
  const throws = startNoting(host, { module: 'spy', code: 'null.x' });
  const { reason } = await endOf(throws);
  assert.is(
    reason,
    `TypeError: Cannot read properties of null (reading 'x')\n    at file:///spy/main.js:1:6`,
  );
});

const ENDLESS = `for (;;) isolet.rawOutbox('[]', undefined, '', -1)`;
const abuses: readonly (readonly [string, string])[] = [
  ['no arguments', 'isolet.rawOutbox()'],
  ['an object', `isolet.rawOutbox({}, undefined, '', -1)`],
  ['bytes that are none', `isolet.rawOutbox('[]', [1], '', -1)`],
  ['shared bytes', `isolet.rawOutbox('[]', new Uint8Array(new SharedArrayBuffer(8)), '', -1)`],
  ['text that is no JSON', `isolet.rawOutbox('[{', undefined, '', -1)`],
  ['bodies nobody announced', `isolet.rawOutbox('[]', new Uint8Array(5), '', -1)`],
  ['nesting without end', `isolet.rawOutbox('['.repeat(1e5), undefined, '', -1)`],
  ['host calls that are no JSON', `isolet.rawOutbox('', undefined, 'x', -1)`],
  ['host calls that are no list', `isolet.rawOutbox('', undefined, '{}', -1)`],
  ['a host call that is none', `isolet.host([{ t: 'spawn' }])`],
  ['an exit that is no number', `isolet.host([{ t: 'exit', code: 'x' }])`],
  ['more than a frame holds', `isolet.rawOutbox('x'.repeat(2 ** 24), undefined, '', -1)`],
  ['the outbox without end', ENDLESS],
];

for (const [what, code] of abuses) {
  test(`abuse of the outbox ends the module: ${what}`, async ({ host }) => {
    const pid = host.processes()['shared'];
    const told = startNoting(host, {
      module: 'spy',
      code: `isolet.on(() => { ${code}; });`,
      limits: { heapMb: 128, startMs: 5_000, turnMs: 5_000 },
    });
    await startOf(told);
    told.running.post([input(1, 'go')], [undefined]);
    const ending = await endOf(told);
    // On a busy machine its calls may fill the host before the host's thread comes to count them.
    if (code === ENDLESS && ending.cause === 'out of memory') return;
    assert.is(ending.cause, 'error');
    assert.match(ending.reason, /broke the treaty/);
    assert.is(host.processes()['shared'], pid, 'the host goes on');
  });
}

for (const [what, code] of [
  [
    'host calls',
    `const text = 'x'.repeat(4e6); for (;;) isolet.rawOutbox('', undefined, text, -1);`,
  ],
  [
    'requests',
    `const text = JSON.stringify([{ t: 'log', level: 'info', text: 'x'.repeat(8e3) }]);
     for (;;) isolet.rawOutbox(text, undefined, '', -1);`,
  ],
] as const) {
  test(`a flood of ${what} is blamed on who made it, whatever ends it first`, async () => {
    const host = createTestHost();
    const neighbour = startNoting(host, { module: 'neighbour', code: guestPrograms.echo });
    const told = startNoting(host, {
      module: 'flood',
      code: `isolet.on(() => { ${code} });`,
      limits: { heapMb: 128, startMs: 5_000, turnMs: 5_000 },
    });
    await startOf(neighbour);
    await startOf(told);
    told.running.post([input(1, 'go')], [undefined]);
    const { cause, reason } = await endOf(told, 20_000);
    const blamed = ['error', 'wedged', 'out of memory', 'out of time', 'crashed'].includes(cause);
    assert.ok(blamed, `${cause}: ${reason}`);
    assert.ok(['host lost', undefined].includes(neighbour.endings[0]?.cause));
    await host.stop();
  });
}

test('what cannot cross throws in the module, not in the host', async ({ host }) => {
  const { told, said } = listen(
    host,
    `const odd = [Symbol('x'), new Proxy({}, {}), { get x() { return 1; } }, () => 1];
     for (const one of odd) {
       try { isolet.rawOutbox(one, undefined, '', -1); say('taken'); } catch { say('refused'); }
     }`,
  );
  await until(LIMIT_MS, 'said or ended', () => said().length >= 4 || told.endings.length > 0);
  const other = startNoting(host, { module: 'other', code: guestPrograms.echo });
  await startOf(other);
  await Promise.all([told.running.stop(), other.running.stop()]);
});

test('timers ring, host calls are answered, wild delays do no harm', async ({ host }) => {
  const folder = mkdtempSync(join(tmpdir(), 'isolet-border-'));
  writeFileSync(join(folder, 'a.txt'), 'content');
  const told = startNoting(host, {
    module: 'timer',
    grants: granting({ binds: [{ source: folder, target: '/data', writable: false }] }),
    code: `
      const say = (text) => isolet.request([{ t: 'log', level: 'info', text }]);
      isolet.onHost((event) => say(event.error?.code ?? event.value));
      isolet.after(5, () => {
        say('rang');
        isolet.host([{ t: 'readFile', call: 1, path: '/data/a.txt' }, { t: 'readFile', call: 2, path: '/etc/passwd' }]);
        isolet.after(1e300, () => say('never'));
      });`,
  });
  await until(LIMIT_MS, 'all said', () => told.requests.length === 3);
  const texts = told.requests.map((one) => (one.t === 'log' ? one.text : ''));
  assert.is(texts[0], 'rang');
  assert.equal(texts.slice(1).toSorted(), ['EACCES', 'content']);
  await told.running.stop();
  rmSync(folder, { recursive: true });
});

test('too many file calls at once are refused by name', async () => {
  const host = createTestHost({ hostCallsMax: 2 });
  const told = startNoting(host, {
    module: 'reader',
    code: `
      isolet.onHost((event) => isolet.request([{ t: 'log', level: 'info', text: event.error.code }]));
      isolet.host([1, 2, 3].map((call) => ({ t: 'readDir', call, path: '/x' })));`,
  });
  await until(LIMIT_MS, 'all said', () => told.requests.length === 3);
  const texts = told.requests.map((one) => (one.t === 'log' ? one.text : ''));
  assert.equal(texts.toSorted(), ['EACCES', 'EACCES', 'EMFILE']);
  await host.stop();
});

test('a module that takes its events too slowly ends before the host is full', async () => {
  const host = createTestHost({ inboxBytesMax: 1_000_000 });
  const told = startNoting(host, { module: 'slow', code: 'isolet.on(() => { for (;;); });' });
  for (let id = 0; id < 30; id++) told.running.post([input(id, 'x'.repeat(100_000))], [undefined]);
  const ending = await endOf(told);
  assert.is(ending.cause, 'error');
  assert.match(ending.reason, /too slowly/);
  await host.stop();
});

test('what a module uses is known while it runs and when it rests', async () => {
  const host = createTestHost({ heartbeatMs: 50 });
  const told = startNoting(host, {
    module: 'user',
    code: `const kept = []; const use = () => { for (let i = 0; i < 1e5; i++) kept.push({ i }); if (kept.length < 5e5) isolet.after(1, use); }; use();`,
  });
  await until(LIMIT_MS, 'the heap is told', () => (host.metrics('user')?.heapBytes ?? 0) > 8e6);
  assert.ok((host.metrics('user')?.cpuMs ?? 0) > 1);
  await told.running.stop();
  assert.is(host.metrics('user'), undefined);
  await host.stop();
});

test('what a module left is collected when it rests, and none of its code runs for it', async () => {
  const host = createTestHost({ heartbeatMs: 50, restMs: 200 });
  const told = startNoting(host, {
    module: 'rests',
    code: `
    const say = (text) => isolet.request([{ t: 'log', level: 'info', text }]);
    for (const name of ['type', 'execution', 'flavor', 'filename', 'then']) {
      Object.defineProperty(Object.prototype, name, { get() { say('caught ' + name); } });
    }
    say([typeof gc, Reflect.defineProperty(globalThis, 'gc', { value: 1 })].join());
    let kept = Array.from({ length: 1e5 }, (_, i) => ({ i }));
    isolet.on(() => { say(String(kept.length)); kept = undefined; });`,
  });
  const heapBytes = (): number => host.metrics('rests')?.heapBytes ?? 0;
  await until(LIMIT_MS, 'it holds much', () => heapBytes() > 2e6);
  told.running.post([input(1, 'let it go')], [undefined]);
  await until(LIMIT_MS, 'it holds little', () => heapBytes() < 1e6);
  const texts = told.requests.flatMap((one) => (one.t === 'log' ? [one.text] : []));
  assert.equal(texts, ['undefined,false', '100000']);
  await told.running.stop();
  await host.stop();
});

test('a stack names the sources', async ({ host }) => {
  const source = `const unit: string = 'C';\n\nfunction read(): never {\n  throw new Error('too hot ' + unit);\n}\nread();\n`;
  const bundle = await transform(source, {
    loader: 'ts',
    minify: true,
    sourcemap: 'external',
    sourcefile: 'src/main.ts',
  });
  const told = startNoting(host, { module: 'my filter', code: bundle.code, sourceMap: bundle.map });
  const { reason } = await endOf(told);
  assert.match(reason, /^Error: too hot C\n {4}at .*src\/main\.ts:4:9/);
});

test.run();
