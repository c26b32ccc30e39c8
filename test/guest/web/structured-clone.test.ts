/** structuredClone: the same copies as Node's of any data, and what can be no copy; MessageChannel, which needs it. */
import { deepStrictEqual } from 'node:assert';
import { inspect } from 'node:util';
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { structuredClone as guestClone } from '../../../src/guest/world/structured-clone.ts';
import { inGuest } from './in-guest.ts';

const test = suite('structured clone');

const deep = { depth: 9, compact: true, showHidden: false } as const;

test('any data, as Node copies it', () => {
  const anything = fc.anything({
    withBigInt: true,
    withBoxedValues: true,
    withDate: true,
    withMap: true,
    withSet: true,
    withObjectString: true,
    withSparseArray: true,
    withTypedArray: true,
    withNullPrototype: true,
  });
  fc.assert(
    fc.property(anything, (value) => {
      const copy = guestClone(value);
      const nodes = structuredClone(value);
      deepStrictEqual(copy, nodes);
      assert.is(inspect(copy, deep), inspect(nodes, deep));
    }),
    { numRuns: 2000 },
  );
});

test('what fast-check does not make', () => {
  const cyclic: Record<string, unknown> = {
    list: Object.assign(Array(3), { 1: 5 }),
    map: new Map(),
    set: new Set(),
  };
  cyclic['self'] = cyclic;
  (cyclic['map'] as Map<unknown, unknown>).set(cyclic, cyclic);
  (cyclic['set'] as Set<unknown>).add(cyclic['map']);
  const buffer = new ArrayBuffer(16);
  const named = Object.assign([1, 2], { name: 'list' });
  const error = Object.assign(new RangeError('far', { cause: { at: 1 } }), { code: 'X' });
  class Pump {
    readonly running = true;
    #secret = 1;
    get secret(): number {
      return this.#secret;
    }
  }
  const own = Object.assign(new TypeError('x'), { name: 'URIError' });
  const values: unknown[] = [
    cyclic,
    [new Uint16Array(buffer, 2, 3), new DataView(buffer, 4, 8), buffer],
    named,
    error,
    own,
    new AggregateError([1], 'several'),
    Object.assign(/a(b)/giu, { lastIndex: 2 }),
    new Pump(),
    Object.create({ inherited: 1 }, { own: { value: 2, enumerable: true }, hidden: { value: 3 } }),
    JSON.parse('{"__proto__": {"a": 1}, "constructor": 2}'),
    {
      get now() {
        return 5;
      },
      [Symbol('not')]: 1,
    },
    [Object(1n), Object('text'), Object(false), Object(-0), new Date(Number.NaN)],
    [-0, Number.NaN, undefined, null, 2n ** 70n, '\ud800'],
    new Float16Array([1.5, -0]),
    new BigUint64Array([1n]),
  ];
  for (const value of values) {
    const [copy, nodes] = [guestClone(value), structuredClone(value)];
    deepStrictEqual(copy, nodes);
    assert.is(inspect(copy, deep), inspect(nodes, deep));
    if (typeof value === 'object') assert.ok(copy !== value);
  }
  const both = { one: buffer, other: buffer };
  const twice = guestClone(both);
  assert.is(twice.one, twice.other);
});

test('what is transferred moves, and only when all goes well', () => {
  const buffer = Uint8Array.of(1, 2, 3, 4).buffer;
  const value = {
    view: new Uint8Array(buffer, 1, 2),
    map: new Map<unknown, unknown>([
      [1, 2],
      [buffer, buffer],
      [3, 4],
    ]),
    set: new Set([0, buffer, 1]),
    list: [buffer],
  };
  assert.throws(() => guestClone([value, () => {}], { transfer: [buffer] }), 'could not be cloned');
  assert.is(buffer.detached, false);
  const copy = guestClone(value, { transfer: [buffer] });
  assert.is(buffer.detached, true);
  const moved = copy.list[0] as ArrayBuffer;
  assert.is(copy.view.buffer, moved);
  assert.equal([...copy.view], [2, 3]);
  assert.equal(
    [...copy.map.keys()].map((key) => key === moved),
    [false, true, false],
  );
  assert.is(copy.map.get(moved), moved);
  assert.equal(
    [...copy.set].map((item) => item === moved),
    [false, true, false],
  );
  assert.is(guestClone(moved, { transfer: [moved] }).byteLength, 4);
  assert.is(moved.byteLength, 0);
});

