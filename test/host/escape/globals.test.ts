/** Tries to find Node, the host or the way in through what lies about in an isolate. */
import * as assert from 'uvu/assert';
import { canaries, secretIn, type Try, tryAll } from './tries.ts';

const raw: readonly Try[] = [
  {
    name: 'none: what is its own',
    gains: 'nothing; it shows that what a try gets is seen',
    code: `return [isolet.boot.env, await file('readFile', '/data/a.txt')];`,
    gets: [{ OWN: 'own' }, 'granted'],
  },
  {
    name: 'the constructor of the outbox',
    gains: 'Function of the host: any code in its realm, process and require',
    code: `const out = isolet.rawOutbox;
      return [host(out), host([out]), host(Object.getPrototypeOf(out)), host(isolet.boot)];`,
    gets: ['ReferenceError', 'ReferenceError', 'ReferenceError', 'ReferenceError'],
  },
  {
    name: 'what hangs on the outbox',
    gains: 'a Reference or a Callback object of isolated-vm, whose methods run in the host',
    code: `const out = isolet.rawOutbox;
      const names = [...Object.getOwnPropertyNames(out), ...Object.getOwnPropertySymbols(out)];
      return [names.sort(), Object.getPrototypeOf(out) === Function.prototype, typeof out.apply];`,
    gets: [['length', 'name'], true, 'function'],
  },
  {
    name: 'the outbox as a constructor, and with a this of ours',
    gains: 'an object made by the host, or its this',
    code: `const tried = (run) => { try { return typeof run(); } catch (error) { return error.name; } };
      const out = isolet.rawOutbox;
      return [
        tried(() => new out('', undefined, '', -1)),
        tried(() => Reflect.construct(Object, [], out).constructor === Object || 'x'),
        tried(() => out.call(new Proxy({}, {}), '', undefined, '', -1)),
        tried(() => out.caller), tried(() => out.arguments),
      ];`,
    gets: ['TypeError', 'TypeError', 'undefined', 'TypeError', 'TypeError'],
  },
  {
    name: 'the objects an event is made of',
    gains: 'the host’s Array or Uint8Array, and through them its Function',
    code: `const { events, bytes } = await event();
      return [host(events), host(events[0]), host(bytes), host(bytes.buffer), events.constructor === Array, bytes.buffer.constructor === ArrayBuffer];`,
    gets: ['ReferenceError', 'ReferenceError', 'ReferenceError', 'ReferenceError', true, true],
  },
  {
    name: 'every constructor of functions',
    gains: 'code outside strict mode whose this is the host’s global',
    code: `const makers = [function () {}, async () => {}, function* () {}, async function* () {}].map((one) => one.constructor);
      const text = '[typeof require, typeof process, typeof module, this === globalThis]';
      const [plain, later, one, many] = makers.map((Maker) => Maker(Maker.name.includes('Generator') ? 'yield ' + text : 'return ' + text)());
      return [plain, await later, one.next().value, (await many.next()).value].map(String);`,
    gets: Array.from({ length: 4 }, () => 'undefined,undefined,undefined,true'),
  },
  {
    name: 'eval, indirectly',
    gains: 'a global scope with Node’s names in it',
    code: `const names = ['process', 'require', 'module', 'exports', 'Buffer', 'global', 'ivm', 'fetch', 'WebSocket', 'navigator', 'setTimeout', 'importScripts', 'Deno'];
      return names.filter((name) => (0, eval)('typeof ' + name) !== 'undefined');`,
    gets: [],
  },
  {
    name: 'this without a receiver, and who called',
    gains: 'the frame of the host that called in, with its arguments',
    code: `const loose = new Function('return [this === globalThis, arguments.callee.caller, typeof arguments.callee.caller?.arguments]');
      return loose();`,
    gets: [true, null, 'undefined'],
  },
  {
    name: 'import of Node’s own modules',
    gains: 'files, processes and network of the host',
    code: `const names = ['node:fs', 'fs', 'node:child_process', 'node:process', 'isolated-vm', 'node:ffi', 'node:module'];
      return Promise.all(names.map((name) => import(name).then(() => 'in', String)));`,
    gets: Array.from({ length: 7 }, () => 'Error: Not supported'),
  },
  {
    name: 'import of addresses',
    gains: 'any file of the device as code or JSON, or code from the network',
    code: `const names = ['file:///etc/passwd', '/proc/self/environ', './main.ts', 'data:text/javascript,export default 1', 'http://127.0.0.1/', 'file:///neighbour/main.js', 'isolet:prelude'];
      return Promise.all(names.map((name) => import(name, { with: { type: 'json' } }).then(() => 'in', String)));`,
    gets: Array.from({ length: 7 }, () => 'Error: Not supported'),
  },
  {
    name: 'a static import',
    gains: 'the same before the first line runs',
    whole: true,
    code: `import fs from 'node:fs'; isolet.request([{ t: 'log', level: 'info', text: typeof fs }]);`,
    ends: {
      cause: 'error',
      reason: /^Error: The bundle imports "node:fs", but a bundle is one file/,
    },
  },
  {
    name: 'a static import of JSON',
    gains: 'a file of the device, if it happens to be JSON',
    whole: true,
    code: `import data from '/proc/self/status' with { type: 'json' };`,
    ends: { cause: 'error', reason: /imports "\/proc\/self\/status"/ },
  },
  {
    name: 'import.meta',
    gains: 'the path of the bundle, and a resolver with file access',
    code: `return [Object.keys(import.meta), typeof import.meta.resolve, typeof import.meta.url];`,
    gets: [[], 'undefined', 'undefined'],
  },
  {
    name: 'the boot function once more',
    gains: 'a second outbox, or a door of our own making that is called instead of the runtime’s',
    code: `const before = typeof globalThis.__isoletBoot;
      let calls = 0;
      globalThis.__isoletBoot = () => { calls++; return () => calls++; };
      await event();
      return [before, calls];`,
    gets: ['undefined', 0],
  },
  {
    name: 'V8’s own functions',
    gains: 'natives that read and write memory',
    code: `return ['%DebugPrint(1)', '%GetOptimizationStatus(x)', '%SystemBreak()'].map((text) => {
        try { new Function(text); return 'compiled'; } catch (error) { return error.name; } });`,
    gets: ['SyntaxError', 'SyntaxError', 'SyntaxError'],
  },
  {
    name: 'a debugger',
    gains: 'a pause nobody ends, or an inspector to speak to',
    code: `debugger; return [typeof console.context, typeof globalThis.inspector, console.profile?.(), console.memory ?? null];`,
    gets: ['function', 'undefined', null, null],
  },
  {
    name: 'other realms',
    gains: 'builtins nobody has reduced',
    code: `return ['ShadowRealm', 'Realm', 'gc', 'd8', 'load', 'read', 'readbuffer', 'quit', 'Worker', 'print', 'MessageChannel', 'BroadcastChannel'].filter((name) => globalThis[name] !== undefined);`,
    gets: [],
  },
  {
    name: 'a module that is a thenable',
    gains: 'the resolve function of the host’s own await',
    whole: true,
    code: `export const then = (resolve) => isolet.request([{ t: 'log', level: 'info', text: 'got ' + JSON.stringify(typeof resolve) }]);
      export default { then };
      isolet.after(50, () => isolet.request([{ t: 'log', level: 'info', text: 'got "nothing"' }]));`,
    gets: 'nothing',
  },
  {
    name: 'hooks on how the door is called',
    gains: 'the door’s own function and arguments, or the host’s realm as a receiver',
    code: `const seen = [];
      const hook = (owner, name) => { const old = owner[name]; Object.defineProperty(owner, name, { value(...rest) { seen.push(name); return Reflect.apply(old, this, rest); } }); };
      hook(Function.prototype, 'call'); hook(Function.prototype, 'apply'); hook(Function.prototype, 'bind');
      const { events } = await event();
      return [events.length, seen];`,
    gets: [1, []],
  },
  {
    name: 'getters on the global object for what a host might read',
    gains: 'a call with the host on the stack, or a value of ours where it expects its own',
    code: `const seen = [];
      for (const name of ['__isoletBoot', 'then', 'toJSON', 'constructor', 'exports', 'default', 'process'])
        Object.defineProperty(globalThis, name, { get() { seen.push(name); return undefined; }, configurable: true });
      await event();
      return seen;`,
    gets: [],
  },
];

