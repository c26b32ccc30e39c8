/**
 * Packs and unpacks at once: `gzipSync` and its like in the module's own turn, `gzip` and its like with a
 * callback through the host.
 */
import { type Format, isGzip, pack, unpack } from '../zlib/formats.ts';
import { type HostFormat, openHostZlib } from '../zlib/host-zlib.ts';
import { tooLarge } from '../zlib/zlib-error.ts';
import { viewed } from './crypto-bytes.ts';
import { checkFunction, invalidType, withCode } from './node-errors.ts';
import { checkOptions, type ZlibOptions } from './zlib-options.ts';

type Input = string | ArrayBuffer | ArrayBufferView;
type Done = (error: Error | null, result?: Buffer) => void;

type Sync = (buffer: Input, options?: ZlibOptions) => Buffer;
type Async = (buffer: Input, options: ZlibOptions | Done, callback?: Done) => void;

function bytesOf(buffer: unknown): Uint8Array {
  if (typeof buffer === 'string') return Buffer.from(buffer);
  if (buffer instanceof ArrayBuffer) return new Uint8Array(buffer);
  if (ArrayBuffer.isView(buffer)) return viewed(buffer);
  throw invalidType(
    'buffer',
    'of type string or an instance of Buffer, TypedArray, DataView, or ArrayBuffer',
    buffer,
  );
}

/** `unzip` looks at what it is given. */
type Choice<Kind> = Kind | ((bytes: Uint8Array) => Kind);

function chosen<Kind extends string>(choice: Choice<Kind>, bytes: Uint8Array): Kind {
  return typeof choice === 'function' ? choice(bytes) : choice;
}

const either = (bytes: Uint8Array): Format => (isGzip(bytes) ? 'gzip' : 'deflate');

function packSync(format: Format): Sync {
  return (buffer, options) => {
    const bytes = bytesOf(buffer);
    const { level = -1, outputMax } = checkOptions(options, format);
    const packed = pack(format, bytes, level);
    if (packed.length > outputMax) throw tooLarge(outputMax);
    return asBuffer(packed);
  };
}

function unpackSync(choice: Choice<Format>): Sync {
  return (buffer, options) => {
    const bytes = bytesOf(buffer);
    const format = chosen(choice, bytes);
    return asBuffer(unpack(format, bytes, checkOptions(options, format).outputMax));
  };
}

function byHost(choice: Choice<HostFormat>, unpacks: boolean): Async {
  return (buffer, options, callback) => {
    const done = typeof options === 'function' ? options : callback;
    checkFunction('callback', done);
    const bytes = bytesOf(buffer);
    const format = chosen(choice, bytes);
    const checked = checkOptions(typeof options === 'function' ? undefined : options, format);
    // What the callback throws is an uncaught error, not a rejection.
    pass(bytes, format, unpacks, checked).then(
      (result) => process.nextTick(done as Done, null, result),
      (error: Error) => process.nextTick(done as Done, error),
    );
  };
}

async function pass(
  bytes: Uint8Array,
  format: HostFormat,
  unpacks: boolean,
  { level, outputMax }: ReturnType<typeof checkOptions>,
): Promise<Buffer> {
  const zlib = openHostZlib(format, unpacks, level);
  const pieces: Uint8Array[] = [];
  let size = 0;
  const take = (piece: Uint8Array): void => {
    size += piece.length;
    if (size > outputMax) throw tooLarge(outputMax);
    pieces.push(piece);
  };
  await zlib.write(bytes, take);
  await zlib.end(take);
  return Buffer.concat(pieces, size);
}

function asBuffer({ buffer, byteOffset, byteLength }: Uint8Array<ArrayBuffer>): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

function absent(name: string, instead: string): Sync {
  return () => {
    throw withCode(
      new Error(`zlib.${name} is not there in a module: use zlib.${instead}, which the host does`),
      'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM',
    );
  };
}

export const gzipSync: Sync = /* @__PURE__ */ packSync('gzip');
export const deflateSync: Sync = /* @__PURE__ */ packSync('deflate');
export const deflateRawSync: Sync = /* @__PURE__ */ packSync('deflate-raw');
export const gunzipSync: Sync = /* @__PURE__ */ unpackSync('gzip');
export const inflateSync: Sync = /* @__PURE__ */ unpackSync('deflate');
export const inflateRawSync: Sync = /* @__PURE__ */ unpackSync('deflate-raw');
export const unzipSync: Sync = /* @__PURE__ */ unpackSync(either);
export const brotliCompressSync: Sync = /* @__PURE__ */ absent(
  'brotliCompressSync',
  'brotliCompress',
);
export const brotliDecompressSync: Sync = /* @__PURE__ */ absent(
  'brotliDecompressSync',
  'brotliDecompress',
);

export const gzip: Async = /* @__PURE__ */ byHost('gzip', false);
export const deflate: Async = /* @__PURE__ */ byHost('deflate', false);
export const deflateRaw: Async = /* @__PURE__ */ byHost('deflate-raw', false);
export const brotliCompress: Async = /* @__PURE__ */ byHost('brotli', false);
export const gunzip: Async = /* @__PURE__ */ byHost('gzip', true);
export const inflate: Async = /* @__PURE__ */ byHost('deflate', true);
export const inflateRaw: Async = /* @__PURE__ */ byHost('deflate-raw', true);
export const brotliDecompress: Async = /* @__PURE__ */ byHost('brotli', true);
export const unzip: Async = /* @__PURE__ */ byHost(either, true);
