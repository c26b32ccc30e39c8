/**
 * Stands in for `node:fs/promises`: files below the directories of the module's `Binds`. What is not
 * there (symbolic links, owners, modes, watching) is not granted.
 */
import type { JsonObject } from '../../core/json.ts';
import { askFiles, asPath, bytesOf, encodeData, isUtf8 } from './file-calls.ts';
import { FileHandle } from './file-handle.ts';
import { Dirent, Stats } from './file-stats.ts';
import { abortReason, invalidValue, type Signal } from './node-errors.ts';

type Path = string | Uint8Array | { readonly href: string };
type Encoding = string | null | undefined;
type Options =
  | Encoding
  | {
      readonly encoding?: Encoding;
      readonly flag?: string;
      readonly flush?: boolean;
      readonly signal?: Signal;
    };
type File = Path | FileHandle;
type Data =
  | string
  | ArrayBufferView
  | Iterable<string | ArrayBufferView>
  | AsyncIterable<string | ArrayBufferView>;

export const constants = Object.freeze({
  F_OK: 0,
  R_OK: 4,
  W_OK: 2,
  X_OK: 1,
  COPYFILE_EXCL: 1,
});

const plain = (options: Options): Exclude<Options, Encoding> =>
  typeof options === 'object' && options !== null ? options : { encoding: options };

function checkSignal(signal: Signal | undefined): void {
  if (signal?.aborted === true) throw abortReason(signal);
}

export function readFile(
  path: File,
  options: string | { encoding: string; flag?: string; signal?: Signal },
): Promise<string>;
export function readFile(
  path: File,
  options?: null | { encoding?: null; flag?: string; signal?: Signal },
): Promise<Buffer>;
export async function readFile(path: File, options?: Options): Promise<string | Buffer> {
  const { encoding, flag = 'r', signal } = plain(options);
  checkSignal(signal);
  if (encoding && !Buffer.isEncoding(encoding)) throw invalidValue('encoding', encoding);
  if (path instanceof FileHandle) return path.readFile(encoding);
  const args = { path: asPath(path), flag };
  if (isUtf8(encoding)) return askFiles<string>('read', { ...args, encoding: 'utf8' }, 'open');
  const bytes = Buffer.from(await askFiles<string>('read', args, 'open'), 'base64');
  checkSignal(signal);
  return encoding ? bytes.toString(encoding as 'utf8') : bytes;
}

/** The whole file is replaced. */
export function writeFile(path: File, data: Data, options?: Options): Promise<void> {
  return put(path, data, options, 'w');
}

export function appendFile(path: File, data: Data, options?: Options): Promise<void> {
  return put(path, data, options, 'a');
}

async function put(path: File, data: Data, options: Options, usual: string): Promise<void> {
  const { encoding, flag = usual, flush = false, signal } = plain(options);
  checkSignal(signal);
  const whole = isIterable(data) ? await joined(data, encoding) : data;
  checkSignal(signal);
  if (path instanceof FileHandle) return path.writeFile(bytesOf(whole, encoding));
  const file = asPath(path);
  await askFiles(
    'write',
    { path: file, flag, flush, ...encodeData(whole, encoding, file) },
    'open',
  );
}

function isIterable(data: Data): data is Exclude<Data, string | ArrayBufferView> {
  return (
    typeof data === 'object' &&
    data !== null &&
    !ArrayBuffer.isView(data) &&
    (Symbol.iterator in data || Symbol.asyncIterator in data)
  );
}

async function joined(
  data: Exclude<Data, string | ArrayBufferView>,
  encoding: Encoding,
): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of data) pieces.push(bytesOf(piece, encoding));
  return Buffer.concat(pieces);
}

export async function open(path: Path, flag = 'r', _mode?: number | string): Promise<FileHandle> {
  const file = asPath(path);
  return new FileHandle(await askFiles<number>('open', { path: file, flag }), file);
}

type Found = [name: string, type: string, folder: string];
type ReaddirOptions = Encoding | { readonly recursive?: boolean; readonly withFileTypes?: boolean };

export function readdir(
  path: Path,
  options: { withFileTypes: true; recursive?: boolean },
): Promise<Dirent[]>;
export function readdir(path: Path, options?: ReaddirOptions): Promise<string[]>;
export async function readdir(path: Path, options?: ReaddirOptions): Promise<string[] | Dirent[]> {
  const { recursive = false, withFileTypes = false } =
    typeof options === 'object' && options !== null ? options : {};
  const found = await askFiles<Found[]>('readdir', { path: asPath(path), recursive }, 'scandir');
  if (!withFileTypes) return found.map(([name]) => name);
  return found.map(
    ([name, type, folder]) =>
      new Dirent(name.slice(name.lastIndexOf('/') + 1), type, folder.replace(/(?<=.)\/$/, '')),
  );
}

export async function stat(path: Path): Promise<Stats> {
  return new Stats(await askFiles<JsonObject>('stat', { path: asPath(path) }));
}
export async function lstat(path: Path): Promise<Stats> {
  return new Stats(await askFiles<JsonObject>('lstat', { path: asPath(path) }));
}
export async function access(path: Path, mode = constants.F_OK): Promise<void> {
  await askFiles('access', { path: asPath(path), mode });
}
export function realpath(path: Path): Promise<string> {
  return askFiles<string>('realpath', { path: asPath(path) });
}
export function readlink(path: Path): Promise<string> {
  return askFiles<string>('readlink', { path: asPath(path) });
}

type MkdirOptions = number | string | { readonly recursive?: boolean } | null;

/** With `recursive` the first folder that was made, or undefined. Modes are the host's business. */
export async function mkdir(path: Path, options?: MkdirOptions): Promise<string | undefined> {
  const recursive = typeof options === 'object' && options?.recursive === true;
  const made = await askFiles<string | null>('mkdir', { path: asPath(path), recursive });
  return recursive ? (made ?? undefined) : undefined;
}
export function mkdtemp(prefix: Path): Promise<string> {
  return askFiles<string>('mkdtemp', { path: asPath(prefix) });
}

type RmOptions = { readonly recursive?: boolean; readonly force?: boolean };

export async function rm(path: Path, options: RmOptions = {}): Promise<void> {
  const { recursive = false, force = false } = options;
  try {
    await askFiles('rm', { path: asPath(path), recursive, force });
  } catch (error) {
    // On the way to it, which the host resolves first.
    if (!(force && (error as { code?: string }).code === 'ENOENT')) throw error;
  }
}
export async function rmdir(path: Path): Promise<void> {
  await askFiles('rmdir', { path: asPath(path) });
}
export async function unlink(path: Path): Promise<void> {
  await askFiles('unlink', { path: asPath(path) });
}
export async function rename(path: Path, to: Path): Promise<void> {
  await askFiles('rename', { path: asPath(path), to: asPath(to) });
}
export async function copyFile(path: Path, to: Path, mode = 0): Promise<void> {
  const exclusive = (mode & constants.COPYFILE_EXCL) !== 0;
  await askFiles('copy', { path: asPath(path), to: asPath(to), exclusive }, 'copyfile');
}
export async function truncate(path: Path, length = 0): Promise<void> {
  await using file = await open(path, 'r+');
  await file.truncate(length);
}

// oxlint-disable-next-line import/no-default-export -- modules write `import fs from`
export default {
  access,
  appendFile,
  constants,
  copyFile,
  lstat,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  readlink,
  realpath,
  rename,
  rm,
  rmdir,
  stat,
  truncate,
  unlink,
  writeFile,
};
