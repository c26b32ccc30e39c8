/** What a module has written and the host has not taken yet, in the form in which it crosses. */
import type { Encoding } from './words.ts';

type Chunk = {
  readonly data: string;
  readonly base64: boolean;
  readonly done: (() => void) | undefined;
};

export type OutgoingBody = {
  /** Characters that wait. */
  length(): number;
  push(chunk: string | Uint8Array, encoding?: Encoding, done?: () => void): void;
  /** As many chunks of one kind as make a piece. */
  take(): {
    readonly data: string;
    readonly base64: boolean;
    readonly done: readonly (() => void)[];
  };
  clear(): void;
};

/** Bytes in one piece; a multiple of three, so that base64 has no end in the middle. */
const PIECE_BYTES = 49_152;

export function createOutgoingBody(): OutgoingBody {
  let chunks: Chunk[] = [];
  let waiting = 0;

  function add(data: string, base64: boolean, done: (() => void) | undefined): void {
    chunks.push({ data, base64, done });
    waiting += data.length;
  }

  return {
    length: () => waiting,
    push(chunk, encoding, done) {
      const isUtf8 = encoding === undefined || encoding === 'utf8' || encoding === 'utf-8';
      if (typeof chunk === 'string' && isUtf8 && chunk.length <= PIECE_BYTES) {
        add(chunk, false, done);
        return;
      }
      const bytes =
        typeof chunk === 'string'
          ? Buffer.from(chunk, encoding)
          : Buffer.from(chunk.buffer as ArrayBuffer, chunk.byteOffset, chunk.byteLength);
      for (let at = 0; at < bytes.length || at === 0; at += PIECE_BYTES) {
        const isLast = at + PIECE_BYTES >= bytes.length;
        const part = (bytes.subarray(at, at + PIECE_BYTES) as Buffer).toString('base64');
        add(part, true, isLast ? done : undefined);
      }
    },
    take() {
      const base64 = chunks[0]?.base64 ?? false;
      const done: (() => void)[] = [];
      let data = '';
      let count = 0;
      for (const chunk of chunks) {
        // Base64 of two chunks is no base64 of both.
        if (count > 0 && (base64 || chunk.base64)) break;
        if (count > 0 && data.length + chunk.data.length > PIECE_BYTES) break;
        data += chunk.data;
        if (chunk.done !== undefined) done.push(chunk.done);
        count++;
      }
      chunks = count === chunks.length ? [] : chunks.slice(count);
      waiting -= data.length;
      return { data, base64, done };
    },
    clear() {
      chunks = [];
      waiting = 0;
    },
  };
}
