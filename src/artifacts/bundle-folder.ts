/**
 * Bundles on disk, by content: `sha256/<hex>` is whole and durable, `partial/<hex>` is on its way,
 * `damaged/<hex>` no longer had its digest when it was read (kept for a look until the next collect).
 */
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

export interface BundleFolder {
  /** Undefined when it is not here. */
  read(sha256: string): Promise<Uint8Array | undefined>;
  readPartial(sha256: string): Promise<Uint8Array | undefined>;
  /** Opens what has arrived so far to write on at `startByte`; what lay behind it is cut off. */
  openPartial(sha256: string, startByte: number): Promise<FileHandle>;
  dropPartial(sha256: string): Promise<void>;
  /** The partial is complete: from now on it is found, after a power cut too. */
  keep(sha256: string): Promise<void>;
  setAside(sha256: string): Promise<void>;
  /** Removes all but these. Returns how many bundles went. */
  removeAllBut(sha256s: ReadonlySet<string>): Promise<number>;
}

export function createBundleFolder(dir: string): BundleFolder {
  const whole = join(dir, 'sha256');
  const partial = join(dir, 'partial');
  const damaged = join(dir, 'damaged');

  return {
    read: (sha256) => readIfThere(join(whole, sha256)),
    readPartial: (sha256) => readIfThere(join(partial, sha256)),
    async openPartial(sha256, startByte) {
      await mkdir(partial, { recursive: true });
      const file = await open(join(partial, sha256), 'a');
      await file.truncate(startByte);
      return file;
    },
    dropPartial: (sha256) => rm(join(partial, sha256), { force: true }),
    async keep(sha256) {
      await mkdir(whole, { recursive: true });
      await sync(join(partial, sha256));
      await rename(join(partial, sha256), join(whole, sha256));
      await sync(whole);
    },
    async setAside(sha256) {
      await mkdir(damaged, { recursive: true });
      await rename(join(whole, sha256), join(damaged, sha256));
    },
    async removeAllBut(sha256s) {
      await rm(damaged, { recursive: true, force: true });
      await removeFrom(partial, sha256s);
      return removeFrom(whole, sha256s);
    },
  };
}

async function readIfThere(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(path);
  } catch (cause) {
    if (isMissing(cause)) return undefined;
    throw cause;
  }
}

/** A rename survives a power cut only when the file, then the folder, have been flushed. */
async function sync(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function removeFrom(folder: string, keep: ReadonlySet<string>): Promise<number> {
  let names: readonly string[];
  try {
    names = await readdir(folder);
  } catch (cause) {
    if (isMissing(cause)) return 0;
    throw cause;
  }
  const gone = names.filter((name) => !keep.has(name));
  for (const name of gone) await rm(join(folder, name), { force: true });
  return gone.length;
}

function isMissing(cause: unknown): boolean {
  return (cause as { code?: unknown }).code === 'ENOENT';
}
