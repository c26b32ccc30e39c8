/** What the store's tests share: folders of their own, stores with and without the thread, faults. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Fault } from '../../src/core/fault.ts';
import type { StoreWrite } from '../../src/core/ports.ts';
import { systemClock } from '../../src/lib/system-clock.ts';
import { pack } from '../../src/store/packed.ts';
import { openSqliteStore, type SqliteStore } from '../../src/store/sqlite-store.ts';
import { STORE_SETTINGS, type StoreSettings } from '../../src/store/store-settings.ts';
import { openSynchronousStore, type SynchronousStore } from '../../src/store/synchronous-store.ts';
import { createFakeLog, type LogEntry } from '../fakes/log.ts';
import { within } from '../fakes/within.ts';

export const workerMain = join(import.meta.dirname, '../../src/store/worker.ts');

/** Runs with a new folder, which is gone afterwards. */
export async function inFolder(run: (dataDir: string) => void | Promise<void>): Promise<void> {
  const dataDir = mkdtempSync(join(tmpdir(), 'isolet-store-'));
  try {
    await run(dataDir);
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
}

export const open = (
  dataDir: string,
  settings: Partial<StoreSettings> = {},
  log = createFakeLog(),
): Promise<SqliteStore> =>
  within(10_000, 'open', openSqliteStore({ dataDir, workerMain, log, settings }));

export type StoreHere = Omit<SynchronousStore, 'commit'> & {
  commit(batches: readonly (readonly StoreWrite[])[]): readonly unknown[];
  readonly warnings: readonly LogEntry[];
};

/** The store without its thread, and what it warned of. */
export function openHere(
  dataDir: string,
  settings: Partial<StoreSettings> = {},
  clock: { now(): number; elapsed(): number } = systemClock,
): StoreHere {
  const log = createFakeLog();
  const store = openSynchronousStore({
    dataDir,
    settings: { ...STORE_SETTINGS, lockMs: 50, ...settings },
    clock,
    warn: log.error,
  });
  return {
    ...store,
    commit: (batches) => store.commit(batches.map(pack)),
    warnings: log.entries,
  };
}

/** The fault that `run` ends in. */
export async function faultOf(run: () => unknown): Promise<Fault> {
  try {
    await run();
  } catch (cause) {
    if (cause instanceof Fault) return cause;
    throw cause;
  }
  throw new Error('nothing was wrong');
}
