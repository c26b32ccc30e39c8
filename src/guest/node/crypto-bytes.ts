/** Bytes as the functions of `node:crypto` take and give them. */
import { invalidType, withCode } from './node-errors.ts';

export type BytesInput = string | ArrayBufferView | ArrayBuffer;
export type Encoding = string | null | undefined;

/** For `update`: text in an encoding, or a view. */
export function dataBytes(data: unknown, encoding: unknown, name = 'data'): Uint8Array {
  if (typeof data === 'string') {
    const known = typeof encoding === 'string' && Buffer.isEncoding(encoding);
    return Buffer.from(data, known ? (encoding as 'utf8') : 'utf8');
  }
  if (ArrayBuffer.isView(data)) return viewed(data);
  throw invalidType(name, 'of type string or an instance of Buffer, TypedArray, or DataView', data);
}

/** For keys, passwords and salts, which may be array buffers, too. */
export function anyBytes(data: unknown, name: string): Uint8Array {
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  if (typeof data === 'string' || ArrayBuffer.isView(data)) return dataBytes(data, 'utf8', name);
  throw invalidType(
    name,
    'of type string or an instance of ArrayBuffer, Buffer, TypedArray, or DataView',
    data,
  );
}

export function viewed({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** Text in the encoding, or a Buffer without one. */
export function encoded(bytes: Uint8Array<ArrayBuffer>, encoding: Encoding): string | Buffer {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isText =
    typeof encoding === 'string' && encoding !== 'buffer' && Buffer.isEncoding(encoding);
  return isText ? buffer.toString(encoding as 'hex') : buffer;
}

export function outOfRange(name: string, range: string, value: unknown): RangeError {
  return withCode(
    new RangeError(
      `The value of "${name}" is out of range. It must be ${range}. Received ${String(value)}`,
    ),
    'ERR_OUT_OF_RANGE',
  );
}

/** A whole number in these bounds. */
export function checkWhole(name: string, value: unknown, min: number, max: number): number {
  if (typeof value !== 'number') throw invalidType(name, 'of type number', value);
  if (!Number.isInteger(value)) throw outOfRange(name, 'an integer', value);
  if (value < min || value > max) throw outOfRange(name, `>= ${min} && <= ${max}`, value);
  return value;
}