const sdk: readonly Try[] = [
  {
    name: 'all names on the global object',
    gains: 'whatever was left lying about',
    code: `const V8 = 'Object Function Array Number parseFloat parseInt Infinity NaN undefined Boolean String Symbol Date Promise RegExp Error AggregateError EvalError RangeError ReferenceError SyntaxError TypeError URIError globalThis JSON Math Intl ArrayBuffer Atomics Uint8Array Int8Array Uint16Array Int16Array Uint32Array Int32Array BigUint64Array BigInt64Array Uint8ClampedArray Float32Array Float64Array Float16Array DataView Map BigInt Set Iterator WeakMap WeakSet Proxy Reflect FinalizationRegistry WeakRef decodeURI decodeURIComponent encodeURI encodeURIComponent escape unescape eval isFinite isNaN Temporal SuppressedError DisposableStack AsyncDisposableStack'.split(' ');
      return [...Object.getOwnPropertyNames(globalThis), ...Object.getOwnPropertySymbols(globalThis).map(String)].filter((name) => !V8.includes(name)).sort();`,
    gets: [
      'Buffer',
      'DOMException',
      'Symbol(isolet.treaty.1)',
      'TextDecoder',
      'TextEncoder',
      'atob',
      'btoa',
      'clearImmediate',
      'clearInterval',
      'clearTimeout',
      'console',
      'gc', // its name alone, see the next try
      'global',
      'performance',
      'process',
      'queueMicrotask',
      'sdk', // put there by this test
      'self',
      'setImmediate',
      'setInterval',
      'setTimeout',
      'structuredClone',
    ],
  },
  {
    name: 'V8’s collector',
    gains: 'a pause of the whole host at will, and its options read by native code',
    code: `'use strict';
      const tried = (run) => { try { run(); return 'done'; } catch (error) { return error.name; } };
      return [typeof gc, (0, eval)('typeof gc'), tried(() => { globalThis.gc = 1; }), tried(() => { delete globalThis.gc; }), typeof globalThis.gc];`,
    gets: ['undefined', 'undefined', 'TypeError', 'TypeError', 'undefined'],
  },
  {
    name: 'process, which looks like Node’s',
    gains: 'binding, dlopen, mainModule.require, kill: all of the host',
    code: `const names = 'binding _linkedBinding dlopen mainModule kill getBuiltinModule loadEnvFile execPath execve ppid report chdir umask setuid permission stdin openStdin _kill reallyExit config features title memoryUsage'.split(' ');
      return [names.filter((name) => process[name] !== undefined), process.pid, process.argv, host(process)];`,
    gets: [[], 1, ['isolet', 'spy'], 'ReferenceError'],
  },
  {
    name: 'process.env',
    gains: 'the environment of the supervisor, the host or the neighbour',
    code: `process.env.OWN = 'changed'; delete process.env.OWN; return [Object.keys(process.env), process.env.ISOLET_CANARY, process.env.MALLOC_ARENA_MAX, process.env.SECRET];`,
    gets: [[], null, null, null],
  },
  {
    name: 'the seam',
    gains: 'the outbox itself, behind the functions of the prelude',
    code: `const things = Object.values(seam);
      return [things.length > 8, things.filter((one) => typeof one === 'function' && host(one) !== 'ReferenceError').length, Object.getOwnPropertySymbols(seam).length];`,
    gets: [true, 0, 0],
  },
  {
    name: 'another seam in its place',
    gains: 'what the prelude hands to the SDK',
    code: `const own = Object.getOwnPropertyDescriptor(globalThis, Symbol.for('isolet.treaty.1'));
      try { globalThis[Symbol.for('isolet.treaty.1')] = {}; } catch (error) { return [own.writable, own.configurable, error.name]; }`,
    gets: [false, false, 'TypeError'],
  },
  {
    name: 'the body of a message',
    gains: 'the host’s realm through its buffer, or bytes of other messages in the same memory',
    code: `const client = await sdk.ModuleClient.fromEnvironment(sdk.Mqtt);
      const message = await new Promise((resolve) => client.on('inputMessage', (name, one) => resolve(one)));
      const { buffer } = message.getBytes();
      return [host(message), host(message.getBytes()), host(buffer), Buffer.from(buffer).toString().replaceAll('\\0', '')];`,
    gets: ['ReferenceError', 'ReferenceError', 'ReferenceError', 'hello'],
  },
];

const test = tryAll('globals at the border', 'raw', raw);

test('a secret that came out would be seen', () => {
  assert.is(process.env['ISOLET_CANARY'], canaries.supervisor, 'there is something to steal');
  const told = (text: string) => ({
    requests: [{ t: 'log', level: 'info', text } as const],
    bodies: [Buffer.from(text)],
    endings: [],
  });
  assert.is(secretIn(told('harmless')), undefined);
  for (const secret of Object.values(canaries)) assert.is(secretIn(told(`x${secret}x`)), secret);
  assert.ok(secretIn(told(import.meta.filename)) !== undefined);
});

test.run();
tryAll('globals of a real module', 'sdk', sdk).run();
