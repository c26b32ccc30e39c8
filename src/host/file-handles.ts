/** Files a module keeps open, by the numbers it was given for them; all are closed with it. */
import type { FileHandle } from 'node:fs/promises';
import type { Json, JsonObject } from '../core/json.ts';
import { ServiceError } from './device-services.ts';
import { statOf } from './file-stat.ts';
import { describe } from './granted-paths.ts';

export type FileHandleLimits = {
  /** Of one read or write. */
  readonly fileBytesMax: number;
  /** No file grows beyond this. */
  readonly grownFileBytesMax: number;
  readonly openFilesMax: number;
};

type Open = { readonly file: FileHandle; readonly path: string };

export type FileHandles = {
  /** Gives back its number. Throws EMFILE, with the file closed. */
  add(path: string, file: FileHandle): Promise<number>;
  ask(handle: number, what: string, args: JsonObject): Promise<Json>;
  close(): void;
};

export function createFileHandles(limits: FileHandleLimits): FileHandles {
  const files = new Map<number, Open>();
  let last = 0;
  let closed = false;

  async function perform({ file }: Open, what: string, args: JsonObject): Promise<Json> {
    const position = typeof args['position'] === 'number' ? args['position'] : null;
    const length = Number(args['length']);
    switch (what) {
      case 'read': {
        const buffer = Buffer.allocUnsafe(Math.min(Math.max(length, 0) || 0, limits.fileBytesMax));
        const { bytesRead } = await file.read({ buffer, position });
        return buffer.toString('base64', 0, bytesRead);
      }
      case 'write': {
        const bytes = bytesOf(args);
        const { size } = await file.stat();
        const end = Math.max(size, position ?? size) + bytes.length;
        if (bytes.length > limits.fileBytesMax || end > limits.grownFileBytesMax) throw full();
        return (await file.write(bytes, 0, bytes.length, position)).bytesWritten;
      }
      case 'stat':
        return statOf(await file.stat());
      case 'truncate':
        if (!(length >= 0 && length <= limits.grownFileBytesMax)) throw full();
        await file.truncate(length);
        return null;
      case 'sync':
        await file.sync();
        return null;
      case 'datasync':
        await file.datasync();
        return null;
      default:
        throw new ServiceError('ENOSYS', 'this runtime has no such use of an open file');
    }
  }

  return {
    async add(path, file) {
      if (closed || files.size >= limits.openFilesMax) {
        await file.close();
        throw new ServiceError('EMFILE', `too many open files: ${limits.openFilesMax} are allowed`);
      }
      files.set(++last, { file, path });
      return last;
    },
    async ask(handle, what, args) {
      const open = files.get(handle);
      if (open === undefined) throw new ServiceError('EBADF', 'bad file descriptor');
      if (what === 'close') {
        files.delete(handle);
        await open.file.close();
        return null;
      }
      try {
        return await perform(open, what, args);
      } catch (cause) {
        if (cause instanceof ServiceError) throw cause;
        const { code, message } = describe(cause, open.path);
        throw new ServiceError(code, message.slice(code.length + 2));
      }
    },
    close() {
      closed = true;
      for (const { file } of files.values()) void file.close().catch(() => {});
      files.clear();
    },
  };
}

function full(): ServiceError {
  return new ServiceError('EFBIG', 'file too large');
}

/** What is to be written: as text, or as base64. */
export function bytesOf(args: JsonObject): Buffer {
  const { data, encoding } = args;
  if (typeof data !== 'string') throw new ServiceError('EINVAL', 'the call has nothing to write');
  return Buffer.from(data, encoding === 'utf8' ? 'utf8' : 'base64');
}
