/** Tries to learn of the host, or to reach it, through errors and their stacks. */
import * as assert from 'uvu/assert';
import { type Try, tryAll } from './tries.ts';

/** Whatever a module writes into its reason, so much of it is told. */
const REASON_LENGTH_MAX = 16_384;

const raw: readonly Try[] = [
  {
    name: 'the frames below the door',
    gains: 'the host’s file names, and its functions as values',
    code: `Error.prepareStackTrace = (error, sites) => sites;
      const sites = await new Promise((resolve) => isolet.on(() => resolve(new Error().stack)));
      const files = new Set(sites.map((one) => one.getFileName() ?? one.getEvalOrigin() ?? null));
      const things = sites.flatMap((one) => [one.getFunction(), one.getThis(), one.getTypeName()]);
      return [[...files].sort(), things.some((one) => typeof one === 'function'), things.map(host).filter((one) => one === 'function' || one === 'object')];`,
    gets: [['file:///isolet/prelude.js', 'file:///spy/main.js'], false, []],
  },
  {
    name: 'the error of what cannot cross',
    gains: 'an error made by the host: its constructor’s constructor is the host’s Function',
    code: `const odd = [Symbol('x'), new Proxy({}, {}), () => 1, new WeakMap(), Promise.resolve(), { a: { b: () => 1 } }, new Proxy(new Uint8Array(4), {})];
      return odd.map((one) => {
        try { isolet.rawOutbox('', one, '', -1); return 'crossed'; }
        catch (error) { return [error.constructor === TypeError, host(error), error.stack.includes('main.ts')].join(); }
      });`,
    gets: Array.from({ length: 7 }, () => 'true,ReferenceError,false'),
  },
  {
    name: 'no stack left at the border',
    gains: 'a RangeError thrown in the host’s realm (how others were broken out of)',
    code: `let caught, calls = 0;
      const deep = () => { try { deep(); } catch (error) { try { if (calls++ < 1000) isolet.rawOutbox('', undefined, '', -1); } catch (inner) { caught ??= inner; } throw error; } };
      try { deep(); } catch (error) { caught ??= error; }
      return [caught instanceof RangeError, caught.constructor === RangeError, host(caught)];`,
    gets: [true, true, 'ReferenceError'],
  },
  {
    name: 'no stack left in the door',
    gains: 'an error of isolated-vm with the host behind it',
    code: `const { events } = await event();
      const far = () => { try { return far(); } catch (error) { return error; } };
      const error = far();
      return [events.length, error.constructor === RangeError, host(error)];`,
    gets: [1, true, 'ReferenceError'],
  },
  {
    name: 'captureStackTrace on the outbox and on the boot’s data',
    gains: 'a stack from the moment the host made them',
    code: `const seen = [isolet.rawOutbox, isolet.boot, isolet].map((one) => { Error.captureStackTrace(one); return one.stack.includes('file:///spy/') && !one.stack.includes('main.ts'); });
      return seen;`,
    gets: [true, true, true],
  },
  {
    name: 'a stack that is not text',
    gains: 'the host’s own code fails while it reads the reason, and dies',
    whole: true,
    code: `const error = new Error('x'); error.stack = { indexOf() { return 0; } }; throw error;`,
    ends: { cause: 'error', reason: /^Error: x$/ },
  },
  {
    name: 'a stack that throws when it is read',
    gains: 'code of ours under the host’s feet',
    whole: true,
    code: `const error = new Error('x'); Object.defineProperty(error, 'stack', { get() { throw 1; } }); throw error;`,
    ends: { cause: 'error', reason: /^Error: x$/ },
  },
  {
    name: 'a stack made of call sites',
    gains: 'objects where the host expects text',
    whole: true,
    code: `Error.prepareStackTrace = (error, sites) => sites; throw new Error('y');`,
    ends: { cause: 'error', reason: /^Error: y$/ },
  },
  {
    name: 'a proxy thrown',
    gains: 'traps that run while the host looks at it',
    whole: true,
    code: `throw new Proxy(new Error('p'), { get() { isolet.rawOutbox('', undefined, '', -1); return 5; }, getPrototypeOf() { return null; } });`,
    ends: { cause: 'error', reason: /^5: 5$/ },
  },
  {
    name: 'an object that says how it is to be inspected',
    gains: 'a call from the host’s inspect, with its options and itself as arguments',
    whole: true,
    code: `const error = new Error('i'); error[Symbol.for('nodejs.util.inspect.custom')] = (depth, options, inspect) => inspect.constructor('return process')().pid; throw error;`,
    ends: { cause: 'error', reason: /^Error: i\n {4}at file:\/\/\/spy\/main\.js/ },
  },
  {
    name: 'a reason of many megabytes',
    gains: 'the supervisor’s memory, its database and its log full of it',
    whole: true,
    code: `throw new Error('x'.repeat(8e6));`,
    ends: { cause: 'error', reason: /^Error: x+$/ },
    check: ({ endings }) => assert.ok((endings[0]?.reason.length ?? 0) <= REASON_LENGTH_MAX),
  },
  {
    name: 'a reason grown by its source map',
    gains: 'the same, past the host’s own cut: the supervisor puts the names of sources in',
    whole: true,
    code: `throw new Error('m' + ' file:///spy/main.js:1:1'.repeat(400));`,
    start: {
      sourceMap: JSON.stringify({
        version: 3,
        sources: ['x'.repeat(2_000_000)],
        names: [],
        mappings: 'AAAA',
      }),
    },
    ends: { cause: 'error', reason: /^Error: m/ },
    check: ({ endings }) => assert.ok((endings[0]?.reason.length ?? 0) <= REASON_LENGTH_MAX),
  },
  {
    name: 'a source map that is no map',
    gains: 'an error in the supervisor while it reads it',
    whole: true,
    code: `throw new Error('q');`,
    start: {
      sourceMap: JSON.stringify({ version: 3, sources: [{ toString: 1 }], mappings: 'AAAA' }),
    },
    ends: { cause: 'error', reason: /^Error: q/ },
  },
  {
    name: 'the marker of the border in a stack',
    gains: 'frames of the host behind a forged marker, or a cut that shows what is after it',
    whole: true,
    code: `Error.prepareStackTrace = () => 'x\\n    at (<isolated-vm boundary>)\\nseen\\n    at (<isolated-vm boundary>)'; throw new Error('b');`,
    ends: { cause: 'error', reason: /^(x|Error: b)$/ },
  },
  {
    name: 'a stack without an end',
    gains: 'the frames of the host below our own',
    whole: true,
    code: `Error.stackTraceLimit = Infinity; const deep = (n) => { if (n === 0) throw new Error('deep'); deep(n - 1); }; deep(300);`,
    ends: {
      cause: 'error',
      reason: /^Error: deep(\n {4}at (deep \()?file:\/\/\/spy\/main\.js:\d+:\d+\)?)+$/,
    },
  },
  {
    name: 'a rejection nobody takes, with something strange',
    gains: 'the same by the way of promises: text of isolated-vm’s, or its objects',
    whole: true,
    code: `isolet.on(() => { Promise.reject({ then() {}, stack: 1 }); });`,
    ends: { cause: 'error', reason: /^(?!.*\.(cc|node|ts))/ },
  },
];

