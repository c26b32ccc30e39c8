/**
 * Node's Buffer: the `buffer` package, with UTF-8 and base64url done our way. The package encodes a
 * text twice to learn its length, which is most of the cost of a small message.
 */
import { Buffer } from 'buffer';
import { decodeUtf8, encodeUtf8, TextBytes } from './utf8.ts';

type From = (value: unknown, encodingOrOffset?: unknown, length?: unknown) => Buffer;
type ToString = (this: Buffer, encoding?: unknown, start?: number, end?: number) => string;

// oxlint-disable-next-line typescript/unbound-method -- it needs no `this`
const fromOriginal = Buffer.from as unknown as From;
// oxlint-disable-next-line typescript/unbound-method -- called with its Buffer below
const toStringOriginal = Buffer.prototype.toString as ToString;
// oxlint-disable-next-line typescript/unbound-method -- it needs no `this`
const isEncodingOriginal = (Buffer as unknown as { isEncoding(name: unknown): boolean }).isEncoding;

const isUtf8 = (encoding: unknown): boolean =>
  encoding === undefined ||
  encoding === null ||
  encoding === 'utf8' ||
  encoding === 'utf-8' ||
  encoding === 'UTF-8' ||
  encoding === 'UTF8';
const isBase64Url = (encoding: unknown): boolean => encoding === 'base64url';

const from: From = (value, encoding, length) => {
  if (value instanceof ArrayBuffer && encoding === undefined) return bufferOver(value);
  if (typeof value === 'string') {
    if (isUtf8(encoding)) return ofText(value);
    if (isBase64Url(encoding)) return fromOriginal(value, 'base64');
  }
  return fromOriginal(value, encoding, length);
};

/** As in Node short texts share a slab: an array buffer of its own costs ten times as much. */
const SLAB_BYTES = 8192;
let slab = new Uint8Array(SLAB_BYTES);
let slabUsed = 0;

function ofText(text: string): Buffer {
  const { length } = text;
  if (length > SLAB_BYTES / 2) return bufferOver(encodeUtf8(text).buffer);
  if (slabUsed + length > SLAB_BYTES) {
    slab = new Uint8Array(SLAB_BYTES);
    slabUsed = 0;
  }
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i);
    if (unit >= 0x80) return bufferOver(encodeUtf8(text).buffer);
    slab[slabUsed + i] = unit;
  }
  const offset = slabUsed;
  // The next one begins at a multiple of 8, so that views of numbers over it are possible.
  slabUsed += (length + 7) & ~7;
  return Reflect.construct(TextBytes, [slab.buffer, offset, text], Buffer) as unknown as Buffer;
}

/** What the package does with `setPrototypeOf`, which is slow. */
function bufferOver(bytes: ArrayBuffer): Buffer {
  return Reflect.construct(Uint8Array, [bytes], Buffer) as Buffer;
}

const toString: ToString = function (encoding, start, end) {
  const whole = start === undefined && end === undefined;
  if (isUtf8(encoding)) return decodeUtf8(whole ? this : this.subarray(start, end));
  if (!isBase64Url(encoding)) return toStringOriginal.call(this, encoding, start, end);
  return toStringOriginal
    .call(this, 'base64', start, end)
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replace(/=+$/, '');
};

/** Names Node has twice, and the package once. */
for (const name of ['readBigUInt64LE', 'readBigUInt64BE', 'writeBigUInt64LE', 'writeBigUInt64BE']) {
  const prototype = Buffer.prototype as unknown as Record<string, unknown>;
  prototype[name.replace('UInt', 'Uint')] = prototype[name];
}

function copyBytesFrom(view: ArrayLike<number>, offset = 0, length?: number): Buffer {
  const part = Array.prototype.slice.call(view, offset, length && offset + length) as number[];
  const Kind = (view as unknown as { constructor: new (values: number[]) => Uint8Array })
    .constructor;
  return bufferOver(new Kind(part).buffer as ArrayBuffer);
}

Object.assign(Buffer, {
  copyBytesFrom,
  from,
  isEncoding: (name: unknown) => isBase64Url(name) || isEncodingOriginal(name),
});
Object.defineProperty(Buffer.prototype, 'toString', {
  value: toString,
  writable: true,
  configurable: true,
});

export { Buffer };
