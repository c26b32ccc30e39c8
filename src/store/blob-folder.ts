/**
 * Blobs as files: a folder for each module, a file for each blob, its name in base64. A blob is written beside its
 * place, synced, and moved there, so that it is the old or the new one whenever the power goes.
 */
import { constants } from 'node:fs';
import {
  type FileHandle,
  mkdir,
  open,
  readdir,
  rename,
  rm,
  stat,
  statfs,
  unlink,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { BlobEntry, BlobLook, BlobShelf, BlobUpload } from '../core/blobs.ts';
import { Fault } from '../core/fault.ts';

/** No base64 begins with a dot: what does is an upload that never came to its end. */
const UPLOAD = '.upload-';
const FULL = new Set(['ENOSPC', 'EDQUOT']);

/** @param freeBytesMin what the disk keeps free: other things on it must go on, too. */
export function createBlobFolder(dir: string, freeBytesMin: number): BlobShelf {
  let lastUpload = 0;
  const swept = new Map<string, Promise<void>>();

  // A dot alone, or two, would be another folder.
  const folderOf = (module: string): string =>
    join(dir, encodeURIComponent(module).replaceAll('.', '%2E'));
  const fileOf = (module: string, name: string): string =>
    join(folderOf(module), Buffer.from(name).toString('base64url'));

  async function guarded<T>(run: () => Promise<T>): Promise<T> {
    try {
      return await run();
    } catch (cause) {
      if (cause instanceof Fault) throw cause;
      const code = (cause as NodeJS.ErrnoException).code ?? String(cause);
      if (FULL.has(code)) throw new Fault('DISK_FULL', `the disk of ${dir} is full`, { cause });
      throw new Fault('DATA_FOLDER_UNUSABLE', `${dir} cannot be used (${code})`, { cause });
    }
  }

  /** The module's folder, there and without what a kill left in it. */
  async function sweep(module: string): Promise<void> {
    const folder = folderOf(module);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await syncFolder(dirname(dir));
    await syncFolder(dir);
    for (const file of await readdir(folder)) {
      if (file.startsWith(UPLOAD)) await unlink(join(folder, file));
    }
  }

  function prepare(module: string): Promise<void> {
    let sweeping = swept.get(module);
    if (sweeping === undefined) {
      sweeping = sweep(module);
      swept.set(module, sweeping);
      sweeping.catch(() => swept.delete(module));
    }
    return sweeping;
  }

  async function look(module: string, name: string): Promise<BlobLook | undefined> {
    const found = await absentIsUndefined(stat(fileOf(module, name), { bigint: true }));
    if (found === undefined) return undefined;
    const version = `${found.ino}-${found.ctimeNs}`;
    return { name, bytes: Number(found.size), atMs: Math.trunc(Number(found.mtimeMs)), version };
  }

  async function list(module: string): Promise<readonly BlobEntry[]> {
    const files = (await absentIsUndefined(readdir(folderOf(module)))) ?? [];
    const entries: BlobEntry[] = [];
    for (const file of files) {
      if (file.startsWith('.')) continue;
      const entry = await look(module, Buffer.from(file, 'base64url').toString());
      if (entry !== undefined)
        entries.push({ name: entry.name, bytes: entry.bytes, atMs: entry.atMs });
    }
    return entries;
  }

  async function begin(module: string): Promise<BlobUpload> {
    await prepare(module);
    const part = join(folderOf(module), `${UPLOAD}${++lastUpload}`);
    const file = await open(part, 'wx', 0o600);
    return {
      append: (bytes) =>
        guarded(async () => {
          const { bavail, bsize } = await statfs(dir);
          if (bavail * bsize < freeBytesMin + bytes.byteLength) {
            const text = `the disk of ${dir} has ${bavail * bsize} bytes free, and the last ${freeBytesMin} are not for blobs: free some space`;
            throw new Fault('DISK_FULL', text);
          }
          await file.appendFile(bytes);
        }),
      commit: (name) =>
        guarded(async () => {
          await file.sync();
          await file.close();
          await rename(part, fileOf(module, name));
          await syncFolder(folderOf(module));
        }),
      abort: () =>
        guarded(async () => {
          await file.close().catch(() => {});
          await rm(part, { force: true });
        }),
    };
  }

  return {
    list: (module) => guarded(() => list(module)),
    look: (module, name) => guarded(() => look(module, name)),
    read: (module, name, version, offset, length) =>
      guarded(async () => {
        const file = await absentIsUndefined(open(fileOf(module, name), constants.O_RDONLY));
        if (file === undefined) return undefined;
        try {
          return await readPart(file, version, offset, length);
        } finally {
          await file.close();
        }
      }),
    begin: (module) => guarded(() => begin(module)),
    remove: (module, name) =>
      guarded(async () => {
        await rm(fileOf(module, name), { force: true });
        await syncFolder(folderOf(module));
      }),
    forget: (module) =>
      guarded(async () => {
        swept.delete(module);
        await rm(folderOf(module), { recursive: true, force: true });
      }),
    modules: () =>
      guarded(async () =>
        ((await absentIsUndefined(readdir(dir))) ?? []).map((name) => decodeURIComponent(name)),
      ),
  };
}

async function readPart(
  file: FileHandle,
  version: string,
  offset: number,
  length: number,
): Promise<Uint8Array | undefined> {
  const { ino, ctimeNs, size } = await file.stat({ bigint: true });
  if (`${ino}-${ctimeNs}` !== version) return undefined;
  const bytes = Buffer.alloc(Math.max(0, Math.min(length, Number(size) - offset)));
  let at = 0;
  while (at < bytes.length) {
    const { bytesRead } = await file.read(bytes, at, bytes.length - at, offset + at);
    if (bytesRead === 0) break;
    at += bytesRead;
  }
  return bytes.subarray(0, at);
}

async function absentIsUndefined<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw cause;
  }
}

/** A new name is on the disk only with its folder. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await absentIsUndefined(open(folder, constants.O_RDONLY));
  try {
    await handle?.sync();
  } finally {
    await handle?.close();
  }
}