const sdk: readonly Try[] = [
  {
    name: 'the functions of the prelude on the stack',
    gains: 'what it keeps to itself: flush, the border, the outbox as an argument',
    code: `const sites = [];
      Error.prepareStackTrace = (error, frames) => { sites.push(...frames); return ''; };
      const look = () => new Error().stack;
      const client = await sdk.ModuleClient.fromEnvironment(sdk.Mqtt);
      await new Promise((resolve) => client.on('inputMessage', () => { look(); resolve(); }));
      await new Promise((resolve) => setTimeout(() => { look(); resolve(); }, 1));
      seam.nextTick(look);
      process.emit('x', look());
      const map = Map.prototype.get; Map.prototype.get = function (key) { look(); return Reflect.apply(map, this, [key]); };
      Object.defineProperty(Object.prototype, 'toJSON', { value() { look(); return 1; }, configurable: true });
      seam.request({ t: 'answer', id: 1, status: 200, payload: {} });
      delete Object.prototype.toJSON;
      return [sites.length > 10, sites.map((one) => one.getFunction()).filter((one) => one !== undefined && !String(one.name).startsWith('$')).length, sites.filter((one) => typeof one.getThis() === 'object').length];`,
    gets: [true, 0, 0],
  },
  {
    name: 'the builtin behind the reduced ArrayBuffer',
    gains: 'the constructor that makes resizable buffers, which no limit counts',
    code: `let found;
      Error.prepareStackTrace = (error, frames) => frames;
      new ArrayBuffer({ valueOf() { found = new Error().stack.map((one) => one.getFunction()); return 8; } });
      return found.filter((one) => one !== undefined).length;`,
    gets: 0,
  },
  {
    name: 'the error of a refused file',
    gains: 'where on the device the runtime keeps the module’s files',
    code: `const error = await sdk.files.readFile('/data/../outside/secret').catch((one) => one);
      return [Object.keys(error).sort(), error.message, host(error)];`,
    gets: [
      ['code', 'message', 'path', 'syscall'],
      "EACCES: not below a directory granted to this module, open '/data/../outside/secret'",
      'ReferenceError',
    ],
  },
  {
    name: 'uncaught errors through the seam',
    gains: 'the prelude’s own error handling, with an object of ours in it',
    code: `process.on('uncaughtException', () => {});
      const strange = [null, undefined, Symbol('x'), new Proxy({}, { get() { throw 1; } }), { get stack() { throw 2; } }, Object.create(null)];
      for (const one of strange) seam.uncaught(one, 'uncaughtException');
      return strange.length;`,
    gets: 6,
  },
];

tryAll('errors at the border', 'raw', raw).run();
tryAll('errors of a real module', 'sdk', sdk).run();
