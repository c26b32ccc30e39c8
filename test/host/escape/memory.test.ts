/** Tries to get at memory: what no limit counts, what is shared, what others left behind. */
import { type Try, tryAll } from './tries.ts';

const sdk: readonly Try[] = [
  {
    name: 'WebAssembly by every name',
    gains: 'memory no heap limit counts, and native code of our own making',
    code: `const maker = (async () => {}).constructor;
      return [typeof WebAssembly, await maker('return typeof WebAssembly')(), (0, eval)('typeof WebAssembly'), 'WebAssembly' in globalThis, Object.getOwnPropertyNames(globalThis).includes('WebAssembly')];`,
    gets: ['undefined', 'undefined', 'undefined', false, false],
  },
  {
    name: 'SharedArrayBuffer by every name',
    gains: 'memory that grows uncounted, and a clock fine enough to watch the neighbour’s caches',
    code: `const buffers = [new Uint8Array(8).buffer, Buffer.alloc(8).buffer, new TextEncoder().encode('x').buffer, structuredClone(new ArrayBuffer(8))];
      return [typeof SharedArrayBuffer, buffers.filter((one) => one.constructor !== ArrayBuffer).length, Object.getPrototypeOf(Int32Array).name];`,
    gets: ['undefined', 0, 'TypedArray'],
  },
  {
    name: 'the shared buffer the prelude sleeps on',
    gains: 'its constructor: shared memory, and with it growth no limit counts',
    // After an exit nothing can be said any more: who has it stays where nothing can stop it, and is seen.
    code: `Atomics.wait = (array) => { if (array.buffer.constructor.name === 'SharedArrayBuffer') new Array(2 ** 32 - 1).indexOf(5); };
      process.exit(4);`,
    ends: { cause: 'exited', reason: /exit\(4\)/ },
  },
  {
    name: 'Atomics without shared memory',
    gains: 'a thread that sleeps, or wakes another module’s',
    code: `const tried = (run) => { try { return String(run()); } catch (error) { return error.name; } };
      const own = new Int32Array(4);
      return [tried(() => Atomics.wait(own, 0, 0)), tried(() => Atomics.waitAsync(own, 0, 0)), tried(() => Atomics.notify(own, 0)), tried(() => Atomics.pause?.())];`,
    gets: ['TypeError', 'TypeError', '0', 'undefined'],
  },
  {
    name: 'resizable buffers by every way',
    gains: 'gigabytes no heap limit counts',
    code: `const far = { maxByteLength: 1e9 };
      let asked = 0;
      const turns = { get maxByteLength() { return asked++ === 0 ? undefined : 1e9; } };
      class Own extends ArrayBuffer {}
      const Proto = Object.getOwnPropertyDescriptor(ArrayBuffer.prototype, 'constructor').value;
      const ways = [
        () => new ArrayBuffer(8, far), () => new Own(8, far), () => Reflect.construct(ArrayBuffer, [8, far], Object),
        () => new Proto(8, far), () => new (new Uint8Array(8).buffer.constructor)(8, far),
        () => new (ArrayBuffer[Symbol.species])(8, far), () => new ArrayBuffer(8, turns), () => new (ArrayBuffer.bind(null))(8, far),
        () => new (Object.getPrototypeOf(Own))(8, far), () => new (new Proxy(ArrayBuffer, {}))(8, far),
        () => { class Sly extends ArrayBuffer { static get [Symbol.species]() { return function (length) { return new ArrayBuffer(length, far); }; } } return new Sly(8).slice(0); },
      ];
      return ways.map((way) => { try { return way().resizable; } catch (error) { return error.name; } });`,
    gets: [
      'RangeError',
      'RangeError',
      'RangeError',
      'RangeError',
      'RangeError',
      'RangeError',
      false,
      'RangeError',
      'RangeError',
      'RangeError',
      'RangeError',
    ],
  },
  {
    name: 'the constructor behind the reduced one, by a patched Reflect',
    gains: 'resizable buffers of any size',
    code: `const { construct, apply } = Reflect;
      const seen = [];
      Reflect.construct = (target, args, made) => { seen.push(target); return construct(target, args, made ?? target); };
      Reflect.apply = (target, self, args) => { seen.push(target); return apply(target, self, args); };
      new ArrayBuffer(8);
      Object.assign(Reflect, { construct, apply });
      return seen.length;`,
    gets: 0,
  },
  {
    name: 'many small resizable buffers',
    gains: 'gigabytes no heap limit counts, a little at a time',
    code: `const far = { maxByteLength: 500_000 };
      const [ceil, trunc, deref, iterate] = [Math.ceil, Math.trunc, WeakRef.prototype.deref, Array.prototype[Symbol.iterator]];
      Math.ceil = Math.trunc = () => 0;
      WeakRef.prototype.deref = () => undefined;
      const kept = [];
      const many = (make) => { for (let i = 0; i < 1000; i++) { try { const one = make(); one.resize(500_000); kept.push(one); } catch (error) { return error.name; } } return 'all'; };
      const flat = many(() => new ArrayBuffer(0, far));
      let depth = 0;
      const nested = many(() => Reflect.construct(ArrayBuffer, [0, far], Object.defineProperty(function () {}.bind(), 'prototype', { get() { if (depth++ < 100) kept.push(new ArrayBuffer(0, far)); return ArrayBuffer.prototype; } })));
      const moved = many(() => kept[kept.push(kept.pop().transfer()) - 1] && new ArrayBuffer(0, far));
      const minus = many(() => new ArrayBuffer(0, { maxByteLength: -1e9 }));
      Object.assign(Math, { ceil, trunc }); WeakRef.prototype.deref = deref;
      let bytes = 0;
      for (const one of kept) bytes += one.maxByteLength;
      return [flat, nested, moved, minus, bytes <= 2 * 1_048_576];`,
    gets: ['RangeError', 'RangeError', 'RangeError', 'RangeError', true],
  },
  {
    name: 'resize, grow and transfer of what there is',
    gains: 'the same from a buffer that exists',
    code: `const buffer = new ArrayBuffer(8);
      const tried = (run) => { try { return String(run()); } catch (error) { return error.name; } };
      return [tried(() => buffer.resize(1e9)), tried(() => buffer.transfer(8).resizable), tried(() => new ArrayBuffer(8).transfer(4e9)), tried(() => new ArrayBuffer(8).transferToFixedLength(8).resizable)];`,
    gets: ['TypeError', 'false', 'RangeError', 'false'],
  },
  {
    name: 'memory as it comes',
    gains: 'bytes that other modules, or the host, left there',
    code: `const fresh = [Buffer.allocUnsafe(1e6), Buffer.allocUnsafeSlow(1e6), new Uint8Array(1e6), new Uint8Array(new ArrayBuffer(8).transfer(1e6))];
      return fresh.map((one) => one.every((byte) => byte === 0));`,
    gets: [true, true, true, true],
  },
  {
    name: 'structuredClone of what is the runtime’s',
    gains: 'a copy with other functions behind it, or the runtime’s state',
    code: `const tried = (one) => { try { return typeof structuredClone(one); } catch (error) { return error.name; } };
      return [tried(seam), tried(seam.request), tried(process), tried(console), tried(globalThis), tried(new Proxy(seam, {}))];`,
    gets: Array.from({ length: 6 }, () => 'DataCloneError'),
  },
  {
    name: 'a body moved away while it is sent',
    gains: 'a frame that is read from memory that is gone, or another’s by then',
    code: `const client = await sdk.ModuleClient.fromEnvironment(sdk.Mqtt);
      const bytes = new Uint8Array(100_000).fill(7);
      client.sendOutputEvent('out', new sdk.Message(bytes), () => {});
      structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
      return bytes.length;`,
    gets: 0,
    check({ bodies }) {
      const sent = bodies.find((one) => one !== undefined && one.length === 100_000);
      if (sent === undefined || sent.some((one) => one !== 7))
        throw new Error('not as it was sent');
    },
  },
  {
    name: 'a body that lies about its size',
    gains: 'bytes after it, taken for its own',
    code: `const client = await sdk.ModuleClient.fromEnvironment(sdk.Mqtt);
      class Long extends Uint8Array { get length() { return 200_000; } get byteLength() { return 200_000; } }
      client.sendOutputEvent('out', new sdk.Message(new Long([1, 2, 3])), () => {});
      return 'sent';`,
    gets: 'sent',
    check({ bodies }) {
      const sent = bodies.find((one) => one !== undefined);
      if (sent !== undefined && sent.some((one) => one > 3)) throw new Error('it read on');
    },
  },
  {
    name: 'finalizers that never end',
    gains: 'time outside of any turn, which nobody watches',
    code: `const registry = new FinalizationRegistry(() => { for (;;); });
      for (let i = 0; i < 1000; i++) registry.register({ i }, i);
      let junk = []; for (let i = 0; i < 2e5; i++) junk.push({ i, text: 'x' + i }); junk = undefined;
      await new Promise((resolve) => setTimeout(resolve, 20));
      return 'calm';`,
    gets: 'calm',
  },
  {
    name: 'weak references to what the runtime keeps',
    gains: 'what the prelude forgot, once it is gone',
    code: `const weak = new WeakRef(seam); await null; return [weak.deref() === seam, host(weak), typeof weak.deref().request];`,
    gets: [true, 'ReferenceError', 'function'],
  },
];

