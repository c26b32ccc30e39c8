/**
 * Compression for one module, piece by piece: what is written goes through zlib, and what comes out waits in
 * zlib until it is asked for, so that a few bytes that unpack to gigabytes (a zip bomb) fill nobody's memory.
 *
 *   open  {format, unpack, level?, loose?} → number     format: gzip | deflate | deflate-raw | brotli;
 *                                          loose = what follows the end is left alone
 *   write {source, bytes} → {bytes, done} base64; done = what was written is used up, and all it gave is here
 *   end   {source} → {bytes, done}        nothing follows
 *   read  {source} → {bytes, done}        more of what came out, after `done: false`
 *   close {source} → null
 *
 * Whatever fails, and the last `done` after an `end`, closes it.
 */
import type { Transform } from 'node:stream';
import {
  constants,
  createBrotliCompress,
  createBrotliDecompress,
  createDeflate,
  createDeflateRaw,
  createGunzip,
  createGzip,
  createInflate,
  createInflateRaw,
  type ZlibOptions,
} from 'node:zlib';
import { isJsonObject, type Json, type JsonObject } from '../core/json.ts';
import { type MakeService, ServiceError } from './device-services.ts';

/** Bytes of one `write`; the guest cuts what is longer. */
const WRITE_BYTES_MAX = 262_144;
/** An answer is full with so many bytes; zlib may be one of its chunks (16 KB) beyond that. */
const ANSWER_BYTES = 65_536;

type Make = (options: ZlibOptions) => Transform;
const packers: Readonly<Record<string, Make>> = {
  gzip: createGzip,
  deflate: createDeflate,
  'deflate-raw': createDeflateRaw,
  brotli: ({ level }) =>
    createBrotliCompress(
      level === undefined ? {} : { params: { [constants.BROTLI_PARAM_QUALITY]: level } },
    ),
};
const unpackers: Readonly<Record<string, Make>> = {
  gzip: createGunzip,
  deflate: createInflate,
  'deflate-raw': createInflateRaw,
  brotli: (options) => createBrotliDecompress(options as object),
};

type Stream = {
  readonly zlib: Transform;
  /** What was written, or the end, is being worked on. */
  busy: boolean;
  ending: boolean;
  /** Somebody waits for an answer: there is one at a time. */
  asked: boolean;
  failure: Error | undefined;
  wake: () => void;
};

export const createCompressionService: MakeService = ({ settings }) => {
  const { compressionsMax } = settings;
  const open = new Map<number, Stream>();
  let lastSource = 0;

  function start({ format, unpack: wants, level, loose }: JsonObject): number {
    const unpack = wants === true;
    const table = unpack ? unpackers : packers;
    const make = typeof format === 'string' && Object.hasOwn(table, format) && table[format];
    if (!make) {
      throw new ServiceError(
        'EINVAL',
        'compression: the format must be gzip, deflate, deflate-raw or brotli',
      );
    }
    if (open.size >= compressionsMax) {
      throw new ServiceError(
        'EMFILE',
        `compression: this module has ${compressionsMax} compressions under way: end or cancel some`,
      );
    }
    const known = Number.isInteger(level) && (level as number) >= -1 && (level as number) <= 11;
    const options: object = known ? { level } : {};
    const zlib = make({ ...options, rejectGarbageAfterEnd: loose !== true } as ZlibOptions);
    const stream: Stream = {
      zlib,
      busy: false,
      ending: false,
      asked: false,
      failure: undefined,
      wake() {},
    };
    zlib.on('readable', () => stream.wake());
    zlib.on('end', () => {
      if (stream.ending) stream.busy = false;
      stream.wake();
    });
    zlib.on('error', (cause) => {
      stream.failure = cause;
      stream.wake();
    });
    const source = ++lastSource;
    open.set(source, stream);
    return source;
  }

  function close(source: number): void {
    const stream = open.get(source);
    open.delete(source);
    stream?.zlib.destroy();
    stream?.wake();
  }

  function find(source: number): Stream {
    const stream = open.get(source);
    if (stream === undefined) {
      throw new ServiceError('EBADF', 'compression: this one is over, or was never opened');
    }
    return stream;
  }

  function write(source: number, text: unknown): Promise<Json> {
    const stream = idle(source);
    const bytes = typeof text === 'string' ? Buffer.from(text, 'base64') : undefined;
    if (bytes === undefined || bytes.byteLength > WRITE_BYTES_MAX) {
      throw new ServiceError(
        'EINVAL',
        `compression: what is written must be base64 of at most ${WRITE_BYTES_MAX} bytes`,
      );
    }
    stream.busy = true;
    stream.zlib.write(bytes, () => {
      stream.busy = false;
      stream.wake();
    });
    return answer(source);
  }

  function end(source: number): Promise<Json> {
    const stream = idle(source);
    stream.busy = true;
    stream.ending = true;
    stream.zlib.end();
    return answer(source);
  }

  function idle(source: number): Stream {
    const stream = find(source);
    if (!stream.busy && !stream.asked) return stream;
    throw new ServiceError('EBUSY', 'compression: what was written before is not used up yet');
  }

  /** What came out since the last answer, up to its size. */
  async function answer(source: number): Promise<Json> {
    const stream = find(source);
    if (stream.asked) throw new ServiceError('EBUSY', 'compression: it is being read already');
    stream.asked = true;
    try {
      const { bytes, done } = await take(stream);
      if (done && stream.ending) close(source);
      return { bytes: bytes.toString('base64'), done };
    } catch (cause) {
      close(source);
      throw cause;
    } finally {
      stream.asked = false;
    }
  }

  return {
    async ask(what, args) {
      const given = isJsonObject(args) ? args : {};
      const { source, bytes } = given;
      switch (what) {
        case 'open':
          return start(given);
        case 'write':
          return write(Number(source), bytes);
        case 'end':
          return end(Number(source));
        case 'read':
          return answer(Number(source));
        case 'close':
          close(Number(source));
          return null;
        default:
          throw new ServiceError('ENOSYS', `compression has no "${what.slice(0, 64)}"`);
      }
    },
    close() {
      for (const source of open.keys()) close(source);
    },
  };
};

/** Rejects with a ServiceError. Nothing is lost of what came out before the failure that is told later. */
async function take(stream: Stream): Promise<{ readonly bytes: Buffer; readonly done: boolean }> {
  const { zlib } = stream;
  const parts: Buffer[] = [];
  let size = 0;
  for (;;) {
    const part = zlib.read() as Buffer | null;
    if (part !== null) {
      parts.push(part);
      size += part.byteLength;
      if (size >= ANSWER_BYTES) return { bytes: Buffer.concat(parts), done: false };
      continue;
    }
    if (size === 0 && stream.failure !== undefined) throw told(stream.failure);
    if (!stream.busy || stream.failure !== undefined) {
      return { bytes: Buffer.concat(parts), done: stream.failure === undefined };
    }
    if (zlib.destroyed) throw new ServiceError('ECANCELED', 'compression: it was closed');
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await new Promise<void>((resolve) => {
      stream.wake = resolve;
    });
  }
}

const sentences: Readonly<Record<string, string>> = {
  Z_DATA_ERROR: 'the compressed data is not valid',
  Z_BUF_ERROR: 'the compressed data ends too early',
  Z_NEED_DICT: 'the compressed data needs a dictionary',
  ERR_TRAILING_JUNK_AFTER_STREAM_END: 'something follows the end of the compressed data',
};

function told(cause: Error): ServiceError {
  const { code = 'EIO' } = cause as { readonly code?: string };
  return new ServiceError(code, `compression: ${sentences[code] ?? 'the data is not valid'}`);
}
