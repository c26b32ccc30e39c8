/**
 * Modules that take all they can (spec/isolates.md §9): each is ended in time and by name, and its
 * neighbour in the same host goes on, or is told 'host lost' and runs again in the next host.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { EndingCause, ModuleHost } from '../../src/core/ports.ts';
import { endOf, input, startNoting, startOf, type Told } from '../contracts/module-host.ts';
import { until } from '../fakes/within.ts';
import { guestPrograms } from './contract-programs.ts';
import { createTestHost } from './real-host.ts';

type Case = {
  readonly name: string;
  /** Runs at load, or on the first batch. */
  readonly at: 'load' | 'batch';
  readonly code: string;
  readonly causes: readonly EndingCause[];
};

const limits = { heapMb: 32, startMs: 800, turnMs: 500 };
/** Limit of CPU time, a crowded machine's share, the second a wedge is given, and the kill. */
const LIMIT_MS = 20_000;

const memory: readonly EndingCause[] = ['out of memory'];
const time: readonly EndingCause[] = ['out of time'];
const stuck: readonly EndingCause[] = ['wedged', 'out of memory', 'out of time'];

const cases: readonly Case[] = [
  { name: 'an endless loop', at: 'load', code: 'for (;;);', causes: time },
  { name: 'an endless loop', at: 'batch', code: 'for (;;);', causes: time },
  { name: 'an endless loop after an await', at: 'batch', code: 'await 0; for (;;);', causes: time },
  {
    name: 'an endless chain of microtasks',
    at: 'batch',
    code: 'const go = () => soon(go); const soon = (run) => { Promise.resolve().then(run); }; go();',
    causes: time,
  },
  {
    name: 'an endless chain of microtasks that flush',
    at: 'batch',
    code: `for (;;) { isolet.request([{ t: 'twin', call: 1 }]); await 0; await 0; await 0; }`,
    causes: ['out of time', 'error'],
  },
  {
    name: 'a regular expression that never ends',
    at: 'batch',
    code: `/^(a+)+$/.test('a'.repeat(40) + 'b');`,
    causes: time,
  },
  {
    name: 'a sleep without CPU',
    at: 'batch',
    code: 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);',
    causes: time,
  },
  {
    name: 'a string that doubles',
    at: 'batch',
    code: `const a = []; for (;;) a.push(JSON.stringify({ n: a.length, x: 'y'.repeat(1000) }));`,
    causes: memory,
  },
  {
    name: 'a map that grows',
    at: 'batch',
    code: 'const m = new Map(); for (let i = 0; ; i++) m.set(i, { i });',
    causes: [...memory, ...time],
  },
  {
    name: 'a leak over many turns',
    at: 'batch',
    code: `const a = []; const leak = () => { for (let i = 0; i < 2e4; i++) a.push({ i, s: 'x' + i }); isolet.after(1, leak); }; leak();`,
    causes: memory,
  },
  {
    name: 'arrays of arrays',
    at: 'batch',
    code: 'const a = []; for (;;) a.push(new Array(100).fill(1.5));',
    causes: memory,
  },
  { name: 'one giant array', at: 'batch', code: 'Array(1e8).fill(0);', causes: stuck },
  { name: 'one giant array', at: 'load', code: 'Array(1e8).fill(0);', causes: stuck },
  {
    name: 'a search that cannot be interrupted',
    at: 'batch',
    code: 'new Array(2 ** 32 - 1).indexOf(5);',
    causes: stuck,
  },
  {
    name: 'a number without end',
    at: 'batch',
    code: 'let n = 3n; for (;;) n = n * n;',
    causes: [...stuck, 'error'],
  },
  {
    name: 'memory no heap counts',
    at: 'batch',
    code: `const all = []; const grow = () => {
      const b = new ArrayBuffer(0, { maxByteLength: 64e6 }); b.resize(64e6);
      new Uint8Array(b).fill(1); all.push(b); isolet.after(1, grow); }; grow();`,
    causes: memory,
  },
  {
    name: 'WebAssembly memory',
    at: 'batch',
    code: `const all = []; const grow = () => {
      const m = new WebAssembly.Memory({ initial: 256 });
      new Uint8Array(m.buffer).fill(1); all.push(m); isolet.after(1, grow); }; grow();`,
    causes: memory,
  },
  {
    name: 'recursion',
    at: 'batch',
    code: 'const f = (n) => 1 + f(n + 1); f(0);',
    causes: ['error'],
  },
  { name: 'a throw', at: 'load', code: `throw new TypeError('no')`, causes: ['error'] },
  {
    name: 'a rejected top-level await',
    at: 'load',
    code: `await 0; throw new Error('late')`,
    causes: ['error'],
  },
  { name: 'an import', at: 'load', code: `import 'node:fs';`, causes: ['error'] },
  { name: 'a syntax error', at: 'load', code: 'const = 1;', causes: ['error'] },
];

const test = suite<{ host: ModuleHost }>('containment');
test.before((context) => {
  context.host = createTestHost();
});
test.after(({ host }) => host.stop());

for (const { name, at, code, causes } of cases) {
  test(`${name} at ${at}`, async ({ host }) => {
    const neighbour = startNoting(host, { module: 'neighbour', code: guestPrograms.echo });
    await startOf(neighbour);
    const culprit = startNoting(host, {
      module: 'culprit',
      code: at === 'load' ? code : `isolet.on(async () => { ${code} });`,
      limits,
    });
    if (at === 'batch') {
      await startOf(culprit);
      culprit.running.post([input(1, 'go')], [undefined]);
    }
    const began = performance.now();
    const ending = await endOf(culprit, LIMIT_MS);
    const tookMs = Math.round(performance.now() - began);
    if (process.env['NARRATE'])
      console.log(`${name} at ${at}: ${tookMs} ms`, JSON.stringify(ending));
    assert.ok(causes.includes(ending.cause), `${ending.cause}: ${ending.reason}`);
    assert.is(ending.exitCode, ending.cause === 'error' ? 1 : 137);
    await goesOn(host, neighbour, ending.tookHost === true);
    assert.is(culprit.endings.length, 1);
  });
}

async function goesOn(host: ModuleHost, neighbour: Told, lost: boolean): Promise<void> {
  if (lost) {
    const ending = await endOf(neighbour);
    assert.is(ending.cause, 'host lost');
    assert.is(ending.exitCode, 137);
    const again = startNoting(host, { module: 'neighbour', code: guestPrograms.echo });
    return goesOn(host, again, false);
  }
  neighbour.running.post([input(1, 'there?')], [undefined]);
  await until(LIMIT_MS, 'the neighbour answers', () =>
    neighbour.requests.some((one) => one.t === 'ack'),
  );
  await neighbour.running.stop();
  assert.is(neighbour.endings[0]?.cause, 'stopped');
}

test.run();
