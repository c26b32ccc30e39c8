/** `isolet dev`: a save is running at once, nothing is lost on the way, and mistakes leave the old version alone. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { until } from '../fakes/within.ts';
import { counter, type Started, start, writeFiles } from './desk-kit.ts';
import { openInspector } from './inspector-client.ts';

const SAVE_MS = 300;
const manifest = JSON.stringify({ name: 'counter', version: '1.0.0', main: 'src/main.ts' });
const test = suite<{ dir: string; running: Started[] }>('dev');

test.before.each((context) => {
  context.dir = mkdtempSync(join(tmpdir(), 'isolet-dev-'));
  context.running = [];
  writeFiles(context.dir, { 'package.json': manifest, 'src/main.ts': counter('one') });
});
test.after.each(({ dir, running }) => {
  for (const { child } of running) child.kill('SIGKILL');
  rmSync(dir, { recursive: true });
});

function dev({ dir, running }: { dir: string; running: Started[] }, ...args: string[]): Started {
  const started = start(dir, 'dev', ...args);
  running.push(started);
  return started;
}

test('a save runs within 300 ms, and no message is lost over ten of them', async (context) => {
  const it = dev(context, '--out', 'sent.jsonl');
  await it.sees(/version one is up/);
  let number = 0;
  const times: number[] = [];
  for (let version = 0; version < 10; version++) {
    for (let i = 0; i < 20; i++) it.say(`input ${number++}`);
    writeFiles(context.dir, { 'src/main.ts': counter(`v${version}`) });
    const [, ms] = await it.sees(/counter runs: (\d+) ms after the save/);
    times.push(Number(ms));
  }
  const numbers = () => new Set([...it.text().matchAll(/"number":(\d+)/g)].map(([, one]) => one));
  await until(10_000, 'every message', () => numbers().size === number);
  const [median] = times.sort((a, b) => a - b).slice(5) as [number];
  console.log(`  save → running: median ${median} ms, most ${times.at(-1)} ms`);
  assert.ok(median < SAVE_MS, times.join(', '));
  it.say('quit');
  assert.is(await it.ended(), 0);
});

test('a broken save names the place and leaves the old version running', async (context) => {
  const it = dev(context);
  await it.sees(/version one is up/);
  writeFiles(context.dir, { 'src/main.ts': `${counter('two')}\nconst a = ;\n` });
  await it.sees(/src\/main\.ts:15:10/);
  await it.sees(/The version before runs on/);
  it.say('input 7');
  await it.sees(/out out \{"version":"one","number":7\}/);
});

test('a version that throws ends with the place; its messages wait for the next', async (context) => {
  const it = dev(context);
  await it.sees(/version one is up/);
  writeFiles(context.dir, { 'src/main.ts': 'const a: number = 1;\nthrow new Error(`no ${a}`);\n' });
  await it.sees(/ended \(1\): Error: no 1\n {4}at src\/main\.ts:2:7/);
  it.say('input 8');
  writeFiles(context.dir, { 'src/main.ts': counter('three') });
  await it.sees(/out out \{"version":"three","number":8\}/);
});

test('a version that cannot be built at the start, a loop, a rejection', async (context) => {
  writeFiles(context.dir, { 'src/main.ts': 'import "./gone.ts";\n' });
  const it = dev(context);
  await it.sees(/src\/main\.ts:1:7/);
  await it.sees(/Nothing runs/);
  writeFiles(context.dir, { 'src/main.ts': 'setTimeout(() => { for (;;); });\n' });
  // Whichever strikes first; the second knows the place.
  await it.sees(
    /ended \(137\): (One turn of its code used more than its 2000 ms of CPU|Its code was still running after 2000 ms\.\n {4}at src\/main\.ts:1:\d)/,
  );
  writeFiles(context.dir, { 'src/main.ts': '\nvoid Promise.reject(new Error("no"));\n' });
  await it.sees(/ended \(1\): Error: no\n {4}at src\/main\.ts:2:21/);
  writeFiles(context.dir, { 'src/main.ts': counter('four') });
  await it.sees(/version four is up/);
});

test('twin, methods, and words nobody knows', async (context) => {
  writeFiles(context.dir, { 'twin.json': '{"desired":{"limit":3}}' });
  const it = dev(context);
  await it.sees(/version one is up/);
  it.say('twin');
  await it.sees(/desired \{"limit":3\}/);
  it.say('desired {"limit":4}');
  await it.sees(/"limit":4/);
  it.say('method version');
  await it.sees(/version answered 200 "one"/);
  it.say('metod version');
  await it.sees(/did you mean method\?/);
  it.say('desired 5');
  await it.sees(/a patch is a JSON object/);
});

test('a breakpoint hits in the TypeScript source', async (context) => {
  const it = dev(context, '--inspect=0');
  const [, url] = await it.sees(/Debugger listening on (ws:\S+)/);
  await it.sees(/version one is up/);
  const inspector = await openInspector(url as string);
  await inspector.call('Debugger.enable');
  await inspector.breakAt('main.ts', 8);
  it.say('input 5');
  assert.is(await inspector.paused(), 'main.ts:8');
  await inspector.call('Debugger.resume');
  await it.sees(/out out \{"version":"one","number":5\}/);
  // The next version is another script of the same process.
  writeFiles(context.dir, { 'src/main.ts': counter('two') });
  await it.sees(/version two is up/);
  inspector.close();
  it.say('quit');
  assert.is(await it.ended(), 0);
});

test('exec --inspect-brk stops at the first line, and goes on to the end', async (context) => {
  writeFiles(context.dir, {
    'once.ts': 'interface A { a: 1 }\nconst a: A = { a: 1 };\nconsole.log("a", a.a);\n',
  });
  const it = start(context.dir, 'exec', 'once.ts', '--inspect-brk=0');
  context.running.push(it);
  const [, url] = await it.sees(/Debugger listening on (ws:\S+)/);
  const inspector = await openInspector(url as string);
  await inspector.call('Debugger.enable');
  await inspector.call('Runtime.runIfWaitingForDebugger');
  await inspector.event('Debugger.paused');
  await inspector.breakAt('once.ts', 3);
  await inspector.call('Debugger.resume');
  assert.is(await inspector.paused(), 'once.ts:3');
  await inspector.call('Debugger.resume');
  await it.sees(/a 1\n/);
  inspector.close();
  assert.is(await it.ended(), 0);
});

test.run();
