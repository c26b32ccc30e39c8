/** Calls to the host half of `fs/promises` (src/host/file-service.ts), with errors in Node's words. */
import type { Json, JsonObject } from '../../core/json.ts';
import { takeSeam } from '../seam.ts';
import { invalidType } from './node-errors.ts';

const seam = takeSeam();
/** The host's limits; beyond them it would take us for hostile. */
const PATH_MAX = 4096;
const DATA_MAX = 1_048_576;

/** `syscall` and `path` are for the error only. */
export function askFiles<Value extends Json>(
  what: string,
  args: JsonObject,
  syscall: string = what,
  path?: string,
): Promise<Value> {
  // The stack of a rejected call should name its caller, not the answer's arrival.
  const error = new Error();
  return new Promise((resolve, reject) => {
    seam.hostCall({ t: 'ask', service: 'files', what, args }, (refused, value) => {
      if (refused === undefined) {
        resolve(value as Value);
        return;
      }
      const { code } = refused;
      // Which of its own calls the host failed in is nothing to the module.
      const call = code === 'EISDIR' && syscall === 'open' ? 'read' : syscall;
      const message = refused.message.replace(/,(?: [a-z]+)? (?='[^]*'$)/, `, ${call} `);
      error.message = message;
      error.stack = `${error.name}: ${message}${(error.stack ?? '').replace(/^Error/, '')}`;
      const where = path ?? args['path'];
      reject(
        Object.assign(error, {
          code,
          syscall: call,
          ...(where === undefined ? {} : { path: where }),
        }),
      );
    });
  });
}

/** A text, or a file URL. */
export function asPath(given: unknown): string {
  const path = isFileUrl(given) ? decodeURIComponent(given.pathname) : given;
  const plain = path instanceof Uint8Array ? Buffer.from(path).toString() : path;
  if (typeof plain !== 'string') {
    throw invalidType('path', 'of type string or an instance of Buffer or URL', given);
  }
  if (plain.length > PATH_MAX) throw failure('ENAMETOOLONG', 'name too long', plain);
  return plain;
}

function isFileUrl(given: unknown): given is { readonly pathname: string } {
  const { protocol, pathname } = (given ?? {}) as { protocol?: unknown; pathname?: unknown };
  return protocol === 'file:' && typeof pathname === 'string';
}

export function failure(code: string, what: string, path: string, syscall = 'open'): Error {
  const error = new Error(`${code}: ${what}, ${syscall} '${path}'`);
  return Object.assign(error, { code, syscall, path });
}

type Encoding = string | null | undefined;

/** As it crosses to the host: UTF-8 as it is, all else as base64. */
export function encodeData(data: unknown, encoding: Encoding, path: string): JsonObject {
  if (typeof data === 'string' && isUtf8(encoding ?? 'utf8') && data.isWellFormed()) {
    if (data.length > DATA_MAX) throw failure('EFBIG', 'file too large', path);
    return { data, encoding: 'utf8' };
  }
  const bytes = bytesOf(data, encoding);
  if (bytes.length > DATA_MAX) throw failure('EFBIG', 'file too large', path);
  return { data: bytes.toString('base64'), encoding: 'base64' };
}

export function bytesOf(data: unknown, encoding?: Encoding): Buffer {
  if (typeof data === 'string') return Buffer.from(data, (encoding ?? 'utf8') as 'utf8');
  if (ArrayBuffer.isView(data))
    return Buffer.from(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
  throw invalidType(
    'data',
    'of type string or an instance of Buffer, TypedArray, or DataView',
    data,
  );
}

export function isUtf8(encoding: Encoding): boolean {
  return /^utf-?8$/i.test(encoding ?? '');
}
