/**
 * Tries to poison what the runtime uses: prototypes, globals, iteration. The module’s own realm is its to
 * spoil; the prelude’s frames, the neighbour and the host must not notice.
 */
import * as assert from 'uvu/assert';
import type { Told } from '../../contracts/module-host.ts';
import { input } from '../../contracts/module-host.ts';
import { type Try, tryAll } from './tries.ts';

const polluting = JSON.parse(
  '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"a":{"__proto__":{"polluted":1}}}',
) as never;

/** The message the SDK sends after the poison went out as it should. */
function sentRight({ requests, bodies }: Told): void {
  const index = requests.findIndex((one) => one.t === 'send');
  const { call: _its, ...send } = requests[index] as never as Record<string, unknown>;
  assert.equal(send, { t: 'send', output: 'out', p: { unit: 'C' }, s: {}, b: 'poison' });
  assert.is(Buffer.from(bodies[index] as Uint8Array).toString(), 'poison');
}

/** `code` spoils something; then the SDK, made before, sends a message. */
const poison = (name: string, code: string): Try => ({
  name: `${name}, then a message`,
  gains:
    'a frame with parts of ours that the SDK did not write, or a call of ours from inside the prelude with its things',
  code: `const client = await sdk.ModuleClient.fromEnvironment(sdk.Mqtt);
    await client.open();
    const message = new sdk.Message('poison');
    message.properties.add('unit', 'C');
    let seen = 0;
    const outsider = (value) => { if (typeof value === 'function' && host(value) !== 'ReferenceError') seen++; };
    ${code}
    client.sendOutputEvent('out', message, () => {});
    return seen;`,
  gets: 0,
  check: sentRight,
});

