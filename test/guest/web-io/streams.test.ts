/** Streams, text streams and compression streams in a real isolate; Node's own are the other witness. */
import { gunzipSync, gzipSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { withHost } from './with-host.ts';

const test = suite('streams in the guest');

/** What WebIDL says of the classes: members, their kinds, names and lengths. Runs there and here. */
const shapes = () => {
  const names = [
    'ByteLengthQueuingStrategy CountQueuingStrategy ReadableByteStreamController ReadableStream',
    'ReadableStreamBYOBReader ReadableStreamBYOBRequest ReadableStreamDefaultController',
    'ReadableStreamDefaultReader TransformStream TransformStreamDefaultController WritableStream',
    'WritableStreamDefaultController WritableStreamDefaultWriter TextEncoderStream TextDecoderStream',
    'CompressionStream DecompressionStream',
  ]
    .join(' ')
    .split(' ');
  const world = globalThis as unknown as Record<string, { length: number; prototype: object }>;
  // Named, so that they are here.
  void [ReadableStream, TextEncoderStream, CompressionStream];
  const told: Record<string, unknown> = {};
  for (const name of names) {
    const Class = world[name] as { length: number; prototype: object };
    const own = Object.getOwnPropertyDescriptor(world, name);
    told[name] = [Class.length, own?.writable, own?.enumerable, own?.configurable];
    for (const holder of [Class, Class.prototype]) {
      for (const key of [...Object.getOwnPropertyNames(holder), Symbol.toStringTag]) {
        const at = Object.getOwnPropertyDescriptor(holder, key);
        if (at === undefined) continue;
        const value: unknown = at.value;
        const what =
          typeof value === 'function' ? [value.name, value.length] : [typeof value, at.get?.name];
        const where = `${name} ${holder === Class ? 'static' : 'prototype'} ${String(key)}`;
        told[where] = [...what, at.writable, at.enumerable, at.configurable];
      }
    }
  }
  return told;
};

test('the classes have the shape they have in Node', async () => {
  const guest = await withHost(shapes);
  const node = JSON.parse(JSON.stringify(shapes())) as Record<string, unknown>;
  for (const key of new Set([...Object.keys(node), ...Object.keys(guest)])) {
    // Node forgot some of the tags.
    if (key.endsWith('toStringTag)') && node[key] === undefined) continue;
    assert.equal(guest[key], node[key], key);
  }
});

test('reading, piping, teeing, iterating, and what goes wrong', async () => {
  const told = await withHost(async () => {
    const told: unknown[] = [];
    const kind = async (promise: Promise<unknown>): Promise<string> =>
      promise.then(
        (value) => `fine ${String(value)}`,
        (error: { name?: string }) => error?.name ?? String(error),
      );
    const numbers = ReadableStream.from([1, 2, 3]);
    const doubled = numbers.pipeThrough(
      new TransformStream<number, number>({ transform: (n, c) => c.enqueue(2 * n) }),
    );
    const [left, right] = doubled.tee();
    const seen: unknown[] = [];
    for await (const n of left) seen.push(n);
    told.push(seen, (await right.getReader().read()).value);
    const empty = new ReadableStream();
    const iterator = empty.values();
    const builtin = Object.getPrototypeOf(Object.getPrototypeOf(async function* () {}.prototype));
    const prototype = Object.getPrototypeOf(iterator) as object;
    told.push(Object.getPrototypeOf(prototype) === builtin, Reflect.ownKeys(prototype).sort());
    told.push(await kind((new ReadableStream() as never as { pipeTo(): Promise<void> }).pipeTo()));
    const controller = new AbortController();
    const piping = new ReadableStream().pipeTo(new WritableStream(), { signal: controller.signal });
    controller.abort();
    told.push(await kind(piping));
    const bad = { signal: Object.create(AbortSignal.prototype) as AbortSignal };
    told.push(await kind(new ReadableStream().pipeTo(new WritableStream(), bad)));
    let inner: AbortSignal | undefined;
    const sink = new WritableStream({ start: (c) => void (inner = c.signal) });
    await sink.abort('enough');
    told.push(inner instanceof AbortSignal, inner?.aborted, inner?.reason);
    try {
      structuredClone(new ReadableStream());
    } catch (error) {
      told.push((error as Error).name);
    }
    const source = ReadableStream.from([{ a: 1 }, { a: 2 }]);
    const moved = structuredClone(source, { transfer: [source] });
    const values: unknown[] = [];
    for await (const value of moved) values.push(value);
    told.push(source.locked, values);
    const bytes = new ReadableStream({
      type: 'bytes',
      start(c) {
        c.enqueue(new Uint8Array([1, 2, 3]));
      },
    });
    const byob = bytes.getReader({ mode: 'byob' });
    told.push([...((await byob.read(new Uint8Array(2))).value as Uint8Array)]);
    return told;
  });
  assert.equal(told, [
    [2, 4, 6],
    2,
    true,
    ['next', 'return'],
    'TypeError',
    'AbortError',
    'TypeError',
    true,
    true,
    'enough',
    'DataCloneError',
    true,
    [{ a: 1 }, { a: 2 }],
    [1, 2],
  ]);
});

const text = async () => {
  const read = async (stream: ReadableStream): Promise<unknown[]> => {
    const all: unknown[] = [];
    for await (const chunk of stream) all.push(chunk instanceof Uint8Array ? [...chunk] : chunk);
    return all;
  };
  const encode = (...chunks: unknown[]): Promise<unknown> =>
    read(ReadableStream.from(chunks).pipeThrough(new TextEncoderStream() as never)).catch(
      (error: Error) => error.name,
    );
  const decode = (options: object, ...chunks: unknown[]): Promise<unknown> =>
    read(
      ReadableStream.from(chunks).pipeThrough(new TextDecoderStream('utf-8', options) as never),
    ).catch((error: Error) => error.name);
  const bytes = (...values: number[]): Uint8Array => new Uint8Array(values);
  const plain = new TextDecoderStream('latin1', { ignoreBOM: true });
  return [
    await encode('a\ud83d', '\ude00b', '', '\ud83d', 'c', '\ude00', 7, null, undefined, '\ud83d'),
    await encode({
      toString() {
        throw new RangeError('no');
      },
    }),
    await decode({}, bytes(0xef, 0xbb), bytes(0xbf, 0xe2), bytes(0x82), bytes(0xac, 0x41, 0xe2)),
    await decode({ fatal: true }, bytes(0x41, 0xe2)),
    await decode({ ignoreBOM: true }, bytes(0xef, 0xbb, 0xbf, 0x42).buffer),
    await decode({}, undefined),
    await decode({}, null),
    await decode({}, 'text'),
    [plain.encoding, plain.fatal, plain.ignoreBOM],
  ];
};

test('text streams', async () => {
  assert.equal(JSON.stringify(await withHost(text)), JSON.stringify(await text()));
});

test('what is compressed in the guest Node unpacks, and the other way round', async () => {
  const words = 'the quick brown fox '.repeat(40_000);
  const told = await withHost(
    async ({ packed }) => {
      const all = async (stream: ReadableStream<Uint8Array>): Promise<Uint8Array> => {
        const parts: Uint8Array[] = [];
        for await (const part of stream) parts.push(part);
        return Buffer.concat(parts);
      };
      const through = (bytes: Uint8Array, pair: object): Promise<Uint8Array> =>
        all(ReadableStream.from([bytes]).pipeThrough(pair as never));
      const failure = (bytes: unknown, pair: object): Promise<string> =>
        through(bytes as Uint8Array, pair).then(
          () => 'fine',
          (error: Error) => `${error.name} ${error.message.split(':')[0]}`,
        );
      const unpacked = await through(
        Buffer.from(packed, 'base64'),
        new DecompressionStream('gzip'),
      );
      const again = await through(unpacked, new CompressionStream('gzip'));
      const round = await through(unpacked, new CompressionStream('deflate-raw'));
      const back = await through(round, new DecompressionStream('deflate-raw'));
      const bad = (run: () => unknown): string => {
        try {
          run();
          return 'fine';
        } catch (error) {
          return (error as Error).name;
        }
      };
      return [
        Buffer.from(unpacked).toString().length,
        Buffer.from(again).toString('base64'),
        back.byteLength,
        await failure(again.subarray(0, 30), new DecompressionStream('gzip')),
        await failure(Buffer.from('rubbish'), new DecompressionStream('deflate')),
        await failure('text', new CompressionStream('gzip')),
        bad(() => new CompressionStream('lzma' as never)),
        bad(() => new (CompressionStream as never as new () => object)()),
      ];
    },
    { packed: gzipSync(words).toString('base64') },
  );
  assert.is(gunzipSync(Buffer.from(told[1] as string, 'base64')).toString(), words);
  assert.equal(told.toSpliced(1, 1), [
    words.length,
    words.length,
    'TypeError Z_BUF_ERROR',
    'TypeError Z_DATA_ERROR',
    'TypeError A chunk to compress must be bytes',
    'TypeError',
    'TypeError',
  ]);
});

test.run();
