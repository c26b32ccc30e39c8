/** The supervisor's handle on the store's thread: the port Store, every call a message. */
import type { Log, Store, StoredDeadLetter, StoredDelivery, StoreSnapshot } from '../core/ports.ts';
import { type Packed, pack, unpack } from './packed.ts';
import { STORE_SETTINGS, type StoreSettings } from './store-settings.ts';
import { type Asked, type StoreThread, startStoreThread } from './store-thread.ts';
import type { StoreMetrics } from './synchronous-store.ts';

export type SqliteStoreOptions = {
  /** Made when it is not there; the database is `isolet.db` in it. */
  readonly dataDir: string;
  /** src/store/worker.ts, or what it was bundled to. */
  readonly workerMain: string | URL;
  readonly log: Log;
  /** What should differ from STORE_SETTINGS. */
  readonly settings?: Partial<StoreSettings>;
};

export type SqliteStore = Store & {
  /** As of the last answer; undefined before the first. */
  metrics(): StoreMetrics | undefined;
};

/**
 * Rejects with DATA_FOLDER_UNUSABLE or DISK_FULL when there is no database to be had. A thread that
 * dies takes the calls it had with it (STORE_DAMAGED: nobody knows what became of them), and the next
 * call starts another.
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<SqliteStore> {
  const { dataDir, workerMain, log } = options;
  const data = { dataDir, settings: { ...STORE_SETTINGS, ...options.settings } };
  let metrics: StoreMetrics | undefined;
  let closing: Promise<void> | undefined;
  let running = false;
  let thread: StoreThread | undefined = start();
  await thread.opened;
  running = true;

  function start(): StoreThread {
    const mine = startStoreThread(workerMain, data, {
      metrics: (latest) => {
        metrics = latest;
      },
      warning: (message, fields) => log.error(message, fields),
      ended: (cause) => {
        if (thread === mine) thread = undefined;
        if (running && closing === undefined) log.error('the store’s thread has ended', { cause });
      },
    });
    return mine;
  }

  async function ask<T>(request: Asked): Promise<T> {
    if (closing !== undefined) throw new Error('the store is closed');
    thread ??= start();
    return (await thread.ask(request)) as T;
  }

  async function close(last: StoreThread | undefined): Promise<void> {
    if (last === undefined) return;
    let limit: NodeJS.Timeout | undefined;
    const tooLong = new Promise<void>((resolve) => {
      limit = setTimeout(resolve, data.settings.closeMs);
    });
    const done = last.ask({ kind: 'close' }).catch((cause: unknown) => {
      log.warn('the store did not close well; what was acknowledged is safe', { cause });
    });
    await Promise.race([done, tooLong]);
    await Promise.race([last.terminate(), tooLong]);
    clearTimeout(limit);
  }

  return {
    load: () => ask<StoreSnapshot>({ kind: 'load' }),
    commit: async (writes) => ask<void>({ kind: 'commit', writes: pack(writes) }),
    async read(endpoint, priority, afterSeq, limit) {
      const rows: Packed<StoredDelivery> = await ask({
        kind: 'read',
        endpoint,
        priority,
        afterSeq,
        limit,
      });
      return [...unpack(rows)];
    },
    async readDeadLetters(afterId, limit) {
      const rows: Packed<StoredDeadLetter> = await ask({ kind: 'readDeadLetters', afterId, limit });
      return [...unpack(rows)];
    },
    readKept: (module, keys) => ask({ kind: 'readKept', module, keys }),
    listKept: (module, range) => ask({ kind: 'listKept', module, range }),
    sumKept: (module, keys) => ask({ kind: 'sumKept', module, keys }),
    keepers: () => ask({ kind: 'keepers' }),
    metrics: () => metrics,
    close() {
      closing ??= close(thread);
      return closing;
    },
  };
}
