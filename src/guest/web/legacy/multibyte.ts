/** The frame of the multi-byte decoders of the Encoding standard (§4.1): bytes go to a handler, which may want some again. */
import type { Decoder, MoreEncodings } from '../../world/text-encoding.ts';
import { textOfUnits } from '../../world/utf8.ts';

/** What a handler is given after the last byte. */
export const END = -1;

export type Reader = {
  /** A code point of the text. */
  emit(codePoint: number): void;
  /** What was read is nothing; `again` is read anew, the first first. */
  fail(...again: readonly number[]): void;
};
/** Takes one byte, or END, and keeps what it has to in its closure. */
export type Handler = (byte: number) => void;

export function multibyte(createHandler: (reader: Reader) => Handler) {
  return (fatal: boolean, failure: () => TypeError): Decoder => {
    let units = new Uint16Array(0);
    let count = 0;
    const again: number[] = [];
    const reader: Reader = {
      emit(codePoint) {
        if (codePoint < 0x10000) {
          units[count++] = codePoint;
          return;
        }
        units[count++] = 0xd7c0 + (codePoint >> 10);
        units[count++] = 0xdc00 | (codePoint & 0x3ff);
      },
      fail(...bytes) {
        if (fatal) throw failure();
        units[count++] = 0xfffd;
        for (let i = bytes.length; i > 0; i--) again.push(bytes[i - 1] as number);
      },
    };
    let handle = createHandler(reader);
    const take = (byte: number): void => {
      handle(byte);
      for (let next = again.pop(); next !== undefined; next = again.pop()) handle(next);
    };
    return {
      decode(bytes, last) {
        // Up to three bytes have been kept; none of them gives more than one unit.
        units = new Uint16Array(bytes.length + 8);
        count = 0;
        for (let i = 0; i < bytes.length; i++) take(bytes[i] as number);
        if (last) {
          take(END);
          handle = createHandler(reader);
        }
        return textOfUnits(units.subarray(0, count));
      },
    };
  };
}

type Named = NonNullable<ReturnType<MoreEncodings>> & {
  /** In lower case, with blanks between them. */
  readonly labels: string;
};

export function byLabel(encodings: readonly Named[]): MoreEncodings {
  return (label) =>
    encodings.find(({ labels }) => label !== '' && labels.split(' ').includes(label));
}

const NONE = 0xfffd;
/** V8 has it; the compiler's library does not know it yet. */
const { fromBase64 } = Uint8Array as unknown as { fromBase64(text: string): Uint8Array };

/** An index, read when it is first asked; the pointer's code point, or undefined. */
export function indexOf(base64: string): (pointer: number) => number | undefined {
  let bytes: Uint8Array | undefined;
  return (pointer) => {
    const all = (bytes ??= fromBase64.call(Uint8Array, base64));
    const codePoint = ((all[pointer * 2] ?? 0xff) << 8) | (all[pointer * 2 + 1] ?? 0xfd);
    return codePoint === NONE ? undefined : codePoint;
  };
}

export const isAscii = (byte: number): boolean => byte >= 0 && byte < 0x80;
export const within = (byte: number, from: number, to: number): boolean =>
  byte >= from && byte <= to;