const raw: readonly Try[] = [
  {
    name: 'shared memory as bytes',
    gains: 'a frame that changes while it is checked',
    code: `isolet.rawOutbox('[]', new Uint8Array(new SharedArrayBuffer(8)), '', -1); await event();`,
    ends: { cause: 'error', reason: /wrong things/ },
  },
  {
    name: 'the memory of a WebAssembly as bytes',
    gains: 'a buffer that cannot be moved, moved; or one that grows under the host',
    code: `const memory = new WebAssembly.Memory({ initial: 1, maximum: 100 });
      const bytes = new Uint8Array(memory.buffer, 0, 4);
      try { isolet.rawOutbox('', bytes, '', -1); memory.grow(1); return [bytes.length, 'crossed']; } catch (error) { return error.name; }`,
    gets: [0, 'crossed'],
  },
  {
    name: 'WebAssembly with imports from the host',
    gains: 'a call into native code with arguments of our own',
    code: `const bytes = new Uint8Array([0,97,115,109,1,0,0,0,1,4,1,96,0,0,2,7,1,1,101,1,102,0,0,8,1,0]);
      const seen = [];
      const make = (f) => { try { new WebAssembly.Instance(new WebAssembly.Module(bytes), { e: { f } }); return 'made'; } catch (error) { return host(error); } };
      return [make(isolet.rawOutbox.constructor), make(() => { seen.push(new Error().stack.includes('main.ts')); }), make(1), seen];`,
    gets: ['made', 'made', 'ReferenceError', [false]],
  },
  {
    name: 'a WebAssembly larger than any board',
    gains: 'gigabytes at a stroke, past the host’s ceiling',
    code: `try { new WebAssembly.Memory({ initial: 65536 }); return 'made'; } catch (error) { return error.name; }`,
    gets: 'RangeError',
  },
];

tryAll('memory of a real module', 'sdk', sdk).run();
tryAll('memory at the border', 'raw', raw).run();
