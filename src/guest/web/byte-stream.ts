/** Streams of bytes, made when somebody asks for one. */
import { type ReadableStream, streams } from './streams.ts';

type Controller = {
  readonly byobRequest: { respond(count: number): void } | null;
  enqueue(piece: Uint8Array): void;
  close(): void;
};

/** A stream takes what it gives away: pieces are copied out of what they are part of. */
const PIECE_BYTES = 65_536;

/** The bytes themselves stay as they are. */
export function streamOfBytes(parts: readonly Uint8Array[]): ReadableStream<Uint8Array> {
  let part = 0;
  let at = 0;
  return new (streams().ReadableStream)<Uint8Array>({
    type: 'bytes',
    pull(controller: Controller) {
      while (part < parts.length && at >= (parts[part] as Uint8Array).byteLength) {
        part++;
        at = 0;
      }
      if (part >= parts.length) {
        controller.close();
        controller.byobRequest?.respond(0);
        return;
      }
      const piece = (parts[part] as Uint8Array).slice(at, at + PIECE_BYTES);
      at += piece.byteLength;
      controller.enqueue(piece);
    },
  } as never) as never;
}

/** Gives the next piece; undefined = that was all. */
export type Pieces = {
  next(): Promise<Uint8Array | undefined>;
  cancel(reason?: unknown): void;
  /** Runs when they fail while nobody asks for the next one. */
  whenFailed?(run: (reason: unknown) => void): void;
};

/** Nothing is asked for before the stream is. */
export function streamOfPieces(pieces: Pieces): ReadableStream<Uint8Array> {
  return new (streams().ReadableStream)<Uint8Array>({
    type: 'bytes',
    start(controller: Controller & { error(reason: unknown): void }) {
      pieces.whenFailed?.((reason) => controller.error(reason));
    },
    async pull(controller: Controller) {
      let piece = await pieces.next();
      while (piece?.byteLength === 0) {
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        piece = await pieces.next();
      }
      if (piece === undefined) {
        controller.close();
        controller.byobRequest?.respond(0);
      } else {
        controller.enqueue(piece);
      }
    },
    cancel: (reason: unknown) => pieces.cancel(reason),
  } as never) as never;
}

export function joinBytes(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const size = parts.reduce((sum, part) => sum + part.byteLength, 0);
  const all = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.byteLength;
  }
  return all;
}

/** Bytes of a `BufferSource` as they are; undefined for anything else. Throws a TypeError for shared ones. */
export function bytesOfSource(source: unknown): Uint8Array | undefined {
  const isView = ArrayBuffer.isView(source);
  const buffer: unknown = isView ? source.buffer : source;
  if (!(buffer instanceof ArrayBuffer)) {
    if (isView) throw new TypeError('These bytes are shared, and could change meanwhile');
    return undefined;
  }
  return isView
    ? new Uint8Array(buffer, source.byteOffset, source.byteLength)
    : new Uint8Array(buffer);
}
