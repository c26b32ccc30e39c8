/** TextEncoder and TextDecoder for the encodings devices speak: UTF-8, UTF-16LE and Latin-1. */
import { encodeInto, encodeUtf8, Utf8Decoder } from './utf8.ts';

const labels: Readonly<Record<string, string>> = {
  'utf-8': 'utf-8',
  utf8: 'utf-8',
  'unicode-1-1-utf-8': 'utf-8',
  'utf-16le': 'utf-16le',
  'utf-16': 'utf-16le',
  // WHATWG Encoding makes all of these windows-1252; where the two differ (0x80–0x9f) we keep Latin-1.
  latin1: 'windows-1252',
  'iso-8859-1': 'windows-1252',
  ascii: 'windows-1252',
  'us-ascii': 'windows-1252',
  'windows-1252': 'windows-1252',
};

export class TextEncoder {
  get encoding(): string {
    return 'utf-8';
  }

  encode(text = ''): Uint8Array<ArrayBuffer> {
    return encodeUtf8(`${text}`);
  }

  encodeInto(text: string, bytes: Uint8Array): { read: number; written: number } {
    return encodeInto(`${text}`, 0, bytes, 0);
  }
}

export class TextDecoder {
  readonly encoding: string;
  readonly fatal: boolean;
  readonly ignoreBOM: boolean;
  #utf8: Utf8Decoder | undefined;
  /** An odd byte of UTF-16 waiting for its other half. */
  #half = -1;
  #started = false;

  constructor(
    label = 'utf-8',
    options: { readonly fatal?: boolean; readonly ignoreBOM?: boolean } = {},
  ) {
    const encoding = labels[`${label}`.trim().toLowerCase()];
    if (encoding === undefined) {
      throw new RangeError(
        `The "${label}" encoding is not supported: use utf-8, utf-16le or latin1.`,
      );
    }
    this.encoding = encoding;
    this.fatal = options.fatal === true;
    this.ignoreBOM = options.ignoreBOM === true;
  }

  decode(
    input?: ArrayBuffer | ArrayBufferView,
    options: { readonly stream?: boolean } = {},
  ): string {
    const bytes = bytesOf(input);
    const last = options.stream !== true;
    let text: string;
    if (this.encoding === 'utf-8') text = this.#decodeUtf8(bytes, last);
    else if (this.encoding === 'utf-16le') text = this.#decodeUtf16(bytes, last);
    else text = decodeLatin1(bytes);
    if (!this.#started && text !== '') {
      this.#started = true;
      if (!this.ignoreBOM && this.encoding !== 'windows-1252' && text.charCodeAt(0) === 0xfeff) {
        text = text.slice(1);
      }
    }
    if (last) this.#started = false;
    return text;
  }

  #decodeUtf8(bytes: Uint8Array, last: boolean): string {
    const decoder = (this.#utf8 ??= new Utf8Decoder());
    let text = decoder.decode(bytes);
    const cut = last && decoder.isUnfinished;
    if (last) {
      text += decoder.end();
      this.#utf8 = undefined;
    }
    if (this.fatal && (decoder.broken || cut)) {
      this.#utf8 = undefined;
      this.#started = false;
      throw invalidData(this.encoding);
    }
    return text;
  }

  #decodeUtf16(bytes: Uint8Array, last: boolean): string {
    let text = '';
    for (const byte of bytes) {
      if (this.#half < 0) {
        this.#half = byte;
      } else {
        text += String.fromCharCode(this.#half | (byte << 8));
        this.#half = -1;
      }
    }
    if (last && this.#half >= 0) {
      this.#half = -1;
      if (this.fatal) throw invalidData(this.encoding);
      text += '\ufffd';
    }
    if (this.fatal && last && !text.isWellFormed()) throw invalidData(this.encoding);
    return last ? text.toWellFormed() : text;
  }
}

function decodeLatin1(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

function bytesOf(input: ArrayBuffer | ArrayBufferView | undefined): Uint8Array {
  if (input === undefined) return new Uint8Array(0);
  if (ArrayBuffer.isView(input)) {
    return new Uint8Array(input.buffer, input.byteOffset, input.byteLength);
  }
  return new Uint8Array(input);
}

function invalidData(encoding: string): TypeError {
  const error = new TypeError(`The encoded data was not valid for encoding ${encoding}`);
  return Object.assign(error, { code: 'ERR_ENCODING_INVALID_ENCODED_DATA' });
}
