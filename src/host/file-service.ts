/**
 * Files for modules: the host half of `fs/promises`, below the directories of `Binds` only
 * (granted-paths.ts). What changes names goes one after the other, and no name that is a symlink is moved:
 * so a module cannot turn a path around between its check and its use.
 */
import { constants } from 'node:fs';
import {
  access,
  copyFile,
  type FileHandle,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readlink,
  realpath,
  rename,
  rm,
  rmdir,
  unlink,
} from 'node:fs/promises';
import { posix } from 'node:path';
import { isJsonObject, type Json, type JsonObject } from '../core/json.ts';
import { type MakeService, ServiceError } from './device-services.ts';
import { bytesOf, createFileHandles, type FileHandles } from './file-handles.ts';
import { statOf, typeOf } from './file-stat.ts';
import {
  describe,
  FileError,
  openBelow,
  resolveGranted,
  resolveName,
  resolveTarget,
  tooLarge,
} from './granted-paths.ts';

const NAMES_MAX = 10_000;
const PIECE_BYTES = 65_536;
const PATH_LENGTH_MAX = 4_096;

/** How a file is opened, by Node's letters. */
const flagsOf: Readonly<Record<string, number>> = {
  r: constants.O_RDONLY,
  'r+': constants.O_RDWR,
  w: constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC,
  'w+': constants.O_RDWR | constants.O_CREAT | constants.O_TRUNC,
  wx: constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL,
  'wx+': constants.O_RDWR | constants.O_CREAT | constants.O_EXCL,
  a: constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND,
  'a+': constants.O_RDWR | constants.O_CREAT | constants.O_APPEND,
  ax: constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND | constants.O_EXCL,
  'ax+': constants.O_RDWR | constants.O_CREAT | constants.O_APPEND | constants.O_EXCL,
};

/** The last change of a name that is under way in this host. */
let changes: Promise<unknown> = Promise.resolve();

function inTurn<Value>(change: () => Promise<Value>): Promise<Value> {
  const mine = changes.then(change, change);
  changes = mine.catch(() => undefined);
  return mine;
}

