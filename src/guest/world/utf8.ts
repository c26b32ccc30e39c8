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

/**
 * Bytes that know the text they were made of. Most are decoded again, unchanged, by whoever gets them,
 * and comparing takes a fifth of the time of making a text.
 */
export class TextBytes extends Uint8Array<ArrayBuffer> {
  readonly #text: string;

  constructor(slab: ArrayBuffer, offset: number, text: string) {
    super(slab, offset, text.length);
    this.#text = text;
  }

  /** The text, if each byte is still its character. */
  static textOf(bytes: Uint8Array): string | undefined {
    if (!(#text in bytes)) return undefined;
    const text = bytes.#text;
    if (text.length !== bytes.length) return undefined;
    for (let i = 0; i < bytes.length; i++) {
      if (bytes[i] !== text.charCodeAt(i)) return undefined;
    }
    return text;
  }
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
  const known = TextBytes.textOf(bytes);
  if (known !== undefined) return known;
  if (isAscii(bytes)) return textOfUnits(bytes);
  const decoder = new Utf8Decoder();
  const text = decoder.decode(bytes);
  return decoder.broken || decoder.isUnfinished ? undefined : text;
}

/** Invalid sequences become U+FFFD, one for each maximal part of a sequence (WHATWG Encoding §8.1.1). */
export function decodeUtf8(bytes: Uint8Array): string {
  const known = TextBytes.textOf(bytes);
  if (known !== undefined) return known;
  if (isAscii(bytes)) return textOfUnits(bytes);
  const decoder = new Utf8Decoder();
  return decoder.decode(bytes) + decoder.end();
}

/** A decoder that can be fed in pieces. */
export class Utf8Decoder {
  /** True once an invalid sequence was seen. */
  broken = false;
  #code = 0;
  #needed = 0;
  /** Bounds of the next byte: some sequences would encode what a shorter one does, or a surrogate. */
  #lower = 0x80;
  #upper = 0xbf;

  /** True in the middle of a character. */
  get isUnfinished(): boolean {
    return this.#needed > 0;
  }

  decode(bytes: Uint8Array): string {
    const units = new Uint16Array(Math.min(bytes.length, CHUNK) + 2);
    let text = '';
    let count = 0;
    for (let i = 0; i < bytes.length; i++) {
      const byte = bytes[i] as number;
      if (this.#needed === 0) {
        const unit = byte < 0x80 ? byte : this.#begin(byte);
        if (unit >= 0) units[count++] = unit;
      } else if (byte < this.#lower || byte > this.#upper) {
        this.#reset();
        this.broken = true;
        units[count++] = 0xfffd;
        i--; // The byte may begin a character of its own.
      } else {
        this.#lower = 0x80;
        this.#upper = 0xbf;
        this.#code = (this.#code << 6) | (byte & 0x3f);
        if (--this.#needed === 0) {
          let unit = this.#code;
          if (unit >= 0x10000) {
            units[count++] = 0xd800 + ((unit - 0x10000) >> 10);
            unit = 0xdc00 + ((unit - 0x10000) & 0x3ff);
          }
          units[count++] = unit;
        }
      }
      if (count >= CHUNK) {
        text += textOfUnits(units.subarray(0, count));
        count = 0;
      }
    }
    return text + textOfUnits(units.subarray(0, count));
  }

  /** U+FFFD for a character cut off at the end; ready for the next text. */
  end(): string {
    const cut = this.isUnfinished;
    this.#reset();
    return cut ? '\ufffd' : '';
  }

  #reset(): void {
    this.#needed = 0;
    this.#lower = 0x80;
    this.#upper = 0xbf;
  }

  /** The first byte of a sequence: how many follow. Gives U+FFFD when none can begin so, else -1. */
  #begin(byte: number): number {
    if (byte >= 0xc2 && byte <= 0xdf) {
      this.#needed = 1;
      this.#code = byte & 0x1f;
    } else if (byte >= 0xe0 && byte <= 0xef) {
      if (byte === 0xe0) this.#lower = 0xa0;
      if (byte === 0xed) this.#upper = 0x9f;
      this.#needed = 2;
      this.#code = byte & 0xf;
    } else if (byte >= 0xf0 && byte <= 0xf4) {
      if (byte === 0xf0) this.#lower = 0x90;
      if (byte === 0xf4) this.#upper = 0x8f;
      this.#needed = 3;
      this.#code = byte & 0x7;
    } else {
      this.broken = true;
      return 0xfffd;
    }
    return -1;
  }
}

function isAscii(bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i++) if ((bytes[i] as number) >= 0x80) return false;
  return true;
}

/** One character for each number. */
export function textOfUnits(units: Uint8Array | Uint16Array): string {
  if (units.length <= CHUNK) return fromCharCode.apply(null, units as unknown as number[]);
  let text = '';
  for (let i = 0; i < units.length; i += CHUNK) text += textOfUnits(units.subarray(i, i + CHUNK));
  return text;
}
