/** `node:zlib` in an isolate: what it packs Node unpacks, and it answers as Node does. */
import nodeZlib from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { bundled, inGuest } from '../crypto/with-host.ts';

const test = suite('node:zlib');

/** The function is given Node's module or ours. */
async function asInNode(run: (zlib: typeof nodeZlib) => unknown): Promise<void> {
  const guest = await inGuest(
    {
      toString: () => `(() => (${run.toString()})(globalThis.nodeZlib))`,
    } as unknown as () => unknown,
    `import nodeZlib from 'node:zlib'; globalThis.nodeZlib = nodeZlib;`,
  );
  assert.equal(guest, JSON.parse(JSON.stringify(await run(nodeZlib))));
}

test('there and back, at once and by callback', () =>
  asInNode(async (zlib) => {
    type Run = (data: Uint8Array | string, options?: object) => Buffer;
    type Ask = (
      data: Uint8Array | string,
      options: object,
      done: (error: Error | null, result: Buffer) => void,
    ) => void;
    const all = zlib as unknown as Record<string, Run & Ask>;
    const ask = (name: string, data: Uint8Array | string, options = {}): Promise<Buffer> =>
      new Promise((resolve, reject) =>
        all[name]?.(data, options, (error, result) =>
          error === null ? resolve(result) : reject(error),
        ),
      );
    const text = '{"temperature":21.5,"unit":"°C"}'.repeat(3000);
    const found: unknown[] = [];
    for (const [pack, unpack] of [
      ['gzip', 'gunzip'],
      ['deflate', 'inflate'],
      ['deflateRaw', 'inflateRaw'],
      ['gzip', 'unzip'],
      ['deflate', 'unzip'],
    ] as const) {
      for (const level of [0, 1, 9]) {
        const now = all[`${pack}Sync`]?.(text, { level }) as Buffer;
        const later = await ask(pack, text, { level });
        const both = [
          all[`${unpack}Sync`]?.(later) as Buffer,
          await ask(unpack, now),
          await ask(unpack, later),
        ];
        found.push(both.map((each) => Buffer.isBuffer(each) && each.toString() === text));
        found.push(now.length < text.length === later.length < text.length);
      }
    }
    const brotli = await ask('brotliCompress', text, {
      params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 4 },
    });
    found.push((await ask('brotliDecompress', brotli)).toString() === text, brotli.length < 500);
    found.push(zlib.gunzipSync(Buffer.concat([zlib.gzipSync('a'), zlib.gzipSync('b')])).toString());
    found.push(
      (await ask('gunzip', Buffer.concat([zlib.gzipSync('a'), zlib.gzipSync('b')]))).toString(),
    );
    found.push(
      await ask('gunzip', Buffer.concat([zlib.gzipSync('a'), Buffer.from('rest')])).catch(
        (error) => error.code,
      ),
    );
    found.push(zlib.gunzipSync(zlib.gzipSync('')).length);
    found.push(
      zlib.crc32('abc'),
      zlib.crc32(Buffer.from('c'), zlib.crc32('ab')),
      zlib.constants.Z_BEST_SPEED,
    );
    return found;
  }));

test('refusals', () =>
  asInNode(async (zlib) => {
    const told = (error: unknown): unknown => {
      const { name, code, errno } = error as NodeJS.ErrnoException;
      return [name, code, errno];
    };
    const how = (run: () => unknown): unknown => {
      try {
        return run();
      } catch (error) {
        return [told(error), (error as Error).message];
      }
    };
    const later = (name: string, data: Uint8Array, options = {}): Promise<unknown> =>
      new Promise((resolve) =>
        (
          zlib as unknown as Record<
            string,
            (data: Uint8Array, options: object, done: (error: Error) => void) => void
          >
        )[name]?.(data, options, (error) => resolve(told(error))),
      );
    const packed = zlib.gzipSync(Buffer.alloc(100_000));
    const any = (value: unknown): never => value as never;
    return [
      how(() => zlib.gzipSync(any(5))),
      how(() => zlib.gzipSync('a', { level: 10 })),
      how(() => zlib.gzip('a', any(undefined))),
      how(() => zlib.gunzipSync('abc')),
      how(() => zlib.gunzipSync(packed.subarray(0, 20))),
      how(() => zlib.inflateSync(packed)),
      how(() => zlib.gunzipSync(packed, { maxOutputLength: 99_999 })),
      await later('gunzip', Buffer.from('abc')),
      await later('gunzip', packed.subarray(0, 20)),
      await later('inflateRaw', Buffer.from([255])),
      await later('gunzip', packed, { maxOutputLength: 99_999 }),
      (await later('brotliDecompress', packed)) === undefined,
    ];
  }));

test('streams: piped, in many pieces, both ways, wrong', async () => {
  const found = await inGuest(async () => {
    const { zlib, stream } = globalThis as unknown as {
      zlib: typeof nodeZlib;
      stream: typeof import('node:stream');
    };
    const text = 'It is 21.5 degrees. '.repeat(20_000);
    const pieces = (): string[] =>
      Array.from({ length: 40 }, (_, i) => text.slice(i * 10_000, (i + 1) * 10_000));
    const collect = async (from: AsyncIterable<Buffer>): Promise<Buffer> => {
      const parts: Buffer[] = [];
      for await (const part of from) parts.push(part);
      return Buffer.concat(parts);
    };
    const sizes: number[] = [];
    for (const [pack, unpack] of [
      [zlib.createGzip(), zlib.createGunzip()],
      [zlib.createDeflate({ level: 1 }), zlib.createUnzip()],
      [zlib.createDeflateRaw(), zlib.createInflateRaw()],
      [zlib.createBrotliCompress(), zlib.createBrotliDecompress()],
    ] as const) {
      const packed = await collect(stream.Readable.from(pieces()).pipe(pack));
      const back = await collect(
        stream.Readable.from([packed.subarray(0, 5), packed.subarray(5)]).pipe(unpack),
      );
      sizes.push(packed.length < text.length / 10 && back.toString() === text ? 1 : 0);
    }
    const broken = await new Promise((resolve) => {
      stream.pipeline(
        stream.Readable.from([Buffer.from('no gzip at all')]),
        zlib.createGunzip(),
        async (source) => collect(source as AsyncIterable<Buffer>),
        (error) => resolve((error as NodeJS.ErrnoException).code),
      );
    });
    const bomb = zlib.createGunzip();
    bomb.write(zlib.gzipSync(Buffer.alloc(8_000_000)));
    await new Promise((resolve) => setTimeout(resolve, 50));
    const waiting = bomb.readableLength;
    const closed = new Promise((resolve) => bomb.once('close', () => resolve('closed')));
    bomb.close();
    return { sizes, broken, waits: waiting < 300_000, closed: await closed };
  }, `import zlib from 'node:zlib'; import stream from 'node:stream'; Object.assign(globalThis, { zlib, stream });`);
  assert.equal(found, {
    sizes: [1, 1, 1, 1],
    broken: 'Z_DATA_ERROR',
    waits: true,
    closed: 'closed',
  });
});

test('a module pays for what it names', async () => {
  const sync = await bundled(`import { gunzipSync } from 'zlib'; console.log(gunzipSync);`);
  assert.ok(sync.length < 40_000, String(sync.length));
  assert.not.match(sync, 'ZlibStream');
});

test.run();