test('buffers that grow, and views that follow them', async () => {
  const told = await inGuest(() => {
    const buffer = new ArrayBuffer(16, { maxByteLength: 64 });
    const [whole, part] = [new Uint16Array(buffer, 2), new Uint16Array(buffer, 2, 3)];
    whole[0] = 7;
    const copy = structuredClone({ buffer, whole, part, view: new DataView(buffer) });
    copy.buffer.resize(32);
    const lengths = [copy.whole.length, copy.part.length, copy.view.byteLength, copy.whole[0]];
    const moved = structuredClone(whole, { transfer: [buffer] });
    moved.buffer.resize(64);
    const short = new ArrayBuffer(8, { maxByteLength: 8 });
    const beyond = [new Uint8Array(short, 4, 4), new DataView(short, 4, 4)];
    short.resize(4);
    const refused = beyond.map((view) => {
      try {
        return structuredClone(view).byteLength;
      } catch (error) {
        return (error as Error).name;
      }
    });
    return [lengths, buffer.detached, moved.length, moved.buffer.maxByteLength, refused];
  });
  assert.equal(told, [[15, 3, 32, 7], true, 31, 64, ['DataCloneError', 'DataCloneError']]);
});

test('what cannot be cloned', async () => {
  const errors = await inGuest(async () => {
    const attempts: [unknown, unknown?][] = [
      [() => {}],
      [Symbol('s')],
      [{ deep: [Symbol('s')] }],
      [Object(Symbol('s'))],
      [Promise.resolve()],
      [new WeakMap()],
      [new WeakSet()],
      [new WeakRef({})],
      [(function* () {})()],
      [new Map().entries()],
    ];
    const twice = new ArrayBuffer(1);
    attempts.push([1, [twice, twice]]);
    const gone = new ArrayBuffer(1);
    structuredClone(gone, { transfer: [gone] });
    attempts.push([gone], [1, [gone]], [new DataView(new ArrayBuffer(1)), [gone]]);
    const names = attempts.map(([value, transfer]) => {
      try {
        structuredClone(value, { transfer: transfer as [] });
        return 'cloned';
      } catch (error) {
        const { name, code } = error as DOMException;
        return error instanceof DOMException ? `${name} ${code}` : name;
      }
    });
    const types = [
      () => (structuredClone as () => void)(),
      () => structuredClone(1, 5 as never),
      () => structuredClone(1, { transfer: [1] as never }),
      () => structuredClone(1, { transfer: 1 as never }),
    ].map((run) => {
      try {
        run();
        return 'cloned';
      } catch (error) {
        return (error as Error).name;
      }
    });
    const exception = structuredClone(new DOMException('m', 'AbortError'));
    const full = structuredClone(new QuotaExceededError('full', { quota: 1, requested: 2 }));
    return {
      names: [...new Set(names)],
      types: [...new Set(types)],
      copy: [exception instanceof DOMException, exception.name, exception.message, exception.code],
      full: [full instanceof QuotaExceededError, full.message, full.quota, full.requested],
    };
  });
  assert.equal(errors, {
    names: ['DataCloneError 25'],
    types: ['TypeError'],
    copy: [true, 'AbortError', 'm', 20],
    full: [true, 'full', 1, 2],
  });
});

test('what arrived before a port was closed is delivered', async () => {
  const seen = await inGuest(async () => {
    const log: unknown[] = [];
    const { port1, port2 } = new MessageChannel();
    const closed = new Promise((resolve) => port2.addEventListener('close', resolve));
    port1.onmessage = (event: MessageEvent) => {
      log.push(event.data);
      port1.close();
    };
    port2.postMessage(1);
    port2.postMessage(2);
    await closed;
    port2.postMessage(3);
    await new Promise((resolve) => setTimeout(resolve, 2));
    return log;
  });
  assert.equal(seen, [1, 2]);
});

test('messages through a channel, in order, later, and moved', async () => {
  const seen = await inGuest(async () => {
    const log: unknown[] = [];
    const { port1, port2 } = new MessageChannel();
    const done = Promise.withResolvers<void>();
    const bytes = Uint8Array.of(7);
    port1.postMessage({ a: 1 });
    port1.postMessage(bytes, [bytes.buffer]);
    log.push(bytes.length, port2.onmessage);
    port2.addEventListener('message', (event) => {
      const { data, ports, isTrusted, target } = event as MessageEvent;
      log.push([data, ports.length, isTrusted, target === port2]);
      if (ports.length === 0) return;
      const [port] = ports as readonly MessagePort[];
      port?.postMessage('through a moved port');
    });
    port2.start();
    const inner = new MessageChannel();
    inner.port1.onmessage = (event: MessageEvent) => {
      log.push(event.data);
      port2.addEventListener('close', () => done.resolve());
      port1.close();
      port1.postMessage('lost');
    };
    port1.postMessage('take this', { transfer: [inner.port2] });
    log.push('sent');
    try {
      port1.postMessage(0, [port1]);
    } catch (error) {
      log.push((error as Error).name);
    }
    try {
      Reflect.construct(MessagePort, []);
    } catch (error) {
      log.push((error as Error).name);
    }
    await done.promise;
    return log;
  });
  assert.equal(seen, [
    0,
    null,
    'sent',
    'DataCloneError',
    'TypeError',
    [{ a: 1 }, 0, true, true],
    [{ 0: 7 }, 0, true, true],
    ['take this', 1, true, true],
    'through a moved port',
  ]);
});

test.run();
