/**
 * Stands in for `node:fs/promises`: text files below the directories of the module's `Binds`. What
 * is not there is not granted.
 */
import { type HostRequest, takeSeam } from '../seam.ts';
import { decodeUtf8Strictly, encodeUtf8 } from '../world/utf8.ts';

const seam = takeSeam();
/** The host's limits; beyond them it would take us for hostile. */
const PATH_MAX = 4096;
const TEXT_MAX = 1_048_576;

type Encoding = string | null | undefined;
type Options = Encoding | { readonly encoding?: Encoding; readonly flag?: string };

export function readFile(
  path: string,
  options: 'utf8' | 'utf-8' | { encoding: 'utf8' | 'utf-8' },
): Promise<string>;
export function readFile(path: string, options?: null | { encoding?: null }): Promise<Buffer>;
export async function readFile(path: string, options?: Options): Promise<string | Buffer> {
  const encoding = encodingOf(options);
  const text = await ask<string>('open', { t: 'readFile', path: asPath(path) });
  const isText = encoding === 'utf8' || encoding === 'utf-8';
  if (isText) return text;
  const bytes = Buffer.from(encodeUtf8(text).buffer);
  return encoding ? bytes.toString(encoding) : bytes;
}

export async function readdir(path: string): Promise<string[]> {
  return ask<string[]>('scandir', { t: 'readDir', path: asPath(path) });
}

/** The whole file is replaced. */
export async function writeFile(
  path: string,
  data: string | Uint8Array,
  options?: Options,
): Promise<void> {
  const flag = typeof options === 'object' && options !== null ? options.flag : undefined;
  if (flag !== undefined && flag !== 'w')
    throw failure('ENOTSUP', `a module cannot open with the flag '${flag}'`, path);
  const text = typeof data === 'string' ? data : decodeUtf8Strictly(data);
  if (text === undefined) throw failure('ENOTSUP', 'a module can write UTF-8 text only', path);
  if (text.length > TEXT_MAX) throw failure('EFBIG', 'file too large', path);
  await ask<null>('open', { t: 'writeFile', path: asPath(path), text });
}

type FileRequest = Extract<HostRequest, { readonly path: string }>;

function ask<Value>(syscall: string, request: FileRequest): Promise<Value> {
  // The stack of a rejected call should name its caller, not the answer's arrival.
  const error = new Error();
  return new Promise((resolve, reject) => {
    seam.hostCall(request, (refused, value) => {
      if (refused === undefined) {
        resolve(value as Value);
        return;
      }
      const { code, message } = refused;
      error.message = message;
      error.stack = `${error.name}: ${message}${(error.stack ?? '').replace(/^Error/, '')}`;
      reject(Object.assign(error, { code, syscall, path: request.path }));
    });
  });
}

function asPath(path: unknown): string {
  if (typeof path === 'string') {
    if (path.length <= PATH_MAX) return path;
    throw failure('ENAMETOOLONG', 'name too long', path);
  }
  throw Object.assign(
    new TypeError(`The "path" argument must be of type string. Received ${typeof path}`),
    { code: 'ERR_INVALID_ARG_TYPE' },
  );
}

function encodingOf(options: Options): Encoding {
  return typeof options === 'object' && options !== null ? options.encoding : options;
}

function failure(code: string, what: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${what}, open '${path}'`), {
    code,
    syscall: 'open',
    path,
  });
}

// oxlint-disable-next-line import/no-default-export -- modules write `import fs from`
export default { readdir, readFile, writeFile };
