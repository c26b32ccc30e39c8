/**
 * TextEncoder and TextDecoder (Encoding standard §7) for UTF-8, UTF-16 and windows-1252. A module that names
 * TextDecoder brings the other single-byte encodings along (web/single-byte.ts).
 */
import { decodeUtf8Strictly, encodeInto, encodeUtf8, textOfUnits, Utf8Decoder } from './utf8.ts';
import { describeInterface, needArguments, toDictionary } from './webidl.ts';

const labels: Readonly<Record<string, string>> = {
  'utf-8': 'utf8 unicode-1-1-utf-8 unicode11utf8 unicode20utf8 x-unicode20utf8',
  'utf-16le': 'utf-16 csunicode iso-10646-ucs-2 ucs-2 unicode unicodefeff',
  'utf-16be': 'unicodefffe',
  'windows-1252':
    'latin1 ascii us-ascii iso-8859-1 iso8859-1 iso88591 iso_8859-1 iso_8859-1:1987 iso-ir-100 l1 cp1252 x-cp1252 cp819 ibm819 csisolatin1 ansi_x3.4-1968',
};
/** What windows-1252 has where Latin-1 has control characters. */
const windows1252 =
  '\u20ac\x81\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\x8d\u017d\x8f\x90\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\x9d\u017e\u0178';

/** Where the other encodings are found: a function at `TextDecoder[ENCODINGS]`. */
export const ENCODINGS: unique symbol = Symbol.for('isolet.encodings') as never;
export type MoreEncodings = (label: string) => Encoding | undefined;
type Encoding = {
  readonly name: string;
  /** Of a single-byte encoding: those of the bytes from 0x80 on. */
  readonly characters?: string;
  readonly createDecoder?: (fatal: boolean, fail: () => TypeError) => Decoder;
};

function findEncoding(text: string): Encoding | undefined {
  // As ASCII: U+212A is a small `k` by its own rules.
  const label = text
    .replace(/^[\t\n\f\r ]+|[\t\n\f\r ]+$/g, '')
    .replace(/[A-Z]/g, (letter) => letter.toLowerCase());
  for (const [name, others] of Object.entries(labels)) {
    if (label === name || (label !== '' && others.split(' ').includes(label))) return { name };
  }
  return (TextDecoder as unknown as { [ENCODINGS]?: MoreEncodings })[ENCODINGS]?.(label);
}

export class TextEncoder {
  readonly #encoding = 'utf-8';

  get encoding(): string {
    return this.#encoding;
  }
  encode(text = ''): Uint8Array<ArrayBuffer> {
    void this.#encoding;
    return encodeUtf8(`${text}`);
  }
  encodeInto(text: string, bytes: Uint8Array): { read: number; written: number } {
    void this.#encoding;
    needArguments(arguments.length, 2, 'encodeInto');
    const source = `${text}`;
    if (!ArrayBuffer.isView(bytes) || bytes[Symbol.toStringTag] !== 'Uint8Array') {
      throw new TypeError('The second argument of encodeInto must be a Uint8Array');
    }
    return encodeInto(source, 0, bytes, 0);
  }
  static {
    describeInterface(this);
  }
}

export type Decoder = {
  /** `last` = nothing follows; the next text begins anew. Throws what `fail` makes when it is fatal. */
  decode(bytes: Uint8Array, last: boolean): string;
};

export class TextDecoder {
  readonly #encoding: string;
  readonly #fatal: boolean;
  readonly #ignoreBom: boolean;
  readonly #make: (fatal: boolean) => Decoder;
  #decoder: Decoder | undefined;
  /** Something of this text has come out: what follows is no byte order mark. */
  #begun = false;

  constructor(
    label = 'utf-8',
    options: { readonly fatal?: boolean; readonly ignoreBOM?: boolean } = {},
  ) {
    const encoding = findEncoding(`${label}`);
    const { fatal, ignoreBOM } = toDictionary(options, 'The options of a TextDecoder');
    if (encoding === undefined) {
      throw Object.assign(new RangeError(`The "${label}" encoding is not supported`), {
        code: 'ERR_ENCODING_NOT_SUPPORTED',
      });
    }
    this.#encoding = encoding.name;
    this.#make = (strict) => createDecoder(encoding, strict);
    this.#fatal = Boolean(fatal);
    this.#ignoreBom = Boolean(ignoreBOM);
  }

  get encoding(): string {
    return this.#encoding;
  }
  get fatal(): boolean {
    return this.#fatal;
  }
  get ignoreBOM(): boolean {
    return this.#ignoreBom;
  }

