/** Tells when a file of a module's folder was saved; packages and what builds leave behind do not count. */
import { type FSWatcher, readdirSync, watch } from 'node:fs';
import { basename, join } from 'node:path';

/** Editors write a file in several steps: it is read when they are done, ms. */
const CALM_MS = 15;
const FOLDERS_MAX = 1_000;
const SKIPPED = new Set(['node_modules', 'dist', 'coverage']);

export type FolderWatch = { close(): void };

/**
 * `saved` gets the time (performance.now) of the first sign of each save. @param ours a file below `root`
 * that we write ourselves.
 */
export function watchFolder(
  root: string,
  ours: string | undefined,
  saved: (atMs: number) => void,
): FolderWatch {
  const watchers = new Map<string, FSWatcher>();
  let firstMs: number | undefined;
  let calm: NodeJS.Timeout | undefined;

  function add(folder: string): void {
    if (watchers.has(folder) || watchers.size >= FOLDERS_MAX) return;
    try {
      const watcher = watch(folder, (_event, name) => changed(folder, name));
      watcher.on('error', () => drop(folder));
      watchers.set(folder, watcher);
      for (const entry of readdirSync(folder, { withFileTypes: true })) {
        if (entry.isDirectory() && counts(entry.name)) add(join(folder, entry.name));
      }
    } catch {
      // It is gone again.
      drop(folder);
    }
  }

  function drop(folder: string): void {
    watchers.get(folder)?.close();
    watchers.delete(folder);
  }

  function changed(folder: string, name: string | null): void {
    if (name !== null && (!counts(name) || join(folder, name) === ours)) return;
    firstMs ??= performance.now();
    clearTimeout(calm);
    calm = setTimeout(() => {
      const atMs = firstMs as number;
      firstMs = undefined;
      // Perhaps it is a new folder.
      if (name !== null) add(join(folder, name));
      saved(atMs);
    }, CALM_MS);
  }

  add(root);
  return {
    close() {
      clearTimeout(calm);
      for (const watcher of watchers.values()) watcher.close();
    },
  };
}

/** Editors' own files begin with a dot or end with `~`, as does `4913` of one of them. */
function counts(name: string): boolean {
  const own = basename(name);
  return !SKIPPED.has(own) && !own.startsWith('.') && !own.endsWith('~') && own !== '4913';
}
