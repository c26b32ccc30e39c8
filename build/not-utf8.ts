/** A source that is not UTF-8 would be read with U+FFFD in the place of what its author wrote: told with its place instead. */
import { isUtf8 } from 'node:buffer';
import type { PartialMessage } from 'esbuild';

const NEWLINE = 10;

/** Undefined = it is UTF-8. `file` as the message shall name it. */
export function notUtf8(bytes: Buffer, file: string): PartialMessage | undefined {
  if (isUtf8(bytes)) return undefined;
  let line = 1;
  let start = 0;
  for (;;) {
    const newline = bytes.indexOf(NEWLINE, start);
    const own = bytes.subarray(start, newline < 0 ? bytes.length : newline);
    if (newline < 0 || !isUtf8(own)) {
      let good = 0;
      for (let next = 0; good < own.length; good = next) {
        next = good + lengthOfNext(own, good);
        if (!isUtf8(own.subarray(good, next))) break;
      }
      const byte = (own[good] ?? 0).toString(16).toUpperCase().padStart(2, '0');
      const lineText = own.toString();
      return {
        text: `The byte 0x${byte} is not UTF-8: save the file as UTF-8`,
        location: { file, line, column: good, length: 1, lineText },
      };
    }
    start = newline + 1;
    line++;
  }
}

/** Bytes of the character that begins here, as its first one has it. */
function lengthOfNext(bytes: Buffer, at: number): number {
  const first = bytes[at] ?? 0;
  if (first < 0xc0) return 1;
  if (first < 0xe0) return 2;
  return first < 0xf0 ? 3 : 4;
}
