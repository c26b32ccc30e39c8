/** `Blob` and `File` (File API §3, §4). Their bytes are in the module's own memory. */
import {
  CLONE,
  describeInterface,
  needArguments,
  toDictionary,
  toNumber,
  toUsv,
} from '../world/webidl.ts';
import { bytesOfSource, joinBytes, streamOfBytes } from './byte-stream.ts';
import type { ReadableStream } from './streams.ts';
import { textStream } from './text-streams.ts';

export type BlobPart = string | ArrayBuffer | ArrayBufferView | Blob;
type BlobOptions = { readonly type?: string; readonly endings?: 'transparent' | 'native' };

let partsIn: (blob: Blob) => readonly Uint8Array[];
let build: (parts: readonly Uint8Array[], type: string, into: Blob) => void;
let isIn: (value: object) => boolean;

export class Blob {
  #parts: readonly Uint8Array[] = [];
  #size = 0;
  #type = '';

  constructor(...[parts, options]: readonly [parts?: Iterable<BlobPart>, options?: BlobOptions]) {
    const list = parts === undefined ? [] : toParts(parts);
    const own = toDictionary(options, 'The options of a Blob');
    const endings = toEndings(own['endings']);
    const type = toType(own['type']);
    build(encodeParts(list, endings), type, this);
  }

  get size(): number {
    return this.#size;
  }
  get type(): string {
    return this.#type;
  }

  slice(
    ...[start, end, contentType]: readonly [start?: number, end?: number, type?: string]
  ): Blob {
    const size = this.#size;
    const from = toPosition(start, 0, size);
    const to = Math.max(from, toPosition(end, size, size));
    const parts: Uint8Array[] = [];
    let at = 0;
    for (const part of this.#parts) {
      const cut = part.subarray(Math.max(0, from - at), Math.max(0, to - at));
      if (cut.byteLength > 0) parts.push(cut);
      at += part.byteLength;
    }
    const blob = new Blob();
    build(parts, toType(contentType), blob);
    return blob;
  }

  stream(): ReadableStream<Uint8Array> {
    return streamOfBytes(this.#parts);
  }
  async text(): Promise<string> {
    return new TextDecoder().decode(joinBytes(this.#parts));
  }
  textStream(): ReadableStream<string> {
    return textStream(this.stream());
  }
  async arrayBuffer(): Promise<ArrayBuffer> {
    return joinBytes(this.#parts).buffer;
  }
  async bytes(): Promise<Uint8Array<ArrayBuffer>> {
    return joinBytes(this.#parts);
  }

  [CLONE](): Blob {
    const copy = new Blob();
    build(this.#parts, this.#type, copy);
    return copy;
  }

  static {
    partsIn = (blob) => blob.#parts;
    isIn = (value) => #parts in value;
    build = (parts, type, into) => {
      into.#parts = parts;
      into.#size = parts.reduce((sum, part) => sum + part.byteLength, 0);
      into.#type = type;
    };
    describeInterface(this);
  }
}

type FileOptions = BlobOptions & { readonly lastModified?: number };

export class File extends Blob {
  readonly #name: string;
  readonly #lastModified: number;

  constructor(parts: Iterable<BlobPart>, name: string, ...[options]: readonly [FileOptions?]) {
    needArguments(arguments.length, 2, 'The constructor of File');
    super();
    const list = toParts(parts);
    this.#name = toUsv(name);
    const own = toDictionary(options, 'The options of a File');
    const endings = toEndings(own['endings']);
    const { lastModified } = own;
    this.#lastModified = lastModified === undefined ? Date.now() : toLong(lastModified);
    build(encodeParts(list, endings), toType(own['type']), this);
  }

  get name(): string {
    return this.#name;
  }
  get lastModified(): number {
    return this.#lastModified;
  }

  override [CLONE](): File {
    const { lastModified, type } = this;
    return new File([this], this.#name, { lastModified, type });
  }

  static {
    describeInterface(this);
  }
}

export function isBlob(value: unknown): value is Blob {
  return typeof value === 'object' && value !== null && isIn(value);
}

/** Shared with the Blob: nobody may write to them. */
export function blobParts(blob: Blob): readonly Uint8Array[] {
  return partsIn(blob);
}

/** A Blob of these very bytes, which nobody writes to any more. */
export function createBlob(parts: readonly Uint8Array[], type: string): Blob {
  const blob = new Blob();
  build(parts, toType(type), blob);
  return blob;
}

/** Texts stay texts, whose line ends may have to be changed. */
function toParts(parts: unknown): (string | Uint8Array)[] {
  const each =
    typeof parts === 'object' || typeof parts === 'function'
      ? (parts as { [Symbol.iterator]?: unknown } | null)?.[Symbol.iterator]
      : undefined;
  if (typeof each !== 'function') throw new TypeError('The parts of a Blob must be a sequence');
  const list: (string | Uint8Array)[] = [];
  const iterator = { [Symbol.iterator]: () => Reflect.apply(each, parts, []) as Iterator<unknown> };
  // One after the other: converting one may change what follows.
  for (const part of iterator) {
    if (isBlob(part)) list.push(...partsIn(part));
    else list.push(bytesOfSource(part)?.slice() ?? toUsv(part));
  }
  return list;
}

function encodeParts(
  parts: readonly (string | Uint8Array)[],
  endings: 'transparent' | 'native',
): Uint8Array[] {
  const encoder = new TextEncoder();
  const withEndings = (text: string): string =>
    endings === 'native' ? text.replaceAll(/\r\n?/g, '\n') : text;
  return parts.map((part) => (typeof part === 'string' ? encoder.encode(withEndings(part)) : part));
}

function toEndings(value: unknown): 'transparent' | 'native' {
  if (value === undefined) return 'transparent';
  const text = `${value as string}`;
  if (text === 'transparent' || text === 'native') return text;
  throw new TypeError(`The "endings" of a Blob are "transparent" or "native", not "${text}"`);
}

function toType(value: unknown): string {
  const text = value === undefined ? '' : `${value as string}`;
  return /[^\x20-\x7e]/.test(text) ? '' : text.toLowerCase();
}

/** `[Clamp] long long`, counted from the end when it is negative. */
function toPosition(value: unknown, otherwise: number, size: number): number {
  if (value === undefined) return otherwise;
  const number = toNumber(value);
  const whole = Number.isNaN(number) ? 0 : roundHalfEven(number);
  return whole < 0 ? Math.max(size + whole, 0) : Math.min(whole, size);
}
function roundHalfEven(number: number): number {
  const rounded = Math.round(number);
  return Math.abs(number % 1) === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}

/** `long long` */
function toLong(value: unknown): number {
  const number = Math.trunc(toNumber(value));
  return Number.isFinite(number) ? number + 0 : 0;
}
