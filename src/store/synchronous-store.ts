/**
 * The whole store without the thread: opens, commits in groups, reads, repairs, tidies. A damaged
 * database is replaced while the device runs; whoever asked at that moment gets an answer from what
 * could be saved.
 */
import { join } from 'node:path';
import type Database from 'better-sqlite3';
import { Fault } from '../core/fault.ts';
import type {
  Clock,
  LogFields,
  StoredDeadLetter,
  StoredDelivery,
  StoreSnapshot,
  StoreWrite,
} from '../core/ports.ts';
import { finishReplacement, replaceDamaged } from './damaged-file.ts';
import { type Release, syncFolder, takeDataFolder } from './data-folder.ts';
import { openDatabase } from './database.ts';
import { checkFreeSpace } from './free-space.ts';
import { type Packed, unpack } from './packed.ts';
import { asFault, isDamage } from './store-fault.ts';
import type { StoreSettings } from './store-settings.ts';
import { createTables, type Tables } from './tables.ts';
import { giveBackPages } from './vacuum.ts';

/** Counters and sizes, for whoever watches the device. */
export type StoreMetrics = {
  /** Transactions that carried commits; fewer than commits when some were joined. */
  readonly transactions: number;
  readonly commits: number;
  readonly writes: number;
  readonly reads: number;
  /** Requests that ended in a fault. */
  readonly faults: number;
  /** Databases found damaged and replaced. */
  readonly repairs: number;
  /** The longest transaction so far, ms: mostly the card's fsync. */
  readonly longestMs: number;
  readonly databaseBytes: number;
};

export interface SynchronousStore {
  load(): StoreSnapshot;
  /** Several commits as one transaction when that works, otherwise each alone; the outcome of each. */
  commit(batches: readonly Packed<StoreWrite>[]): readonly unknown[];
  read(
    endpoint: string,
    priority: number,
    afterSeq: number,
    limit: number,
  ): readonly StoredDelivery[];
  readDeadLetters(afterId: number, limit: number): readonly StoredDeadLetter[];
  /** Reads what modules keep. */
  kept<T>(read: (kept: Tables['kept']) => T): T;
  /** One piece of housekeeping for idle moments; true when there is more. */
  tidy(): boolean;
  metrics(): StoreMetrics;
  close(): void;
}

export type SynchronousStoreDeps = {
  readonly dataDir: string;
  readonly settings: StoreSettings;
  readonly clock: Pick<Clock, 'now' | 'elapsed'>;
  /** Something an operator should read. */
  readonly warn: (message: string, fields: LogFields) => void;
};

type Opened = { readonly database: Database.Database; readonly tables: Tables };

/** Throws DATA_FOLDER_UNUSABLE or DISK_FULL when there is no database to be had. */
export function openSynchronousStore(deps: SynchronousStoreDeps): SynchronousStore {
  const { dataDir, settings, clock, warn } = deps;
  const file = join(dataDir, 'isolet.db');
  const release: Release = takeDataFolder(dataDir, settings.lockMs);
  const counts = { transactions: 0, commits: 0, writes: 0, reads: 0, faults: 0, repairs: 0 };
  let longestMs = 0;
  let databaseBytes = 0;
  let repairedAtMs = Number.NEGATIVE_INFINITY;
  let opened: Opened | undefined;
  let closed = false;

  try {
    finishReplacement(file, clock.now());
    mend(() => opening());
    syncFolder(dataDir);
  } catch (cause) {
    release();
    throw asFault(cause, file);
  }

  /** The database; opened again when a repair could not be finished the last time. */
  function opening(): Opened {
    if (opened !== undefined) return opened;
    if (closed) throw new Error('the store is closed');
    finishReplacement(file, clock.now());
    const database = openDatabase(file, settings);
    try {
      opened = { database, tables: createTables(database) };
      return opened;
    } catch (cause) {
      database.close();
      throw asDamagedSchema(cause, file);
    }
  }

  /** Carries something out, if need be a second time on a repaired database. */
  function mend<T>(run: () => T): T {
    try {
      return run();
    } catch (first) {
      const cause = asFault(first, file);
      if (!isDamage(cause)) throw cause;
      repair(cause);
      return run();
    }
  }

  function repair(found: Fault): void {
    if (clock.elapsed() - repairedAtMs < settings.repairPauseMs) throw found;
    repairedAtMs = clock.elapsed();
    close();
    const { aside, rows, stopped } = replaceDamaged(file, settings, clock);
    counts.repairs++;
    warn('the database was damaged; it is set aside and what could be read was saved', {
      cause: found,
      aside,
      rows,
      ...(stopped === undefined ? {} : { stopped }),
    });
  }

  function close(): void {
    const closing = opened;
    opened = undefined;
    try {
      closing?.database.close();
    } catch {
      // A damaged one may be unable to end well; it is set aside anyway.
    }
  }

  function counted<T>(run: () => T): T {
    try {
      return run();
    } catch (cause) {
      counts.faults++;
      throw asFault(cause, file);
    }
  }

  function transact(batches: readonly Packed<StoreWrite>[]): void {
    const startedAtMs = clock.elapsed();
    mend(() => {
      const { database, tables } = opening();
      checkFreeSpace(database, dataDir, settings.freeBytesMin, batches);
      tables.commit(all(batches));
    });
    counts.transactions++;
    for (const { count } of batches) counts.writes += count;
    longestMs = Math.max(longestMs, clock.elapsed() - startedAtMs);
  }

  return {
    load: () => counted(() => mend(() => opening().tables.load())),
    commit(batches) {
      counts.commits += batches.length;
      if (batches.length > 1) {
        try {
          transact(batches);
          return batches.map(() => undefined);
        } catch {
          // One bad batch must not fail the others: each alone.
        }
      }
      return batches.map((batch) => {
        try {
          counted(() => transact([batch]));
          return undefined;
        } catch (cause) {
          return cause;
        }
      });
    },
    read(endpoint, priority, afterSeq, limit) {
      counts.reads++;
      return counted(() =>
        mend(() =>
          opening().tables.read(endpoint, priority, afterSeq, limit, settings.readBytesMax),
        ),
      );
    },
    readDeadLetters(afterId, limit) {
      counts.reads++;
      return counted(() =>
        mend(() => opening().tables.readDeadLetters(afterId, limit, settings.readBytesMax)),
      );
    },
    kept(read) {
      counts.reads++;
      return counted(() => mend(() => read(opening().tables.kept)));
    },
    tidy: () => counted(() => mend(() => giveBackPages(opening().database))),
    metrics() {
      // Between transactions, so that asking never waits.
      if (opened !== undefined) databaseBytes = sizeOf(opened.database);
      return { ...counts, longestMs, databaseBytes };
    },
    close() {
      closed = true;
      try {
        opened?.database.close();
      } finally {
        opened = undefined;
        release();
      }
    },
  };
}

function* all(batches: readonly Packed<StoreWrite>[]): Generator<StoreWrite> {
  for (const batch of batches) yield* unpack(batch);
}

/** Our own SQL not fitting the tables: the schema is not what it was. */
function asDamagedSchema(cause: unknown, file: string): unknown {
  if ((cause as { code?: unknown }).code !== 'SQLITE_ERROR') return cause;
  return new Fault('STORE_DAMAGED', `${file} has lost tables`, { cause });
}

function sizeOf(database: Database.Database): number {
  try {
    const pages = database.pragma('page_count', { simple: true }) as number;
    return pages * (database.pragma('page_size', { simple: true }) as number);
  } catch {
    return 0;
  }
}
