/** Percent-encoding (URL standard §1.3): which bytes of a text are written as `%XX`, and back. */
import { decodeUtf8, encodeUtf8 } from '../world/utf8.ts';

/** Matches what has to be encoded: beyond ASCII everything, and a set of its own of ASCII. */
export type PercentSet = RegExp;

const beyond = '\\x00-\\x1f\\x7f-\\u{10ffff}';
const query = ` "#<>`;
const path = `${query}?^\`{}`;
const userinfo = `${path}/:;=@\\[\\\\\\]|`;
const setOf = (ascii: string): PercentSet => new RegExp(`[${beyond}${ascii}]+`, 'gu');

export const controlSet = setOf('');
export const fragmentSet = setOf(' "<>`');
export const querySet = setOf(query);
export const specialQuerySet = setOf(`${query}'`);
export const pathSet = setOf(path);
export const userinfoSet = setOf(userinfo);

const HEX = '0123456789ABCDEF';

export function percentEncode(text: string, set: PercentSet): string {
  return text.replace(set, encodeAll);
}

/** Lone surrogates as U+FFFD. */
function encodeAll(text: string): string {
  let result = '';
  for (const byte of encodeUtf8(text)) result += `%${HEX[byte >> 4]}${HEX[byte & 15]}`;
  return result;
}

/** What is no `%XX` stays as it is. */
export function percentDecode(text: string): string {
  return text.includes('%') ? decodeUtf8(percentDecodeBytes(encodeUtf8(text))) : text;
}

/** Changes the bytes it is given, and returns the part of them that is left. */
export function percentDecodeBytes(bytes: Uint8Array): Uint8Array {
  let length = 0;
  for (let i = 0; i < bytes.length; i++, length++) {
    const byte = bytes[i] as number;
    const high = byte === 0x25 ? hexOf(bytes[i + 1]) : -1;
    const low = high < 0 ? -1 : hexOf(bytes[i + 2]);
    bytes[length] = low < 0 ? byte : high * 16 + low;
    if (low >= 0) i += 2;
  }
  return bytes.subarray(0, length);
}

function hexOf(byte: number | undefined): number {
  if (byte === undefined) return -1;
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}
