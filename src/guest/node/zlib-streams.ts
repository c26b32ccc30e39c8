/** `createGzip` and its like: streams through the host's zlib. `flush` brings nothing out earlier. */
import { Transform } from 'isolet-package:readable-stream';
import { isGzip } from '../zlib/formats.ts';
import { type HostFormat, type HostZlib, openHostZlib } from '../zlib/host-zlib.ts';
import { checkOptions, type ZlibOptions } from './zlib-options.ts';

type Done = (error?: Error | null) => void;

class ZlibStream extends Transform {
  #zlib: HostZlib | undefined;
  readonly #open: (first: Uint8Array) => HostZlib;
  /** Called when the reader wants more. */
  #wanted: (() => void) | undefined;
  bytesWritten = 0;

  /** `format` undefined = whichever the first bytes tell. */
  constructor(format: HostFormat | undefined, unpacks: boolean, options: ZlibOptions | undefined) {
    super(options);
    const { level } = checkOptions(options, format ?? 'gzip');
    this.#open = (first) =>
      openHostZlib(format ?? (isGzip(first) ? 'gzip' : 'deflate'), unpacks, level);
  }

  override _transform(chunk: Uint8Array, _encoding: string, done: Done): void {
    this.bytesWritten += chunk.length;
    this.#zlib ??= this.#open(chunk);
    this.#zlib.write(chunk, (piece) => this.#give(piece)).then(() => done(), done);
  }

  override _flush(done: Done): void {
    this.#zlib ??= this.#open(new Uint8Array(0));
    this.#zlib.end((piece) => this.#give(piece)).then(() => done(), done);
  }

  override _read(size: number): void {
    const wanted = this.#wanted;
    this.#wanted = undefined;
    if (wanted === undefined) super._read(size);
    else wanted();
  }

  override _destroy(error: Error | null, done: Done): void {
    this.#zlib?.close();
    this.#wanted?.();
    done(error);
  }

  flush(kind?: number | Done, done?: Done): void {
    const then = typeof kind === 'function' ? kind : done;
    if (then !== undefined) this.write(Buffer.alloc(0), () => then());
  }

  close(done?: Done): void {
    if (done !== undefined) this.once('close', done);
    this.destroy();
  }

  /** A reader who is slow is waited for: what unpacks to gigabytes stays where it is. */
  #give(piece: Uint8Array<ArrayBuffer>): Promise<void> | undefined {
    if (this.destroyed || this.push(Buffer.from(piece.buffer))) return undefined;
    return new Promise((resolve) => {
      this.#wanted = resolve;
    });
  }
}

export class Gzip extends ZlibStream {
  constructor(options?: ZlibOptions) {
    super('gzip', false, options);
  }
}
export class Gunzip extends ZlibStream {
  constructor(options?: ZlibOptions) {
    super('gzip', true, options);
  }
}
export class Deflate extends ZlibStream {
  constructor(options?: ZlibOptions) {
    super('deflate', false, options);
  }
}
export class Inflate extends ZlibStream {
  constructor(options?: ZlibOptions) {
    super('deflate', true, options);
  }
}
export class DeflateRaw extends ZlibStream {
  constructor(options?: ZlibOptions) {
    super('deflate-raw', false, options);
  }
}
export class InflateRaw extends ZlibStream {
  constructor(options?: ZlibOptions) {
    super('deflate-raw', true, options);
  }
}
export class Unzip extends ZlibStream {
  constructor(options?: ZlibOptions) {
    super(undefined, true, options);
  }
}
export class BrotliCompress extends ZlibStream {
  constructor(options?: ZlibOptions) {
    super('brotli', false, options);
  }
}
export class BrotliDecompress extends ZlibStream {
  constructor(options?: ZlibOptions) {
    super('brotli', true, options);
  }
}

export const createGzip = (options?: ZlibOptions): Gzip => new Gzip(options);
export const createGunzip = (options?: ZlibOptions): Gunzip => new Gunzip(options);
export const createDeflate = (options?: ZlibOptions): Deflate => new Deflate(options);
export const createInflate = (options?: ZlibOptions): Inflate => new Inflate(options);
export const createDeflateRaw = (options?: ZlibOptions): DeflateRaw => new DeflateRaw(options);
export const createInflateRaw = (options?: ZlibOptions): InflateRaw => new InflateRaw(options);
export const createUnzip = (options?: ZlibOptions): Unzip => new Unzip(options);
export const createBrotliCompress = (options?: ZlibOptions): BrotliCompress =>
  new BrotliCompress(options);
export const createBrotliDecompress = (options?: ZlibOptions): BrotliDecompress =>
  new BrotliDecompress(options);
