/**
 * The content of a body (fetch standard §2.2.4): bytes there are, pieces still to come from the network, or a
 * stream. A stream is made of the others only for who asks for it.
 */
import { joinBytes, type Pieces, streamOfBytes, streamOfPieces } from './byte-stream.ts';
import {
  isByteStream,
  isDisturbed,
  type ReadableStream,
  streams,
  withClonedChunks,
} from './streams.ts';

type Parts = readonly Uint8Array[];

export class Content {
  #parts: Parts | undefined;
  /** Nobody else has the parts: who reads them may have them. */
  #isOwner = false;
  readonly #pieces: Pieces | undefined;
  #stream: ReadableStream | undefined;
  /** It was read, or given away, without a stream. */
  #used = false;
  /** Gives up while it is being read. */
  #giveUp: ((reason: unknown) => void) | undefined;

  private constructor(parts?: Parts, pieces?: Pieces, stream?: ReadableStream) {
    this.#parts = parts;
    this.#pieces = pieces;
    this.#stream = stream;
  }

  /** Nobody else has these. */
  static ofBytes(bytes: Uint8Array): Content {
    const content = new Content([bytes]);
    content.#isOwner = true;
    return content;
  }
  /** Shared with others: nobody may write to these any more. */
  static ofParts(parts: Parts): Content {
    return new Content(parts);
  }
  static ofPieces(pieces: Pieces): Content {
    return new Content(undefined, pieces);
  }
  static ofStream(stream: ReadableStream): Content {
    return new Content(undefined, undefined, stream);
  }

  /** Does it come out of a stream of the module's own? */
  get isStreamed(): boolean {
    return this.#parts === undefined && this.#pieces === undefined;
  }
  get isDisturbed(): boolean {
    return this.#used || (this.#stream !== undefined && isDisturbed(this.#stream));
  }
  /** Somebody has read it, or is about to. */
  get isUnusable(): boolean {
    return this.isDisturbed || this.#stream?.locked === true;
  }

  get stream(): ReadableStream {
    this.#stream ??= this.#used ? lockedStream() : this.#open();
    return this.#stream;
  }
  #open(): ReadableStream {
    return this.#pieces === undefined
      ? streamOfBytes(this.#parts ?? [])
      : streamOfPieces(this.#pieces);
  }

  /** All of it. Rejects with a TypeError when it was read before, or is no bytes. */
  async read(): Promise<Uint8Array<ArrayBuffer>> {
    const isOwner = this.#parts === undefined || this.#isOwner;
    return joined(await this.#read(Number.POSITIVE_INFINITY), isOwner);
  }

  /** The same, to be looked at only. Rejects with a TypeError when it is too long, too. */
  async lastRead(bytesMax: number): Promise<Uint8Array> {
    return joined(await this.#read(bytesMax), true);
  }

  async #read(bytesMax: number): Promise<Parts> {
    if (this.isDisturbed) throw new TypeError('The body has already been read');
    if (this.isUnusable) throw new TypeError('The body is being read');
    const stream = this.#stream;
    const there = this.#parts;
    this.#used = true;
    // They are held no longer than needed.
    if (there !== undefined) this.#parts = [];
    const parts: Uint8Array[] = [];
    let size = 0;
    const take = (part: Uint8Array): boolean => {
      parts.push(part);
      size += part.byteLength;
      return size <= bytesMax;
    };
    if (stream !== undefined) {
      const reader: Reader = stream.getReader();
      this.#giveUp = (reason) => void reader.cancel(reason).catch(() => {});
      await readAll(reader, take);
    } else if (this.#pieces !== undefined) await readPieces(this.#pieces, take);
    else there?.forEach(take);
    if (size <= bytesMax) return parts;
    const known = there === undefined ? `more than ${bytesMax}` : size;
    throw new TypeError(
      `The body has ${known} bytes, and fetch sends ${bytesMax} at most: send it in parts`,
    );
  }

  /** Both give the same from now on. */
  clone(): Content {
    if (this.#stream === undefined && this.#parts !== undefined) {
      this.#isOwner = false;
      return new Content(this.#parts);
    }
    const { stream } = this;
    const [left, right] = stream.tee();
    this.#stream = left;
    // What the module made of its own may be changed by who reads it first.
    return Content.ofStream(isByteStream(stream) ? right : withClonedChunks(right));
  }

  /** Moves it to another body; this one counts as read. */
  take(): Content {
    this.#used = true;
    if (this.#stream === undefined) {
      const moved = new Content(this.#parts, this.#pieces);
      moved.#isOwner = this.#isOwner;
      if (this.#parts !== undefined) this.#parts = [];
      return moved;
    }
    const pair = new (streams().TransformStream)<unknown, unknown>();
    return new Content(this.#parts, this.#pieces, this.#stream.pipeThrough(pair));
  }

  /** Nobody will read it, or needs what is being read. */
  cancel(reason: unknown): void {
    this.#giveUp?.(reason);
    if (this.isUnusable) return;
    if (this.#stream !== undefined) this.#stream.cancel(reason).catch(() => {});
    else this.#pieces?.cancel(reason);
    this.#used = true;
  }
}

function joined(parts: Parts, mayHave: boolean): Uint8Array<ArrayBuffer> {
  const [first] = parts;
  const isAll = mayHave && parts.length === 1 && first?.byteLength === first?.buffer.byteLength;
  return isAll ? (first as Uint8Array<ArrayBuffer>) : joinBytes(parts);
}

async function readPieces(pieces: Pieces, take: (part: Uint8Array) => boolean): Promise<void> {
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const piece = await pieces.next();
    if (piece === undefined) return;
    if (!take(piece)) return pieces.cancel();
  }
}

type Reader = {
  read(): Promise<{ readonly done: boolean; readonly value?: unknown }>;
  cancel(reason?: unknown): Promise<void>;
};

async function readAll(reader: Reader, take: (part: Uint8Array) => boolean): Promise<void> {
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const { done, value } = await reader.read();
    if (done) return;
    if (!(value instanceof Uint8Array)) {
      throw new TypeError('A body must be a stream of Uint8Array');
    }
    if (!take(value)) return void reader.cancel().catch(() => {});
  }
}

function lockedStream(): ReadableStream {
  const stream = new (streams().ReadableStream)<Uint8Array>();
  stream.getReader();
  return stream as ReadableStream;
}
