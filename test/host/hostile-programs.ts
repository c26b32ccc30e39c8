/**
 * Modules that take all they can (spec/isolates.md §9), for the tests of the host alone and of a whole
 * device. Each may use `later(run)`: run this in a turn of its own, soon.
 */
import type { EndingCause } from '../../src/core/ports.ts';

export type HostileProgram = {
  readonly name: string;
  /** Runs at load, or in a later turn. */
  readonly at: 'load' | 'batch';
  readonly code: string;
  readonly causes: readonly EndingCause[];
  /** Only the host alone knows it (the border's own words, what is no bundle), or only a device (the SDK, many timers). */
  readonly only?: 'host' | 'device';
};

const memory: readonly EndingCause[] = ['out of memory'];
const time: readonly EndingCause[] = ['out of time'];
const stuck: readonly EndingCause[] = ['wedged', 'out of memory', 'out of time'];

export const hostilePrograms: readonly HostileProgram[] = [
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
    only: 'host',
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
    code: `const a = []; const leak = () => { for (let i = 0; i < 2e4; i++) a.push({ i, s: 'x' + i }); later(leak); }; leak();`,
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
      new Uint8Array(b).fill(1); all.push(b); later(grow); }; grow();`,
    causes: memory,
  },
  {
    name: 'WebAssembly memory',
    at: 'batch',
    code: `const all = []; const grow = () => {
      const m = new WebAssembly.Memory({ initial: 256 });
      new Uint8Array(m.buffer).fill(1); all.push(m); later(grow); }; grow();`,
    causes: memory,
  },
  {
    name: 'memory that is shared',
    at: 'batch',
    code: `const all = []; const grow = () => {
      const b = new SharedArrayBuffer(0, { maxByteLength: 64e6 }); b.grow(64e6);
      new Uint8Array(b).fill(1); all.push(b); later(grow); }; grow();`,
    causes: [...memory, 'error'],
  },
  {
    name: 'a huge JSON text',
    at: 'batch',
    code: "const text = '[' + '[1],'.repeat(3e6) + '0]'; const all = []; for (;;) all.push(JSON.parse(text));",
    causes: stuck,
  },
  {
    name: 'formats without end',
    at: 'batch',
    code: "const all = []; for (;;) all.push(new Intl.NumberFormat('de-DE', { style: 'currency', currency: 'EUR' }));",
    causes: [...stuck, 'error'],
  },
  {
    name: 'a set that grows',
    at: 'batch',
    code: 'const s = new Set(); for (let i = 0; ; i++) s.add(i);',
    causes: [...memory, ...time, 'error'],
  },
  {
    name: 'a sort that cannot be interrupted',
    at: 'batch',
    code: 'const a = []; a[4e9] = 1; a.sort();',
    causes: [...stuck, 'error'],
  },
  {
    name: 'ten thousand timers that are busy',
    at: 'batch',
    code: 'for (let i = 0; i < 1e4; i++) later(() => { for (let j = 0; j < 1e8; j++); });',
    causes: time,
    only: 'device',
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
  { name: 'an import', at: 'load', code: `import 'node:fs';`, causes: ['error'], only: 'host' },
  { name: 'a syntax error', at: 'load', code: 'const = 1;', causes: ['error'], only: 'host' },
];
