/**
 * Files for modules, only below the directories they were granted. A path is resolved by the kernel
 * and checked after opening, so neither `..` nor a symlink leads out, not even one made meanwhile.
 */
import { constants } from 'node:fs';
import { type FileHandle, open, readdir, readlink, realpath } from 'node:fs/promises';
import { basename, dirname, join, posix } from 'node:path';
import type { HostCall, HostEvent } from '../core/guest-protocol.ts';
import type { Json } from '../core/json.ts';
import type { Bind } from '../core/ports.ts';

type FileCall = Extract<HostCall, { readonly path: string }>;

/** Answers one file call; never rejects. */
export type FileAccess = (call: FileCall) => Promise<HostEvent>;

/** An error in Node's words, naming paths only as the module sees them. */
class FileError extends Error {
  readonly code: string;
  constructor(code: string, text: string, path: string) {
    super(`${code}: ${text}, '${path}'`);
    this.code = code;
  }
}

// Never wait for the other end of a named pipe, never follow a symlink that came after resolving.
const openFlags = constants.O_NONBLOCK | constants.O_NOFOLLOW;

const PIECE_BYTES = 65_536;
const NAMES_MAX = 10_000;

export function createFileAccess(binds: readonly Bind[], fileBytesMax: number): FileAccess {
  return async (call) => {
    try {
      return { t: 'done', call: call.call, value: await perform(call) };
    } catch (cause) {
      const { code, message } = describe(cause, call.path);
      return { t: 'done', call: call.call, error: { code, message } };
    }
  };

  async function perform(call: FileCall): Promise<Json> {
    switch (call.t) {
      case 'readFile':
        return readText(call.path);
      case 'readDir':
        return list(call.path);
      case 'writeFile':
        await writeText(call.path, call.text);
        return null;
    }
  }

  async function readText(path: string): Promise<string> {
    const { root, wanted } = await resolve(path);
    const file = await openBelow(root, await realpath(wanted), constants.O_RDONLY, path);
    try {
      // Piece by piece and not by the size from stat: files of the kernel say 0.
      const pieces: Buffer[] = [];
      let length = 0;
      for (;;) {
        const { bytesRead, buffer } = await file.read({ buffer: Buffer.allocUnsafe(PIECE_BYTES) });
        if (bytesRead === 0) return Buffer.concat(pieces, length).toString('utf8');
        pieces.push(buffer.subarray(0, bytesRead));
        length += bytesRead;
        if (length > fileBytesMax) throw tooLarge(path);
      }
    } finally {
      await file.close();
    }
  }

  async function list(path: string): Promise<readonly string[]> {
    const { root, wanted } = await resolve(path);
    const real = await realpath(wanted);
    const directory = await openBelow(root, real, constants.O_RDONLY | constants.O_DIRECTORY, path);
    try {
      const names = await readdir(`/proc/self/fd/${directory.fd}`);
      if (names.length > NAMES_MAX) throw tooLarge(path);
      return names;
    } finally {
      await directory.close();
    }
  }

  async function writeText(path: string, text: string): Promise<void> {
    const bytes = Buffer.from(text);
    if (bytes.length > fileBytesMax) throw tooLarge(path);
    const { root, wanted, bind } = await resolve(path);
    if (!bind.writable) throw new FileError('EROFS', 'read-only file system', path);
    const real = await realpath(wanted).catch(async () =>
      join(await realpath(dirname(wanted)), basename(wanted)),
    );
    if (!isBelow(root, real)) throw outside(path);
    const file = await openBelow(root, real, constants.O_WRONLY | constants.O_CREAT, path);
    try {
      // Not O_TRUNC: nothing may be lost before we know what was opened.
      await file.truncate(0);
      await file.writeFile(bytes);
    } finally {
      await file.close();
    }
  }

  async function resolve(path: string): Promise<{ root: string; wanted: string; bind: Bind }> {
    if (path.includes('\0')) throw new FileError('EINVAL', 'a path holds no NUL', '');
    const clean = posix.resolve('/', path);
    const bind = binds
      .filter((one) => isBelow(one.target, clean))
      .toSorted((a, b) => b.target.length - a.target.length)[0];
    if (bind === undefined) throw outside(path);
    const root = await realpath(bind.source);
    return { root, wanted: join(root, posix.relative(bind.target, clean)), bind };
  }
}

async function openBelow(
  root: string,
  real: string,
  flags: number,
  path: string,
): Promise<FileHandle> {
  if (!isBelow(root, real)) throw outside(path);
  const file = await open(real, flags | openFlags, 0o644);
  try {
    if (!isBelow(root, await readlink(`/proc/self/fd/${file.fd}`))) throw outside(path);
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

function tooLarge(path: string): FileError {
  return new FileError('EFBIG', 'file too large', path);
}

function describe(cause: unknown, path: string): { code: string; message: string } {
  if (cause instanceof FileError) return cause;
  const { code, message, syscall } = cause as NodeJS.ErrnoException;
  if (code === undefined) throw cause;
  // A source that led elsewhere when its host got its rights (host-permissions.ts).
  if (code === 'ERR_ACCESS_DENIED') return new FileError('EACCES', 'permission denied', path);
  // Node's message ends with the path on the device, which is none of the module's business.
  const text = message.slice(code.length + 2).split(',')[0] as string;
  return { code, message: `${code}: ${text}, ${syscall ?? 'open'} '${path}'` };
}