const sdk: readonly Try[] = [
  poison(
    'toJSON on every prototype',
    `for (const one of [Object, Array, String, Number, Boolean, Function]) one.prototype.toJSON = () => ({ t: 'twin', call: 1, module: 'neighbour' });`,
  ),
  poison(
    'JSON replaced',
    `JSON.stringify = () => '{"t":"twin","call":1}'; JSON.parse = () => ({}); globalThis.JSON = {};`,
  ),
  poison(
    'setters for fields of requests on Object.prototype',
    `for (const name of ['call', 'b', 'p', 's', 'output', 'then', 'get', 'set', 'value', 'writable'])
       Object.defineProperty(Object.prototype, name, { __proto__: null, get() { return undefined; }, set(value) { outsider(value); }, configurable: true });`,
  ),
  poison(
    'array indices and push',
    `Object.defineProperty(Array.prototype, '0', { set(value) { outsider(value); }, get() { return undefined; }, configurable: true });
     Array.prototype.push = function (value) { outsider(value); return 0; }; Array.prototype.join = () => 'x';`,
  ),
  poison(
    'Promise.prototype.then and Promise itself',
    `Promise.prototype.then = function (done) { outsider(done); return this; }; Promise.resolve = () => ({}); globalThis.Promise = class {};`,
  ),
  poison(
    'call, apply and bind of functions',
    `Function.prototype.call = Function.prototype.apply = Function.prototype.bind = function (that, ...rest) { outsider(this); for (const one of rest) outsider(one); };`,
  ),
  poison(
    'Map and Set methods',
    `for (const Class of [Map, Set, WeakMap]) for (const name of ['get', 'set', 'has', 'delete', 'add'])
       Class.prototype[name] = function (...rest) { for (const one of [this, ...rest]) outsider(one); return undefined; };`,
  ),
  poison(
    'Reflect and Object functions',
    `Object.keys = () => ['t']; Object.defineProperty = () => {}; Object.create = () => ({}); Object.entries = () => []; Reflect.apply = (one) => outsider(one); Object.freeze = outsider;`,
  ),
  poison(
    'Math, Number and the clocks',
    `Math.max = Math.min = Math.round = () => ({ valueOf: () => 1 }); globalThis.Number = () => 'x'; globalThis.BigInt = () => 'x'; Date.now = () => ({}); Temporal.Now.instant = () => ({}); Math.max = () => 7;`,
  ),
  poison(
    'typed arrays and encoders',
    `globalThis.Uint8Array = class { constructor(value) { outsider(value); } }; Buffer.from = outsider; TextEncoder.prototype.encode = () => new Float64Array(1);`,
  ),
  poison(
    'instanceof by Symbol.hasInstance',
    `for (const Class of [Error, Array, Date]) Object.defineProperty(Class, Symbol.hasInstance, { value(one) { outsider(one); return true; } });`,
  ),
  poison(
    'text methods and regular expressions',
    `String.prototype.slice = () => '"}],['; String.prototype.replace = () => '"'; String.prototype.replaceAll = () => '"'; String.prototype.isWellFormed = () => false; RegExp.prototype.exec = function () { return null; }; RegExp.prototype[Symbol.replace] = () => '"';`,
  ),
  poison(
    'an emitter whose emit is ours',
    `client.emit = (...rest) => { for (const one of rest) outsider(one); }; Object.getPrototypeOf(sdk.ModuleClient.prototype).emit = client.emit;`,
  ),
  poison(
    'a frozen world',
    `for (const one of [Object, Array, Function, Promise, Map, String]) Object.freeze(one.prototype); Object.preventExtensions(globalThis);`,
  ),
  {
    name: 'poison before the SDK reads its events',
    gains: 'a hand in the events of the runtime: replies, method calls, other listeners',
    code: `const seen = [];
      JSON.parse = (text) => { seen.push(text); return []; };
      Object.defineProperty(Object.prototype, 't', { set(value) { seen.push(value); }, configurable: true });
      const client = await sdk.ModuleClient.fromEnvironment(sdk.Mqtt);
      const text = await new Promise((resolve) => client.on('inputMessage', (name, message) => resolve(message.getBytes().toString())));
      return [text, seen];`,
    gets: ['hello', []],
  },
  {
    name: 'a desired patch with __proto__',
    gains:
      'Object.prototype of the module by way of the hub: a way from whoever writes twins into code',
    code: `const client = await sdk.ModuleClient.fromEnvironment(sdk.Mqtt);
      const twin = await new Promise((resolve) => client.getTwin((error, one) => resolve(one)));
      const patch = await new Promise((resolve) => twin.on('properties.desired', resolve));
      return [{}.polluted === undefined, [].polluted === undefined, twin.properties.desired.polluted === undefined];`,
    events: [
      {
        t: 'reply',
        call: 1,
        value: { desired: { $version: 1, ...(polluting as object) }, reported: polluting },
      },
      { t: 'desired', patch: polluting },
    ],
    gets: [true, true, true],
  },
  {
    name: 'a method’s payload with __proto__',
    gains: 'the same by way of whoever calls the method',
    code: `const client = await sdk.ModuleClient.fromEnvironment(sdk.Mqtt);
      const payload = await new Promise((resolve) => client.onMethod('m', (request) => resolve(request.payload)));
      return [{}.polluted === undefined, payload.polluted === undefined, Object.keys(payload)];`,
    events: [{ t: 'method', id: 1, name: 'm', payload: polluting }],
    gets: [true, true, ['__proto__', 'constructor', 'a']],
  },
  {
    name: 'properties of a message named like methods of objects',
    gains: 'code that runs when the SDK or a receiver looks at them',
    code: `const client = await sdk.ModuleClient.fromEnvironment(sdk.Mqtt);
      const message = await new Promise((resolve) => client.on('inputMessage', (name, one) => resolve(one)));
      return [message.properties.getValue('toString'), String(message.properties) === '[object Object]', message.messageId];`,
    events: [
      input(1, 'x', {
        toString: 'a',
        hasOwnProperty: 'b',
        constructor: 'c',
        valueOf: 'd',
        then: 'e',
      }),
    ],
    gets: ['a', true, ''],
  },
  {
    name: '__proto__ written by the SDK',
    gains: 'a frame the supervisor merges into its own objects',
    code: `const client = await sdk.ModuleClient.fromEnvironment(sdk.Mqtt);
      const bad = JSON.parse('{"__proto__":{"polluted":1}}');
      const message = new sdk.Message('x'); message.properties.add('__proto__', 'x');
      const name = (promise) => promise.then(() => 'sent', (error) => error.name);
      return Promise.all([
        name(client.sendEvent(message)),
        name(client.invokeMethod('d', 'm', { methodName: 'n', payload: bad })),
      ]);`,
    gets: ['ArgumentError', 'ArgumentError'],
  },
  {
    name: 'the sender written by the SDK',
    gains: 'a message that says another module sent it',
    code: `const client = await sdk.ModuleClient.fromEnvironment(sdk.Mqtt);
      const message = new sdk.Message('poison'); message.properties.add('unit', 'C');
      for (const name of ['$.cmid', '$.cdid']) message.properties.add(name, 'neighbour');
      client.sendOutputEvent('out', message, () => {});
      return 'sent';`,
    gets: 'sent',
    check: sentRight,
  },
];

tryAll('prototypes', 'sdk', sdk).run();