  decode(
    ...[input, options]: readonly [
      input?: ArrayBuffer | ArrayBufferView,
      options?: { readonly stream?: boolean },
    ]
  ): string {
    const encoding = this.#encoding;
    const bytes = bytesOf(input);
    const last = !toDictionary(options, 'The options of decode')['stream'];
    const decoder = (this.#decoder ??= this.#make(this.#fatal));
    let text: string;
    try {
      text = decoder.decode(bytes, last);
    } catch (error) {
      this.#decoder = undefined;
      this.#begun = false;
      throw error;
    }
    if (!this.#begun && text !== '') {
      this.#begun = true;
      const mayMark = encoding.startsWith('utf-') && !this.#ignoreBom;
      if (mayMark && text.charCodeAt(0) === 0xfeff) text = text.slice(1);
    }
    if (last) this.#begun = false;
    return text;
  }

  static {
    describeInterface(this);
  }
}

function createDecoder(
  { name, characters, createDecoder: own }: Encoding,
  fatal: boolean,
): Decoder {
  const fail = (): TypeError =>
    Object.assign(new TypeError(`The encoded data was not valid for encoding ${name}`), {
      code: 'ERR_ENCODING_INVALID_ENCODED_DATA',
    });
  if (own !== undefined) return own(fatal, fail);
  if (name === 'utf-8') return utf8(fatal, fail);
  if (name.startsWith('utf-16')) return utf16(name === 'utf-16be', fatal, fail);
  return bytewise(characters ?? windows1252, fatal, fail);
}

function utf8(fatal: boolean, fail: () => TypeError): Decoder {
  let decoder = new Utf8Decoder();
  return {
    decode(bytes, last) {
      const whole = decoder.isUnfinished ? undefined : decodeUtf8Strictly(bytes);
      if (whole !== undefined) return whole;
      const text = decoder.decode(bytes);
      const used = decoder;
      const isCut = last && used.isUnfinished;
      if (last) decoder = new Utf8Decoder();
      if (fatal && (used.broken || isCut)) throw fail();
      return isCut ? text + used.end() : text;
    },
  };
}

function utf16(isBig: boolean, fatal: boolean, fail: () => TypeError): Decoder {
  /** An odd byte waiting for its other half, and the first half of a pair. */
  let half = -1;
  let lead = '';
  return {
    decode(bytes, last) {
      const units = new Uint16Array((bytes.length + (half < 0 ? 0 : 1)) >> 1);
      let count = 0;
      for (let i = 0; i < bytes.length; i++) {
        const byte = bytes[i] as number;
        if (half < 0) {
          half = byte;
        } else {
          units[count++] = isBig ? (half << 8) | byte : half | (byte << 8);
          half = -1;
        }
      }
      let text = lead + textOfUnits(units);
      lead = '';
      if (/[\ud800-\udbff]$/.test(text)) {
        lead = text.slice(-1);
        text = text.slice(0, -1);
      }
      const isCut = last && (half >= 0 || lead !== '');
      if (fatal && (isCut || !text.isWellFormed())) throw fail();
      if (last) {
        half = -1;
        lead = '';
      }
      return text.toWellFormed() + (isCut ? '\ufffd' : '');
    },
  };
}

/** `characters` are those from 0x80 on, or only the first of them. */
function bytewise(characters: string, fatal: boolean, fail: () => TypeError): Decoder {
  const table = Uint16Array.from({ length: 256 }, (_, byte) => {
    const unit = byte < 0x80 ? Number.NaN : characters.charCodeAt(byte - 0x80);
    return Number.isNaN(unit) ? byte : unit;
  });
  return {
    decode(bytes) {
      const units = new Uint16Array(bytes.length);
      for (let i = 0; i < bytes.length; i++) {
        const unit = table[bytes[i] as number] as number;
        if (fatal && unit === 0xfffd) throw fail();
        units[i] = unit;
      }
      return textOfUnits(units);
    },
  };
}

/** `[AllowShared] BufferSource`, or nothing. */
function bytesOf(input: unknown): Uint8Array {
  if (input === undefined) return new Uint8Array(0);
  if (ArrayBuffer.isView(input)) {
    return new Uint8Array(input.buffer, input.byteOffset, input.byteLength);
  }
  try {
    // Throws for whatever is no buffer.
    void byteLength.call(input as ArrayBuffer);
  } catch {
    throw new TypeError('The input of decode must be an ArrayBuffer or a view of one');
  }
  return new Uint8Array(input as ArrayBuffer);
}
const byteLength = Object.getOwnPropertyDescriptor(ArrayBuffer.prototype, 'byteLength')
  ?.get as () => number;
