/** Packs and unpacks through the host's zlib (src/host/compression-service.ts), piece by piece and off the module's thread. */
import type { Json } from '../../core/json.ts';
import { takeSeam } from '../seam.ts';
import type { Format } from './formats.ts';

/** The host takes no more in one piece. */
const PIECE_BYTES = 262_144;
const ERRNOS: Readonly<Record<string, number>> = {
  Z_NEED_DICT: 2,
  Z_DATA_ERROR: -3,
  Z_BUF_ERROR: -5,
};

export type HostFormat = Format | 'brotli';

/** Is given each piece that comes out; the next one waits for it. */
type Taker = (piece: Uint8Array<ArrayBuffer>) => Promise<void> | void;

export type HostZlib = {
  write(bytes: Uint8Array, take: Taker): Promise<void>;
  end(take: Taker): Promise<void>;
  /** Safe at any time. */
  close(): void;
};

type Told = { readonly bytes: string; readonly done: boolean };

const seam = takeSeam();

function ask(what: string, args: Readonly<Record<string, Json>>): Promise<Json> {
  const error = new Error();
  const own = { __proto__: null, ...args } as never;
  return new Promise((resolve, reject) => {
    seam.hostCall({ t: 'ask', service: 'compression', what, args: own }, (refused, value) => {
      if (refused === undefined) return resolve(value);
      const { code, message } = refused;
      error.message = message.replace(`${code}: compression: `, '');
      error.stack = `Error: ${error.message}${(error.stack ?? '').replace(/^Error/, '')}`;
      const errno = ERRNOS[code];
      reject(Object.assign(error, { code }, errno === undefined ? {} : { errno }));
    });
  });
}

/** `level` undefined = the usual one. */
export function openHostZlib(
  format: HostFormat,
  unpack: boolean,
  level: number | undefined,
): HostZlib {
  let opening: Promise<Json> | undefined;
  let isOver = false;

  function source(): Promise<Json> {
    opening ??= ask('open', { format, unpack, loose: true, level: level ?? null });
    return opening;
  }

  async function pass(
    what: 'write' | 'end',
    bytes: Uint8Array | undefined,
    take: Taker,
  ): Promise<void> {
    try {
      const from = { source: await source() };
      const given = bytes === undefined ? from : { ...from, bytes: bytes.toBase64() };
      for (let told = (await ask(what, given)) as Told; ; ) {
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        if (told.bytes !== '') await take(Uint8Array.fromBase64(told.bytes));
        if (told.done || isOver) break;
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        told = (await ask('read', from)) as Told;
      }
      if (what === 'end') isOver = true;
    } catch (error) {
      close();
      throw error;
    }
  }

  function close(): void {
    if (isOver) return;
    isOver = true;
    opening?.then((from) => ask('close', { source: from })).catch(() => {});
  }

  return {
    async write(bytes, take) {
      for (let at = 0; at < bytes.length && !isOver; at += PIECE_BYTES) {
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        await pass('write', bytes.subarray(at, at + PIECE_BYTES), take);
      }
    },
    end: (take) => pass('end', undefined, take),
    close,
  };
}