export const createFileService: MakeService = ({ grants: { binds }, settings }) => {
  const { fileBytesMax, grownFileBytesMax, openFilesMax } = settings;
  const handles: FileHandles = createFileHandles({ fileBytesMax, grownFileBytesMax, openFilesMax });

  async function open(path: string, flag: string): Promise<FileHandle> {
    const flags = Object.hasOwn(flagsOf, flag) ? flagsOf[flag] : undefined;
    if (flags === undefined)
      throw new ServiceError('EINVAL', `there is no flag "${flag.slice(0, 8)}"`);
    const writes = flag !== 'r';
    const creates = (flags & constants.O_CREAT) !== 0;
    const { root, real } = await resolveTarget(binds, path, { writes, creates });
    // Emptied only when we know what was opened.
    const file = await openBelow(root, real, flags & ~constants.O_TRUNC, path);
    try {
      if ((flags & constants.O_TRUNC) !== 0) await file.truncate(0);
      return file;
    } catch (cause) {
      await file.close();
      throw cause;
    }
  }

  async function read(path: string, flag: string): Promise<Buffer> {
    const file = await open(path, flag);
    try {
      // Piece by piece and not by the size from stat: files of the kernel say 0.
      const pieces: Buffer[] = [];
      let length = 0;
      for (;;) {
        const { bytesRead, buffer } = await file.read({ buffer: Buffer.allocUnsafe(PIECE_BYTES) });
        if (bytesRead === 0) return Buffer.concat(pieces, length);
        pieces.push(buffer.subarray(0, bytesRead));
        length += bytesRead;
        if (length > fileBytesMax) throw tooLarge(path);
      }
    } finally {
      await file.close();
    }
  }

  async function write(path: string, args: JsonObject): Promise<null> {
    const bytes = bytesOf(args);
    if (bytes.length > fileBytesMax) throw tooLarge(path);
    const file = await open(path, text(args, 'flag'));
    try {
      const { size } = await file.stat();
      if (size + bytes.length > grownFileBytesMax) throw tooLarge(path);
      await file.writeFile(bytes);
      if (args['flush'] === true) await file.sync();
      return null;
    } finally {
      await file.close();
    }
  }

  /** `recursive`: with paths below the folder; symlinks are told and not followed. */
  async function list(path: string, recursive: boolean): Promise<Json> {
    const found: [string, string, string][] = [];
    const walk = async (folder: string, below: string): Promise<void> => {
      const { root, real } = await resolveTarget(binds, folder, { writes: false, creates: false });
      const flags = constants.O_RDONLY | constants.O_DIRECTORY;
      const directory = await openBelow(root, real, flags, folder);
      try {
        const entries = await readdir(`/proc/self/fd/${directory.fd}`, { withFileTypes: true });
        for (const entry of entries) {
          const name = posix.join(below, entry.name);
          found.push([name, typeOf(entry), posix.join(folder, '.')]);
          if (found.length > NAMES_MAX) throw tooLarge(path);
          if (recursive && entry.isDirectory()) await walk(posix.join(folder, entry.name), name);
        }
      } finally {
        await directory.close();
      }
    };
    await walk(path, '');
    return found;
  }

  async function stat(path: string, follows: boolean): Promise<Json> {
    if (!follows) {
      const { root, wanted } = await resolveGranted(binds, path);
      if (wanted !== root) {
        const { real } = await resolveTarget(binds, posix.dirname(path), reading);
        return statOf(await lstat(posix.join(real, posix.basename(wanted))));
      }
    }
    const { real } = await resolveTarget(binds, path, reading);
    return statOf(await lstat(real));
  }

  /** By the bind, and by what the device says to the host's own user. */
  async function check(path: string, mode: number): Promise<null> {
    const writes = (mode & constants.W_OK) !== 0;
    const { real } = await resolveTarget(binds, path, { writes, creates: false });
    await access(real, mode);
    return null;
  }

  async function makeFolder(path: string, recursive: boolean): Promise<Json> {
    const { root, wanted, bind } = await resolveGranted(binds, path);
    if (!bind.writable) throw new FileError('EROFS', 'read-only file system', path);
    const missing: string[] = [];
    if (recursive) {
      // Downwards from the first that is there, each one checked.
      for (let at = wanted; at !== root && at.startsWith(root); at = posix.dirname(at)) {
        if (await exists(at)) break;
        missing.unshift(at);
      }
      if (missing.length === 0) {
        const { isDirectory } = (await stat(path, true)) as { isDirectory?: boolean };
        if (isDirectory === false) throw new FileError('EEXIST', 'file already exists', path);
        return null;
      }
    } else {
      missing.push(wanted);
    }
    const asSeen = (at: string): string => posix.join(bind.target, posix.relative(root, at));
    for (const at of missing) await mkdir(await resolveName(binds, asSeen(at)));
    return asSeen(missing[0] as string);
  }

  async function exists(real: string): Promise<boolean> {
    try {
      await lstat(real);
      return true;
    } catch {
      return false;
    }
  }

  async function move(path: string, to: string): Promise<null> {
    const from = await resolveName(binds, path);
    if ((await lstat(from)).isSymbolicLink()) {
      throw new FileError('EPERM', 'a module cannot move a symbolic link', path);
    }
    await rename(from, await resolveName(binds, to));
    return null;
  }

  async function copy(path: string, to: string, exclusive: boolean): Promise<null> {
    const source = await resolveTarget(binds, path, reading);
    const target = await resolveTarget(binds, to, { writes: true, creates: true });
    const { size } = await lstat(source.real);
    if (size > grownFileBytesMax) throw tooLarge(path);
    const from = await openBelow(source.root, source.real, constants.O_RDONLY, path);
    try {
      await copyFile(source.real, target.real, exclusive ? constants.COPYFILE_EXCL : 0);
    } finally {
      await from.close();
    }
    return null;
  }

  async function remove(path: string, args: JsonObject): Promise<null> {
    const name = await resolveName(binds, path);
    await rm(name, { recursive: args['recursive'] === true, force: args['force'] === true });
    return null;
  }

  async function answer(what: string, path: string, args: JsonObject): Promise<Json> {
    switch (what) {
      case 'read': {
        const bytes = await read(path, text(args, 'flag'));
        return bytes.toString(args['encoding'] === 'utf8' ? 'utf8' : 'base64');
      }
      case 'write':
        return write(path, args);
      case 'readdir':
        return list(path, args['recursive'] === true);
      case 'stat':
      case 'lstat':
        return stat(path, what === 'stat');
      case 'access':
        return check(path, Number(args['mode']) & 7);
      case 'realpath': {
        const { root, bind } = await resolveGranted(binds, path);
        const { real } = await resolveTarget(binds, path, reading);
        return posix.join(bind.target, posix.relative(root, real));
      }
      case 'readlink':
        return readlink(await resolveName(binds, path));
      case 'mkdir':
        return inTurn(() => makeFolder(path, args['recursive'] === true));
      case 'mkdtemp':
        return inTurn(async () => {
          const { bind, root } = await resolveGranted(binds, path);
          const made = await mkdtemp(await resolveName(binds, path));
          return posix.join(bind.target, posix.relative(root, await realpath(made)));
        });
      case 'rm':
        return inTurn(() => remove(path, args));
      case 'rmdir':
        return inTurn(async () => rmdir(await resolveName(binds, path)).then(nothing));
      case 'unlink':
        return inTurn(async () => unlink(await resolveName(binds, path)).then(nothing));
      case 'rename':
        return inTurn(() => move(path, text(args, 'to')));
      case 'copy':
        return inTurn(() => copy(path, text(args, 'to'), args['exclusive'] === true));
      case 'open':
        return handles.add(path, await open(path, text(args, 'flag')));
      default:
        throw new ServiceError('ENOSYS', 'this runtime has no such use of files');
    }
  }

  return {
    async ask(what, given) {
      if (!isJsonObject(given)) throw new ServiceError('EINVAL', 'the call has no arguments');
      if (typeof given['handle'] === 'number') return handles.ask(given['handle'], what, given);
      const path = text(given, 'path');
      try {
        return await answer(what, path, given);
      } catch (cause) {
        if (cause instanceof ServiceError) throw cause;
        const { code, message } = describe(cause, path);
        throw new ServiceError(code, message.slice(code.length + 2));
      }
    },
    close: () => handles.close(),
  };
};

const reading = { writes: false, creates: false } as const;
const nothing = (): null => null;

function text(args: JsonObject, name: string): string {
  const value = args[name];
  if (typeof value !== 'string' || value.length > PATH_LENGTH_MAX) {
    throw new ServiceError('EINVAL', `the call needs a text "${name}"`);
  }
  return value;
}
