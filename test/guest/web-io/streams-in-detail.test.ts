/** Arguments, errors and their order in the streams of a real isolate, with Node as the witness. */
import { suite } from 'uvu';
import { agreeWithNode } from './with-host.ts';

const test = suite('streams of the guest in detail');

test('what streams are made of, and read by', async () => {
  await agreeWithNode(async () => {
    const told: Record<string, unknown> = {};
    const tell = async (name: string, run: () => unknown): Promise<void> => {
      told[name] = await (async () => run())().catch((error: Error) => error.name ?? String(error));
    };
    const sources: readonly (readonly unknown[])[] = [
      ...[{}, 5, null, { type: 'x' }, { type: undefined }, { start: 5 }, { pull: 'x' }].map(
        (one) => [one],
      ),
      ...[Number.NaN, -1, 'a', '3'].map((highWaterMark) => [{}, { highWaterMark }]),
      [{ type: 'bytes', autoAllocateChunkSize: 0 }],
      [{ type: 'bytes' }, { size: () => 1 }],
      [{}, { size: 5 }],
      [{}, null],
    ];
    for (const Class of [ReadableStream, WritableStream, TransformStream]) {
      for (const [index, given] of sources.entries()) {
        await tell(`${Class.name} ${index}`, () => String(Reflect.construct(Class, given)));
      }
    }
    for (const mode of [undefined, 'byob', 'x', null]) {
      await tell(`reader ${mode}`, () => String(new ReadableStream().getReader({ mode } as never)));
    }
    const iterables: readonly (() => unknown)[] = [
      () => 'ab',
      () => new Set([1, 2]),
      () => [Promise.resolve(1)],
      () => null,
      () => 5,
      () => ({}),
      () => ({ [Symbol.asyncIterator]: null, [Symbol.iterator]: () => [7][Symbol.iterator]() }),
      () => ({ [Symbol.asyncIterator]: () => 5 }),
      () => ({ [Symbol.iterator]: () => ({ next: () => 5 }) }),
    ];
    for (const [index, iterable] of iterables.entries()) {
      await tell(`from ${index}`, async () => {
        const all: unknown[] = [];
        for await (const chunk of ReadableStream.from(iterable() as never)) all.push(chunk);
        return all;
      });
    }
    const views: readonly (() => unknown)[] = [
      () => undefined,
      () => 5,
      () => new ArrayBuffer(1),
      () => new Uint8Array(0),
      () => new DataView(new ArrayBuffer(4)),
      () => new Uint16Array(2),
      () => new Uint8Array(new ArrayBuffer(4), 1, 2),
    ];
    for (const [index, view] of views.entries()) {
      for (const min of [undefined, 0, 1, 2, 3, -1]) {
        await tell(`into view ${index} at least ${min}`, async () => {
          const stream = new ReadableStream({
            type: 'bytes',
            pull({ byobRequest }) {
              const place = byobRequest?.view as Uint8Array;
              new Uint8Array(place.buffer, place.byteOffset, 1)[0] = 7;
              byobRequest?.respond(1);
            },
          });
          const options = min === undefined ? [] : [{ min }];
          const reader = stream.getReader({ mode: 'byob' });
          const given = view();
          const { value, done } = (await Reflect.apply(reader.read, reader, [
            given,
            ...options,
          ])) as { value?: Uint8Array; done: boolean };
          const { byteLength } = (given as Uint8Array).buffer;
          return [value?.constructor.name, value?.byteOffset, value?.byteLength, done, byteLength];
        });
      }
    }
    for (const chunk of [
      undefined,
      'x',
      new Uint8Array(0),
      new ArrayBuffer(2),
      new Uint16Array(1),
    ]) {
      await tell(`bytes of ${Object.prototype.toString.call(chunk)}`, async () => {
        const stream = new ReadableStream({
          type: 'bytes',
          start: (controller) => controller.enqueue(chunk as never),
        });
        return [...((await stream.getReader().read()).value as Uint8Array)];
      });
    }
    await tell('released with a read under way', async () => {
      const reader = new ReadableStream().getReader();
      const read = reader.read().catch((error: Error) => error.name);
      reader.releaseLock();
      return [await read, await reader.closed.catch((error: Error) => error.name)];
    });
    return told;
  });
});

