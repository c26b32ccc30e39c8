/** The supervisor's handle on the store's thread: the port Store, every call a message. */
import { Worker } from 'node:worker_threads';
import { Fault } from '../core/fault.ts';
import type { Log, Store, StoredDelivery, StoreSnapshot } from '../core/ports.ts';
import type { StoreOpened, StoreReply, StoreRequest, WireFault } from './store-protocol.ts';

export type SqliteStoreOptions = {
  /** Made when it is not there; the database is `isolet.db` in it. */
  readonly dataDir: string;
  /** src/store/worker.ts, or what it was bundled to. */
  readonly workerMain: string;
  readonly log: Log;
  /** Largest size of the database, in pages of 4 KB. Default: SQLite's, practically none. */
  readonly pagesMax?: number;
};

/** V8 limits of the worker, MB: it holds one batch at a time. */
const RESOURCE_LIMITS = { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 128 };
const CLOSE_MS = 10_000;

type Waiting = {
  readonly resolve: (value: never) => void;
  readonly reject: (cause: unknown) => void;
};
type Asked = StoreRequest extends infer Each
  ? Each extends unknown
    ? Omit<Each, 'id'>
    : never
  : never;

/** Rejects with DATA_FOLDER_UNUSABLE or DISK_FULL when there is no database to be had. */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<Store> {
  const { dataDir, workerMain, log, pagesMax } = options;
  const worker = new Worker(workerMain, {
    workerData: { dataDir, pagesMax },
    // Our own flags are for our own thread.
    execArgv: [],
    resourceLimits: RESOURCE_LIMITS,
    name: 'isolet store',
  });
  const waiting = new Map<number, Waiting>();
  let lastId = 0;
  let gone: Error | undefined;

  const opened = await new Promise<StoreOpened>((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  if (!opened.opened) {
    await worker.terminate();
    throw fromWire(opened.fault);
  }
  for (const note of opened.notes) log.error('the database was damaged', { note });

  worker.on('message', (reply: StoreReply) => {
    const asked = waiting.get(reply.id);
    waiting.delete(reply.id);
    if ('fault' in reply) asked?.reject(fromWire(reply.fault));
    else asked?.resolve(reply.value as never);
  });
  // A store that is gone for good must not leave anybody waiting: that is the end of the process.
  worker.on('error', (cause) => end(cause as Error));
  worker.on('exit', () => end(new Error('the store’s thread has ended')));

  function end(cause: Error): void {
    gone ??= cause;
    for (const { reject } of waiting.values()) reject(gone);
    waiting.clear();
  }

  function ask<T>(request: Asked): Promise<T> {
    if (gone !== undefined) return Promise.reject(gone);
    return new Promise<T>((resolve, reject) => {
      const id = ++lastId;
      waiting.set(id, { resolve: resolve as Waiting['resolve'], reject });
      worker.postMessage({ ...request, id });
    });
  }

  return {
    load: () => ask<StoreSnapshot>({ kind: 'load' }),
    commit: (writes) => ask<void>({ kind: 'commit', writes }),
    read: (endpoint, priority, afterSeq, limit) =>
      ask<readonly StoredDelivery[]>({ kind: 'read', endpoint, priority, afterSeq, limit }),
    async close() {
      if (gone !== undefined) return;
      let limit: NodeJS.Timeout | undefined;
      const tooLong = new Promise<void>((resolve) => {
        limit = setTimeout(resolve, CLOSE_MS);
      });
      await Promise.race([ask<void>({ kind: 'close' }), tooLong]);
      clearTimeout(limit);
      await worker.terminate();
    },
  };
}

function fromWire({ code, message }: WireFault): Error {
  return code === undefined ? new Error(message) : new Fault(code, message);
}
