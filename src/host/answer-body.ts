/** The body of an HTTP answer, unpacked when it comes compressed, and read only as it is asked for. */
import type { IncomingMessage } from 'node:http';
import { pipeline, type Transform } from 'node:stream';
import { constants, createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';

export type Piece = { readonly bytes: Uint8Array; readonly done: boolean };

export type AnswerBody = {
  /**
   * What has come of it since last asked, some at least unless it is over. Nothing more is read from the
   * network while nobody asks. Rejects when the connection ends before the body.
   */
  next(): Promise<Piece>;
};

/** What a module may be sent; `deflate` is not asked for: servers disagree about what it is. */
export const acceptedEncodings = 'gzip, br';

/** One encoding on the other is nobody's habit, and a way to make few bytes many. */
const ENCODINGS_MAX = 2;
/** Unpacked at once, as long as there is more. */
const PIECE_BYTES = 65_536;

/** Without a body by its method or status, an answer only claims to be compressed. */
export function createAnswerBody(answer: IncomingMessage, method: string): AnswerBody {
  const unpackers = method === 'HEAD' ? [] : unpackersFor(answer.headers['content-encoding'] ?? '');
  const last = unpackers.at(-1);
  if (last === undefined) return { next: () => nextPlain(answer) };
  // What goes wrong is told by the last of them.
  pipeline([answer, ...unpackers], () => {});
  return { next: () => nextUnpacked(answer, last) };
}

/** None when one of them is unknown: the module gets it as it is. */
function unpackersFor(header: string): readonly Transform[] {
  const names = header
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '' && name !== 'identity');
  const known = names.every((name) => /^(?:x-gzip|gzip|deflate|br)$/.test(name));
  return known && names.length <= ENCODINGS_MAX ? names.toReversed().map(unpacker) : [];
}

/** What is cut short is given as far as it came, as in browsers. */
const lenient = { flush: constants.Z_SYNC_FLUSH, finishFlush: constants.Z_SYNC_FLUSH };

function unpacker(name: string): Transform {
  if (name === 'deflate') return createInflate(lenient);
  if (name !== 'br') return createGunzip(lenient);
  const { BROTLI_OPERATION_FLUSH } = constants;
  return createBrotliDecompress({
    flush: BROTLI_OPERATION_FLUSH,
    finishFlush: BROTLI_OPERATION_FLUSH,
  });
}

async function nextPlain(answer: IncomingMessage): Promise<Piece> {
  for (;;) {
    const bytes = answer.read() as Buffer | null;
    const done = answer.complete && answer.readableLength === 0;
    // Read beyond the last byte, so that the connection is free for the next request.
    if (done) answer.resume();
    if (bytes !== null || done) return { bytes: bytes ?? new Uint8Array(), done };
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await news(answer, () => answer.complete);
  }
}

async function nextUnpacked(answer: IncomingMessage, unpacker: Transform): Promise<Piece> {
  const parts: Buffer[] = [];
  let size = 0;
  for (;;) {
    const part = unpacker.read() as Buffer | null;
    if (part !== null) parts.push(part);
    size += part?.byteLength ?? 0;
    const done = unpacker.writableFinished && unpacker.readableLength === 0;
    // Once all has come over the network, the rest takes zlib no time.
    const isEnough = size >= PIECE_BYTES || (size > 0 && !answer.complete);
    if (done || (isEnough && part !== null)) {
      if (done) unpacker.resume();
      return { bytes: Buffer.concat(parts), done };
    }
    if (part !== null) continue;
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await news(unpacker, () => unpacker.readableEnded || unpacker.writableFinished);
  }
}

function news(source: IncomingMessage | Transform, isComplete: () => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const over = (settle: () => void): void => {
      source.off('readable', come).off('end', come).off('finish', come);
      source.off('error', fail).off('close', close);
      settle();
    };
    const come = (): void => over(resolve);
    const fail = (cause: Error): void => over(() => reject(cause));
    const close = (): void => fail(Object.assign(new Error('closed'), { code: 'ECONNRESET' }));
    if (source.errored) return reject(source.errored);
    if (source.closed && !isComplete()) return close();
    source.on('readable', come).on('end', come).on('finish', come);
    source.on('error', fail).on('close', close);
  });
}
