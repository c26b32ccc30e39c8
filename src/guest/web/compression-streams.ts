/**
 * `CompressionStream` and `DecompressionStream` (Compression standard), through the host's zlib
 * (src/host/compression-service.ts).
 */
import type { Json } from '../../core/json.ts';
import { takeSeam } from '../seam.ts';
import { describeInterface, needArguments } from '../world/webidl.ts';
import { type ReadableStream, streams, type WritableStream } from './streams.ts';

/** The host takes no more in one piece. */
const PIECE_BYTES = 262_144;
const formats = ['brotli', 'deflate', 'deflate-raw', 'gzip'];

type Told = { readonly bytes: string; readonly done: boolean };
type Pair = { readonly readable: ReadableStream; readonly writable: WritableStream };
type Controller = { enqueue(chunk: Uint8Array): void };

const seam = takeSeam();

function ask(what: string, args: Readonly<Record<string, Json>>): Promise<Json> {
  const own = Object.assign(Object.create(null), args) as Json;
  return new Promise((resolve, reject) => {
    seam.hostCall({ t: 'ask', service: 'compression', what, args: own }, (refused, value) => {
      if (refused === undefined) return resolve(value);
      const { code, message } = refused;
      reject(Object.assign(new TypeError(message), { code }));
    });
  });
}

/** Who drops a stream half-way would keep the host's zlib busy. */
const dropped = new FinalizationRegistry<number>((source) => close(source));
function close(source: number): void {
  ask('close', { source }).catch(() => {});
}

function createPair(format: unknown, unpack: boolean): Pair {
  const name = `${format as string}`;
  if (!formats.includes(name)) {
    throw new TypeError(
      `There is no compression format "${name}": there are ${formats.join(', ')}`,
    );
  }
  let opening: Promise<number> | undefined;
  let isOver = false;

  /** Opened with the first bytes: a stream nobody uses costs nothing. */
  function open(): Promise<number> {
    opening ??= ask('open', { format: name, unpack }).then((source) => {
      if (!isOver) dropped.register(pair, source as number, pair);
      return source as number;
    });
    return opening;
  }

  function over(): void {
    isOver = true;
    dropped.unregister(pair);
    opening?.then(close, () => {});
  }

  async function pass(
    what: 'write' | 'end',
    bytes: Uint8Array | undefined,
    controller: Controller,
  ): Promise<void> {
    const source = await open();
    const args = bytes === undefined ? { source } : { source, bytes: bytes.toBase64() };
    for (let told = (await ask(what, args)) as Told; ; ) {
      if (told.bytes !== '') controller.enqueue(Uint8Array.fromBase64(told.bytes));
      if (told.done) return;
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      told = (await ask('read', { source })) as Told;
    }
  }

  const pair = new (streams().TransformStream)<unknown, unknown>({
    async transform(chunk, controller) {
      try {
        const bytes = toBytes(chunk);
        for (let at = 0; at < bytes.byteLength; at += PIECE_BYTES) {
          // oxlint-disable-next-line no-await-in-loop -- one after the other
          await pass('write', bytes.subarray(at, at + PIECE_BYTES), controller);
        }
      } catch (error) {
        over();
        throw error;
      }
    },
    async flush(controller) {
      await pass('end', undefined, controller);
      dropped.unregister(pair);
    },
    cancel: over,
  });
  return pair;
}

/** `BufferSource`; what is shared is none. The bytes are the caller's still. */
function toBytes(chunk: unknown): Uint8Array {
  const buffer: unknown = ArrayBuffer.isView(chunk) ? chunk.buffer : chunk;
  if (!(buffer instanceof ArrayBuffer)) {
    throw new TypeError('A chunk to compress must be bytes: an ArrayBuffer or a view of one');
  }
  return ArrayBuffer.isView(chunk)
    ? new Uint8Array(buffer, chunk.byteOffset, chunk.byteLength)
    : new Uint8Array(buffer);
}

export class CompressionStream {
  readonly #pair: Pair;
  constructor(format: string) {
    needArguments(arguments.length, 1, 'The constructor of CompressionStream');
    this.#pair = createPair(format, false);
  }
  get readable(): ReadableStream {
    return this.#pair.readable;
  }
  get writable(): WritableStream {
    return this.#pair.writable;
  }
  static {
    describeInterface(this);
  }
}

export class DecompressionStream {
  readonly #pair: Pair;
  constructor(format: string) {
    needArguments(arguments.length, 1, 'The constructor of DecompressionStream');
    this.#pair = createPair(format, true);
  }
  get readable(): ReadableStream {
    return this.#pair.readable;
  }
  get writable(): WritableStream {
    return this.#pair.writable;
  }
  static {
    describeInterface(this);
  }
}