test('pipes, writers, transformers', async () => {
  await agreeWithNode(async () => {
    const told: Record<string, unknown> = {};
    const tell = async (name: string, run: () => unknown): Promise<void> => {
      told[name] = await (async () => run())().catch((error: Error) => error.name ?? String(error));
    };
    const outcome = async (run: () => unknown): Promise<unknown> =>
      (async () => run())().catch((error: unknown) => (error as Error).name ?? error);
    const pipes: readonly unknown[] = [
      undefined,
      null,
      {},
      5,
      { preventClose: true },
      { preventCancel: 1 },
      ...[undefined, null, {}, AbortSignal.abort('no')].map((signal) => ({ signal })),
    ];
    for (const [index, options] of pipes.entries()) {
      for (const fails of ['nobody', 'reader', 'writer']) {
        await tell(`pipe ${index}, ${fails} fails`, async () => {
          const heard: unknown[] = [];
          let left = 3;
          const readable = new ReadableStream(
            {
              pull(controller) {
                if (fails === 'reader' && left === 1) controller.error('broken');
                else if (left-- > 0) controller.enqueue(left);
                else controller.close();
              },
              cancel: (reason) => void heard.push('cancel', reason),
            },
            { highWaterMark: 0 },
          );
          const writable = new WritableStream({
            write(chunk) {
              heard.push(chunk);
              if (fails === 'writer' && chunk === 1) throw new RangeError('full');
            },
            close: () => void heard.push('close'),
            abort: (reason) => void heard.push('abort', reason),
          });
          heard.push(await outcome(() => readable.pipeTo(writable, options as never)));
          return [heard, readable.locked, writable.locked];
        });
      }
    }
    await tell('a writer from beginning to end', async () => {
      const writer = new WritableStream({}, { highWaterMark: 2 }).getWriter();
      const seen: unknown[] = [writer.desiredSize];
      void writer.write('a');
      seen.push(writer.desiredSize);
      const closed = writer.close();
      seen.push(await outcome(() => writer.write('b')), await outcome(() => writer.close()));
      await closed;
      writer.releaseLock();
      return [...seen, await outcome(() => writer.closed), await outcome(() => writer.ready)];
    });
    await tell('aborted while it writes', async () => {
      const seen: unknown[] = [];
      const writer = new WritableStream({
        write: (_chunk, { signal }) =>
          new Promise((_, reject) => {
            signal.addEventListener('abort', () => reject(signal.reason));
          }),
      }).getWriter();
      await writer.ready;
      const written = outcome(() => writer.write('a'));
      seen.push(await outcome(() => writer.abort('why')), await written);
      return [...seen, await outcome(() => writer.closed)];
    });
    await tell('a transformer is cancelled, ended, and fails', async () => {
      const heard: unknown[] = [];
      const cancelled = new TransformStream({
        cancel: (reason: unknown) => void heard.push(reason),
      } as object);
      await cancelled.readable.cancel('x');
      heard.push(await outcome(() => cancelled.writable.getWriter().closed));
      const ended = new TransformStream({ start: (controller) => controller.terminate() });
      heard.push(await outcome(() => ended.writable.getWriter().closed));
      const failing = new TransformStream({
        transform() {
          throw new RangeError('no');
        },
      });
      const written = outcome(() => failing.writable.getWriter().write(1));
      heard.push(await outcome(() => failing.readable.getReader().read()), await written);
      return heard;
    });
    for (const format of ['gzip', 'deflate', 'deflate-raw']) {
      const bytes = new Blob(['hello']).stream() as ReadableStream;
      const packed = bytes.pipeThrough(new CompressionStream(format as 'gzip'));
      const whole = [...(await new Response(packed).bytes())];
      const broken = {
        more: [...whole, 0],
        less: whole.slice(0, -1),
        none: [],
        other: [1, 2, 3, 4],
      };
      for (const [name, given] of Object.entries(broken)) {
        await tell(`${format}: ${name}`, async () => {
          const pair = new DecompressionStream(format as 'gzip');
          const writer = pair.writable.getWriter();
          void outcome(() => writer.write(new Uint8Array(given)));
          const closed = outcome(() => writer.close());
          return [await outcome(() => new Response(pair.readable).bytes()), await closed];
        });
      }
    }
    const texts = [['\ud83d', '\ude00'], ['\ud83d'], ['\ude00', ''], ['\ud83d', 'x'], [null, 5]];
    for (const [index, chunks] of texts.entries()) {
      await tell(`texts ${index}`, async () => {
        const pair = new TextEncoderStream();
        const writer = pair.writable.getWriter();
        for (const chunk of chunks) void writer.write(chunk as string);
        void writer.close();
        return [...(await new Response(pair.readable).bytes())];
      });
    }
    const encoded = [
      [
        [0xf0, 0x9f],
        [0x98, 0x80],
      ],
      [[0xf0]],
      [
        [0xef, 0xbb],
        [0xbf, 65],
      ],
      [[0xff]],
    ];
    for (const [index, chunks] of encoded.entries()) {
      for (const fatal of [false, true]) {
        await tell(`bytes ${index} ${fatal}`, async () => {
          const pair = new TextDecoderStream('utf-8', { fatal });
          const writer = pair.writable.getWriter();
          for (const chunk of chunks) void outcome(() => writer.write(new Uint8Array(chunk)));
          void outcome(() => writer.close());
          let text = '';
          for await (const piece of pair.readable) text += piece;
          return text;
        });
      }
    }
    return told;
  });
});

test.run();
