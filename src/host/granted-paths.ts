/**
 * Paths of a module on the device: which bind they fall under, and that nothing leads out of it. A path
 * is resolved by the kernel and checked after opening, so neither `..` nor a symlink leads out.
 */
import { constants, promises } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { basename, dirname, join, posix } from 'node:path';
import type { Bind } from '../core/ports.ts';

/** An error in Node's words, naming paths only as the module sees them. */
export class FileError extends Error {
  readonly code: string;
  constructor(code: string, text: string, path: string) {
    super(`${code}: ${text}, '${path}'`);
    this.code = code;
  }
}

// Never wait for the other end of a named pipe, never follow a symlink that came after resolving.
const openFlags = constants.O_NONBLOCK | constants.O_NOFOLLOW;

type Resolved = {
  /** The bind's folder, as the kernel names it. */
  readonly root: string;
  /** Where the path leads when no symlink is on the way. */
  readonly wanted: string;
  readonly bind: Bind;
};

/** Throws FileError when the path is below no bind. */
export async function resolveGranted(binds: readonly Bind[], path: string): Promise<Resolved> {
  if (path.includes('\0')) throw new FileError('EINVAL', 'a path holds no NUL', '');
  const clean = posix.resolve('/', path);
  const bind = binds
    .filter((one) => isBelow(one.target, clean))
    .toSorted((a, b) => b.target.length - a.target.length)[0];
  if (bind === undefined) throw outside(path);
  const root = await promises.realpath(bind.source);
  return { root, wanted: join(root, posix.relative(bind.target, clean)), bind };
}

/** The name itself, in a folder that is granted for writing; it may be absent, or a symlink. */
export async function resolveName(binds: readonly Bind[], path: string): Promise<string> {
  const { root, wanted, bind } = await resolveGranted(binds, path);
  if (!bind.writable) throw readOnly(path);
  // The root of a bind is not the module's to take away.
  if (wanted === root) throw new FileError('EBUSY', 'resource busy or locked', path);
  const folder = await promises.realpath(dirname(wanted));
  if (!isBelow(root, folder)) throw outside(path);
  return join(folder, basename(wanted));
}

/** What the path leads to, to be opened; with `creates` the last part may be absent. */
export async function resolveTarget(
  binds: readonly Bind[],
  path: string,
  { writes, creates }: { readonly writes: boolean; readonly creates: boolean },
): Promise<{ readonly root: string; readonly real: string }> {
  const { root, wanted, bind } = await resolveGranted(binds, path);
  if (writes && !bind.writable) throw readOnly(path);
  const real = await promises.realpath(wanted).catch(async (cause: unknown) => {
    if (!creates) throw cause;
    return join(await promises.realpath(dirname(wanted)), basename(wanted));
  });
  if (!isBelow(root, real)) throw outside(path);
  return { root, real };
}

export async function openBelow(
  root: string,
  real: string,
  flags: number,
  path: string,
): Promise<FileHandle> {
  if (!isBelow(root, real)) throw outside(path);
  const file = await promises.open(real, flags | openFlags, 0o644);
  try {
    if (!isBelow(root, await promises.readlink(`/proc/self/fd/${file.fd}`))) throw outside(path);
    const stat = await file.stat();
    const wantsDirectory = (flags & constants.O_DIRECTORY) !== 0;
    if (!wantsDirectory && stat.isDirectory()) {
      throw new FileError('EISDIR', 'illegal operation on a directory', path);
    }
    if (!wantsDirectory && !stat.isFile()) throw new FileError('EINVAL', 'not a plain file', path);
    return file;
  } catch (cause) {
    await file.close();
    throw cause;
  }
}

function isBelow(root: string, path: string): boolean {
  return root === '/' || path === root || path.startsWith(`${root}/`);
}

function outside(path: string): FileError {
  return new FileError('EACCES', 'not below a directory granted to this module', path);
}

export function tooLarge(path: string): FileError {
  return new FileError('EFBIG', 'file too large', path);
}

export function describe(cause: unknown, path: string): { code: string; message: string } {
  if (cause instanceof FileError) return cause;
  const { code, message, syscall } = cause as NodeJS.ErrnoException;
  if (code === undefined) throw cause;
  // A source that led elsewhere when its host got its rights (host-permissions.ts).
  if (code === 'ERR_ACCESS_DENIED') return new FileError('EACCES', 'permission denied', path);
  // Node's message ends with the path on the device, which is none of the module's business.
  const text = message.slice(code.length + 2).split(',')[0] as string;
  return { code, message: `${code}: ${text}, ${syscall ?? 'open'} '${path}'` };
}

function readOnly(path: string): FileError {
  return new FileError('EROFS', 'read-only file system', path);
}
