/** Logs as files: a folder for each module, bounded for each and in all. */
import { readdir, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { LogCounters, LogSettings, LogShelf } from '../core/log-shelf.ts';
import type { ModuleName } from '../core/message.ts';
import type { Cancel, Clock } from '../core/ports.ts';
import { createLogFiles, type LogFiles } from './log-files.ts';

/** As `encodeURIComponent` writes the names there are. */
const OURS = /^(%24)?[a-zA-Z0-9_-]+$/;

export interface LogFolder extends LogShelf {
  /** From now on lines are written; before it they are gathered, for the folder may be somebody else's. */
  open(): void;
}

/** @param freeBytes of the disk `dir` lies on; rejects while there is no telling. */
export function createLogFolder(
  dir: string,
  settings: LogSettings,
  clock: Pick<Clock, 'after'>,
  freeBytes: () => Promise<number> = () => freeBytesAt(join(dir, '..')),
): LogFolder {
  const all = new Map<ModuleName, LogFiles>();
  const underway = new Set<LogFiles>();
  const counters: LogCounters = { linesDropped: 0, bytes: 0 };
  const opening = Promise.withResolvers<void>();
  /** Of what lies here from before; undefined until `open`. */
  let looked: Promise<void> | undefined;
  let closed = false;
  let timer: Cancel | undefined;

  function filesOf(module: ModuleName): LogFiles {
    const known = all.get(module);
    if (known !== undefined) return known;
    const files = createLogFiles({
      folder: join(dir, encodeURIComponent(module)),
      settings,
      opened: opening.promise,
      roomFor: async (bytes) => (await freeBytes()) >= settings.freeBytesMin + bytes,
      dropped(lines) {
        counters.linesDropped += lines;
      },
    });
    all.set(module, files);
    return files;
  }

  async function lookAround(): Promise<void> {
    const names = await readdir(dir).catch(() => []);
    for (const name of names) if (OURS.test(name)) await filesOf(decodeURIComponent(name)).known();
    count();
  }

  function count(): void {
    counters.bytes = [...all.values()].reduce((sum, files) => sum + files.bytes(), 0);
  }

  async function flush(which: Iterable<LogFiles> = all.values()): Promise<void> {
    if (looked === undefined) return;
    await looked;
    for (const files of which) {
      underway.add(files);
      await files.flush();
      underway.delete(files);
    }
    count();
    while (counters.bytes > settings.totalBytesMax) {
      await [...all.values()].reduce((a, b) => (b.bytes() > a.bytes() ? b : a)).dropOldest();
      count();
    }
    if (!closed && [...all.values()].some((files) => files.pendingBytes() > 0)) {
      soon(settings.flushMs);
    }
  }

  /** The timer runs only while there is something to write. */
  function soon(delayMs: number): void {
    timer ??= clock.after(delayMs, () => {
      timer = undefined;
      void flush();
    });
  }

  return {
    counters,
    open() {
      looked ??= lookAround();
      opening.resolve();
      if (all.size > 0) soon(settings.flushMs);
    },
    append(line) {
      const files = filesOf(line.module);
      files.append(line);
      if (looked === undefined || closed) return;
      const full = files.pendingBytes() >= settings.pendingBytesMax;
      if ((full || line.level === 'error') && !underway.has(files)) void flush([files]);
      else soon(settings.flushMs);
    },
    read(module, order) {
      return filesOf(module).read(order);
    },
    async forget(module) {
      await looked;
      await all.get(module)?.remove();
      all.delete(module);
      count();
    },
    async modules() {
      await looked;
      return [...all].flatMap(([module, files]) =>
        files.bytes() + files.pendingBytes() > 0 ? [module] : [],
      );
    },
    async close() {
      timer?.();
      closed = true;
      await flush();
    },
  };
}

async function freeBytesAt(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}
