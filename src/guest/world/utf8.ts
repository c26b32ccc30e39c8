/** UTF-8 in plain JavaScript: for the short texts of messages faster than any call to the host. */

/** Characters per `String.fromCharCode` call: more would overflow the stack. */
const CHUNK = 8192;
const { fromCharCode } = String;

/** Lone surrogates become U+FFFD, as everywhere. */
export function encodeUtf8(text: string): Uint8Array<ArrayBuffer> {
  const length = text.length;
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i);
    if (unit >= 0x80) return encodeWide(text, bytes, i);
    bytes[i] = unit;
  }
  return bytes;
}

function encodeWide(text: string, ascii: Uint8Array, start: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(start + (text.length - start) * 3);
  bytes.set(ascii.subarray(0, start));
  const { written } = encodeInto(text, start, bytes, start);
  return bytes.slice(0, written);
}

/** Encodes from `from` to `at` until either end; a character is written whole or not at all. */
export function encodeInto(
  text: string,
  from: number,
  bytes: Uint8Array,
  at: number,
): { readonly read: number; readonly written: number } {
  let read = from;
  let written = at;
  while (read < text.length) {
    const unit = text.charCodeAt(read);
    let code = unit;
    let units = 1;
    if (unit >= 0xd800 && unit <= 0xdfff) {
      const next = unit < 0xdc00 ? text.charCodeAt(read + 1) : 0;
      if (next >= 0xdc00 && next <= 0xdfff) {
        code = (unit - 0xd800) * 0x400 + (next - 0xdc00) + 0x10000;
        units = 2;
      } else {
        code = 0xfffd;
      }
    }
    const size = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    if (written + size > bytes.length) break;
    if (size === 1) {
      bytes[written++] = code;
    } else {
      bytes[written++] = (0xf00 >> size) | (code >> (6 * (size - 1)));
      for (let i = size - 2; i >= 0; i--) bytes[written++] = 0x80 | ((code >> (6 * i)) & 0x3f);
    }
    read += units;
  }
  return { read, written };
}

/** The text, a byte order mark included, or undefined when the bytes are not valid UTF-8. */
export function decodeUtf8Strictly(bytes: Uint8Array): string | undefined {
  const decoder = createUtf8Decoder();
  const text = decoder.decode(bytes);
  return decoder.broken || decoder.unfinished() ? undefined : text;
}

/** Invalid sequences become U+FFFD, one for each maximal part of a sequence (WHATWG Encoding §8.1.1). */
export function decodeUtf8(bytes: Uint8Array): string {
  const decoder = createUtf8Decoder();
  return decoder.decode(bytes) + decoder.end();
}

export type Utf8Decoder = {
  /** True once an invalid sequence was seen. */
  readonly broken: boolean;
  decode(bytes: Uint8Array): string;
  /** True in the middle of a character. */
  unfinished(): boolean;
  /** U+FFFD for a character cut off at the end; ready for the next text. */
  end(): string;
};

/** A decoder that can be fed in pieces. */
export function createUtf8Decoder(): Utf8Decoder {
  let code = 0;
  let needed = 0;
  let lower = 0x80;
  let upper = 0xbf;
  let broken = false;

  function start(byte: number): number {
    if (byte < 0x80) return byte;
    if (byte >= 0xc2 && byte <= 0xdf) {
      needed = 1;
      code = byte & 0x1f;
    } else if (byte >= 0xe0 && byte <= 0xef) {
      if (byte === 0xe0) lower = 0xa0;
      if (byte === 0xed) upper = 0x9f;
      needed = 2;
      code = byte & 0xf;
    } else if (byte >= 0xf0 && byte <= 0xf4) {
      if (byte === 0xf0) lower = 0x90;
      if (byte === 0xf4) upper = 0x8f;
      needed = 3;
      code = byte & 0x7;
    } else {
      broken = true;
      return 0xfffd;
    }
    return -1;
  }

  function decode(bytes: Uint8Array): string {
    const length = bytes.length;
    const units = new Uint16Array(Math.min(length, CHUNK) + 2);
    let text = '';
    let count = 0;
    for (let i = 0; i < length; i++) {
      const byte = bytes[i] as number;
      if (needed === 0) {
        const unit = byte < 0x80 ? byte : start(byte);
        if (unit >= 0) units[count++] = unit;
      } else if (byte < lower || byte > upper) {
        needed = 0;
        lower = 0x80;
        upper = 0xbf;
        broken = true;
        units[count++] = 0xfffd;
        i--; // The byte may begin a character of its own.
      } else {
        lower = 0x80;
        upper = 0xbf;
        code = (code << 6) | (byte & 0x3f);
        if (--needed === 0) {
          if (code >= 0x10000) {
            code -= 0x10000;
            units[count++] = 0xd800 + (code >> 10);
            code = 0xdc00 + (code & 0x3ff);
          }
          units[count++] = code;
        }
      }
      if (count >= CHUNK) {
        text += textOf(units, count);
        count = 0;
      }
    }
    return text + textOf(units, count);
  }

  return {
    get broken() {
      return broken;
    },
    decode,
    unfinished: () => needed > 0,
    end() {
      const cut = needed > 0;
      needed = 0;
      lower = 0x80;
      upper = 0xbf;
      return cut ? '\ufffd' : '';
    },
  };
}

function textOf(units: Uint16Array, count: number): string {
  if (count === 0) return '';
  return fromCharCode.apply(null, units.subarray(0, count) as unknown as number[]);
}
