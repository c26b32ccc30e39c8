/** Bytes and text. */
import { isUtf8 } from 'node:buffer';

/** The text these bytes are in UTF-8, or undefined when they are not. */
export function asText(bytes: Uint8Array): string | undefined {
  if (!isUtf8(bytes)) return undefined;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}

export function asBytes(text: string): Uint8Array {
  return Buffer.from(text, 'utf8');
}
