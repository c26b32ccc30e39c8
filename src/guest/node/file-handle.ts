/** An open file, as `fs/promises.open` gives it. It closes with the module, at the latest. */
import { EventEmitter } from 'events';
import type { JsonObject } from '../../core/json.ts';
import { askFiles, bytesOf, encodeData, isUtf8 } from './file-calls.ts';
import { Stats } from './file-stats.ts';

type Encoding = string | null | undefined;
type WithEncoding = Encoding | { readonly encoding?: Encoding };
type ReadOptions = {
  readonly buffer?: Uint8Array;
  readonly offset?: number | null;
  readonly length?: number | null;
  readonly position?: number | bigint | null;
};

/** Read at once. */
const PIECE_BYTES = 65_536;
const BUFFER_BYTES = 16_384;

export class FileHandle extends EventEmitter {
  readonly #path: string;
  #handle: number;
  #closing: Promise<void> | undefined;

  constructor(handle: number, path: string) {
    super();
    this.#handle = handle;
    this.#path = path;
  }
  get fd(): number {
    return this.#handle;
  }

  #ask<Value extends JsonObject | string | number | null>(
    what: string,
    args: JsonObject = {},
  ): Promise<Value> {
    return askFiles<Value>(what, { handle: this.#handle, ...args }, what, this.#path);
  }

  async read(
    given: Uint8Array | ReadOptions = {},
    offsetOrOptions?: number | ReadOptions | null,
    givenLength?: number | null,
    givenPosition?: number | bigint | null,
  ): Promise<{ bytesRead: number; buffer: Uint8Array }> {
    const isView = ArrayBuffer.isView(given);
    const named = typeof offsetOrOptions === 'object' && offsetOrOptions !== null;
    const options: ReadOptions = isView ? (named ? offsetOrOptions : {}) : given;
    const buffer = isView ? given : (options.buffer ?? Buffer.alloc(BUFFER_BYTES));
    const offset = (named ? options.offset : (offsetOrOptions as number)) ?? options.offset ?? 0;
    const length = givenLength ?? options.length ?? buffer.byteLength - offset;
    const position = givenPosition ?? options.position;
    const at = position === null || position === undefined ? {} : { position: Number(position) };
    const text = await this.#ask<string>('read', { length, ...at });
    const bytes = Buffer.from(text, 'base64');
    buffer.set(bytes, offset);
    return { bytesRead: bytes.length, buffer };
  }

  async write(
    data: string | Uint8Array,
    offsetOrPosition?: number | null,
    lengthOrEncoding?: number | string | null,
    givenPosition?: number | null,
  ): Promise<{ bytesWritten: number; buffer: string | Uint8Array }> {
    const isText = typeof data === 'string';
    const offset = isText ? 0 : (offsetOrPosition ?? 0);
    const encoding = isText ? (lengthOrEncoding as string | undefined) : undefined;
    const all = bytesOf(data, encoding);
    const length = isText
      ? all.length
      : ((lengthOrEncoding as number | null) ?? all.length - offset);
    const position = isText ? offsetOrPosition : givenPosition;
    const at = typeof position === 'number' ? { position } : {};
    const part = all.subarray(offset, offset + length);
    const bytesWritten = await this.#ask<number>('write', {
      ...encodeData(part, null, this.#path),
      ...at,
    });
    return { bytesWritten, buffer: data };
  }

  /** From where it stands to its end. */
  async readFile(options?: WithEncoding): Promise<Buffer | string> {
    const encoding = encodingOf(options);
    const pieces: Buffer[] = [];
    for (;;) {
      const piece = Buffer.from(await this.#ask<string>('read', { length: PIECE_BYTES }), 'base64');
      if (piece.length === 0) break;
      pieces.push(piece);
    }
    const whole = Buffer.concat(pieces);
    return encoding ? whole.toString(encoding as 'utf8') : whole;
  }

  async writeFile(data: string | Uint8Array, options?: WithEncoding): Promise<void> {
    let rest = bytesOf(data, encodingOf(options));
    while (rest.length > 0) {
      const { bytesWritten } = await this.write(rest.subarray(0, PIECE_BYTES));
      rest = rest.subarray(bytesWritten) as Buffer;
    }
  }
  appendFile(data: string | Uint8Array, options?: WithEncoding): Promise<void> {
    return this.writeFile(data, options);
  }

  /** The file's lines, without their ends. */
  async *readLines(options?: WithEncoding): AsyncGenerator<string> {
    const decoder = new TextDecoder(isUtf8(encodingOf(options) ?? 'utf8') ? 'utf-8' : 'latin1');
    let rest = '';
    for (;;) {
      const piece = Buffer.from(await this.#ask<string>('read', { length: PIECE_BYTES }), 'base64');
      rest += decoder.decode(piece, { stream: piece.length > 0 });
      const lines = rest.split(/\r?\n/);
      rest = lines.pop() ?? '';
      yield* lines;
      if (piece.length === 0) break;
    }
    if (rest !== '') yield rest;
  }

  async stat(): Promise<Stats> {
    return new Stats(await this.#ask<JsonObject>('stat'));
  }
  async truncate(length = 0): Promise<void> {
    await this.#ask('truncate', { length });
  }
  async sync(): Promise<void> {
    await this.#ask('sync');
  }
  async datasync(): Promise<void> {
    await this.#ask('datasync');
  }
  close(): Promise<void> {
    this.#closing ??= this.#ask('close').then(() => {
      this.#handle = -1;
      this.emit('close');
    });
    return this.#closing;
  }
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function encodingOf(options: WithEncoding): Encoding {
  return typeof options === 'object' && options !== null ? options.encoding : options;
}
