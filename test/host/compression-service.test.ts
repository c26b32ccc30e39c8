/** Compression, asked as a module's isolate would: against Node's own zlib, and by bad customers. */
import {
  brotliCompressSync,
  deflateRawSync,
  deflateSync,
  gunzipSync,
  gzipSync,
  inflateRawSync,
  inflateSync,
} from 'node:zlib';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Json } from '../../src/core/json.ts';
import { noGrants } from '../../src/core/ports.ts';
import { createCompressionService } from '../../src/host/compression-service.ts';
import { defaultHostSettings } from '../../src/host/host-settings.ts';
import { within } from '../fakes/within.ts';

const LIMIT_MS = 10_000;
const test = suite('compression service');

function service() {
  const settings = { ...defaultHostSettings, compressionsMax: 3 };
  const made = createCompressionService({
    grants: noGrants,
    settings,
    note() {},
    signal: () => true,
  });
  return {
    ask: (what: string, args: Json) => within(LIMIT_MS, what, made.ask(what, args)),
    close: () => made.close(),
  };
}
type Service = ReturnType<typeof service>;
type Told = { readonly bytes: string; readonly done: boolean };

async function open(one: Service, format: string, unpack: boolean): Promise<number> {
  return (await one.ask('open', { format, unpack })) as number;
}

async function drain(one: Service, source: number, first: Json): Promise<Buffer> {
  const parts: Buffer[] = [];
  for (let told = first as Told; ; told = (await one.ask('read', { source })) as Told) {
    parts.push(Buffer.from(told.bytes, 'base64'));
    assert.ok((parts.at(-1)?.byteLength ?? 0) <= 65_536 + 65_536, 'an answer has a limit');
    if (told.done) return Buffer.concat(parts);
  }
}

async function run(
  one: Service,
  format: string,
  unpack: boolean,
  pieces: readonly Uint8Array[],
): Promise<Buffer> {
  const source = await open(one, format, unpack);
  const out: Buffer[] = [];
  for (const piece of pieces) {
    const bytes = Buffer.from(piece).toString('base64');
    out.push(await drain(one, source, await one.ask('write', { source, bytes })));
  }
  out.push(await drain(one, source, await one.ask('end', { source })));
  return Buffer.concat(out);
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'it was taken',
    (error: { code: string }) => error.code,
  );
}

test('any pieces, in any format, come out as Node has it', async () => {
  const unpackers = { gzip: gunzipSync, deflate: inflateSync, 'deflate-raw': inflateRawSync };
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('gzip' as const, 'deflate' as const, 'deflate-raw' as const),
      fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 6 }),
      async (format, pieces) => {
        const one = service();
        const packed = await run(one, format, false, pieces);
        assert.equal(unpackers[format](packed), Buffer.concat(pieces));
        const half = packed.length >> 1;
        const parts = [packed.subarray(0, half), packed.subarray(half)];
        assert.equal(await run(one, format, true, parts), Buffer.concat(pieces));
        one.close();
      },
    ),
    { numRuns: 60 },
  );
});

test('a bomb comes out by and by, as it is asked for', async () => {
  const one = service();
  const size = 64 * 1_048_576;
  const bomb = gzipSync(Buffer.alloc(size));
  const source = await open(one, 'gzip', true);
  const before = process.memoryUsage().arrayBuffers;
  let told = (await one.ask('write', { source, bytes: bomb.toString('base64') })) as Told;
  let seen = Buffer.from(told.bytes, 'base64').byteLength;
  assert.is(told.done, false);
  assert.ok(seen < 200_000, `${seen}`);
  assert.ok(process.memoryUsage().arrayBuffers - before < 8 * 1_048_576);
  assert.is(await codeOf(one.ask('write', { source, bytes: '' })), 'EBUSY');
  while (!told.done) {
    told = (await one.ask('read', { source })) as Told;
    seen += Buffer.from(told.bytes, 'base64').byteLength;
  }
  assert.is(seen, size);
  assert.equal(await one.ask('end', { source }), { bytes: '', done: true });
  assert.is(await codeOf(one.ask('read', { source })), 'EBADF');
});

test('what is no compressed data is told apart', async () => {
  const one = service();
  const text = Buffer.from('hello hello hello');
  const codes: unknown[] = [];
  for (const [format, bytes] of [
    ['gzip', text],
    ['gzip', gzipSync(text).subarray(0, 12)],
    ['gzip', Buffer.concat([gzipSync(text), Buffer.from([1, 2, 3])])],
    ['deflate', deflateSync(text).subarray(0, -1)],
    ['deflate', Buffer.concat([deflateSync(text), Buffer.from([0])])],
    ['deflate-raw', Buffer.concat([deflateRawSync(text), Buffer.from([0])])],
    ['brotli', brotliCompressSync(text).subarray(0, -2)],
  ] as const) {
    codes.push(await codeOf(run(one, format, true, [bytes])));
  }
  const junk = 'ERR_TRAILING_JUNK_AFTER_STREAM_END';
  assert.equal(codes, [
    'Z_DATA_ERROR',
    'Z_BUF_ERROR',
    junk,
    'Z_BUF_ERROR',
    junk,
    junk,
    'Z_BUF_ERROR',
  ]);
  assert.equal(await run(one, 'brotli', true, [brotliCompressSync(text)]), text);
});

test('bad customers get a sentence', async () => {
  const one = service();
  assert.is(await codeOf(one.ask('open', { format: 'constructor', unpack: true })), 'EINVAL');
  assert.is(await codeOf(one.ask('open', null)), 'EINVAL');
  assert.is(await codeOf(one.ask('write', { source: 7, bytes: '' })), 'EBADF');
  assert.is(await codeOf(one.ask('explode', {})), 'ENOSYS');
  const source = await open(one, 'gzip', false);
  assert.is(await codeOf(one.ask('write', { source, bytes: 5 })), 'EINVAL');
  const large = Buffer.alloc(300_000).toString('base64');
  assert.is(await codeOf(one.ask('write', { source, bytes: large })), 'EINVAL');
  await open(one, 'gzip', false);
  await open(one, 'gzip', false);
  assert.is(await codeOf(open(one, 'gzip', false)), 'EMFILE');
  await one.ask('close', { source });
  assert.is(await one.ask('close', { source: 99 }), null);
  await open(one, 'gzip', false);
  one.close();
});

test.run();
