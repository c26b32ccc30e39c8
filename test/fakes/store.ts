/** A Store in memory that keeps the contract; the test decides how slow its disk is, and when it is full. */
import type { Fault } from '../../src/core/fault.ts';
import { createKeptMap } from '../../src/core/kept-map.ts';
import { messageSize } from '../../src/core/message.ts';
import type {
  Clock,
  Store,
  StoredDeadLetter,
  StoredDelivery,
  StoreSnapshot,
  StoreWrite,
} from '../../src/core/ports.ts';

type Append = Extract<StoreWrite, { kind: 'append' }>;

export type MemoryStoreOptions = {
  /** What earlier commits left. */
  readonly writes?: readonly StoreWrite[];
  /** Each commit takes so long on `clock`. */
  readonly delayMs?: number;
  readonly clock?: Clock;
};

export type MemoryStore = Store & {
  /** Commits wait for `hold(false)` while true: what a slow card does. */
  hold(held: boolean): void;
  /** The next commits fail with this until it is undefined again. */
  fail(fault: Fault | undefined): void;
  /** One commit fails with this; those after it work. */
  failNext(fault: Fault): void;
  /** What a power cut leaves: a store with all that was committed. */
  afterPowerCut(): MemoryStore;
  readonly commits: readonly (readonly StoreWrite[])[];
};

/** As SQLite's: one read gives at most so many bytes, but at least one row. */
const READ_BYTES_MAX = 4_194_304;

export function createMemoryStore(options: MemoryStoreOptions = {}): MemoryStore {
  const { delayMs = 0, clock } = options;
  const lanes = new Map<string, StoredDelivery[]>();
  let deadLetters: StoredDeadLetter[] = [];
  let lastLetterId = 0;
  const twins = new Map<string, unknown>();
  const statistics = new Map<string, unknown>();
  const documents = new Map<string, unknown>();
  const kept = createKeptMap();
  const commits: (readonly StoreWrite[])[] = [];
  let lastSeq = 0;
  let held = false;
  let release: (() => void)[] = [];
  let fault: Fault | undefined;
  let nextFault: Fault | undefined;
  let closed = false;
  let line: Promise<unknown> = Promise.resolve();

  for (const write of options.writes ?? []) apply(write);

  /** All or nothing: whatever could fail is looked at before anything is touched. */
  function commit(writes: readonly StoreWrite[]): void {
    let seq = lastSeq;
    for (const write of writes) {
      if (write.kind !== 'append') continue;
      if (write.seq <= seq) throw new Error(`seq ${write.seq} after ${seq}`);
      seq = write.seq;
      // As SQLite's STRICT tables do.
      const numbers = write.deliveries.flatMap((row) => [row.priority, row.expiresAtMs]);
      for (const value of [seq, write.enqueuedAtMs, ...numbers]) {
        if (!Number.isSafeInteger(value)) throw new Error(`${value} is no whole number`);
      }
    }
    for (const write of writes) apply(write);
    commits.push(writes);
  }

  function apply(write: StoreWrite): void {
    switch (write.kind) {
      case 'append':
        return append(write);
      case 'remove':
        return remove(write);
      case 'deadLetter': {
        remove(write);
        const { kind: _kind, seq: _seq, ...letter } = write;
        deadLetters.push({ ...letter, id: ++lastLetterId });
        return;
      }
      case 'dropDeadLetters':
        deadLetters = deadLetters.filter(({ id }) => write.ids !== null && !write.ids.includes(id));
        return;
      case 'twin':
        return put(twins, write.module, write.twin);
      case 'statistics':
        return put(statistics, write.module, write.statistics);
      case 'document':
        return put(documents, write.name, write.value);
      case 'keep':
        return kept.change(write.module, write.changes);
      case 'forgetKept':
        return kept.forget(write.module);
    }
  }

  function append({ seq, enqueuedAtMs, message, deliveries }: Append): void {
    lastSeq = seq;
    for (const row of deliveries) {
      lane(row.endpoint, row.priority).push({ ...row, seq, enqueuedAtMs, message });
    }
  }

  function remove({
    endpoint,
    priority,
    seq,
  }: {
    endpoint: string;
    priority: number;
    seq: number;
  }) {
    const rows = lane(endpoint, priority);
    const at = rows.findIndex((row) => row.seq === seq);
    if (at >= 0) rows.splice(at, 1);
  }

  function lane(endpoint: string, priority: number): StoredDelivery[] {
    const key = `${priority} ${endpoint}`;
    const rows = lanes.get(key) ?? [];
    lanes.set(key, rows);
    return rows;
  }

  /** One thing after the other, never in the same turn it was asked. */
  function inLine<T>(run: () => T | Promise<T>): Promise<T> {
    if (closed) return Promise.reject(new Error('the store is closed'));
    const result = line.then(run);
    line = result.catch(() => {});
    return result;
  }

  function load(): StoreSnapshot {
    return structuredClone({
      lastSeq,
      lanes: [...lanes.values()].flatMap((rows) => {
        const [first] = rows;
        if (first === undefined) return [];
        const bytes = rows.reduce((sum, { message }) => sum + messageSize(message), 0);
        return [{ endpoint: first.endpoint, priority: first.priority, count: rows.length, bytes }];
      }),
      deadLetters: {
        count: deadLetters.length,
        bytes: deadLetters.reduce((sum, { message }) => sum + message.body.byteLength, 0),
      },
      twins: Object.fromEntries(twins),
      statistics: Object.fromEntries(statistics),
      documents: Object.fromEntries(documents),
    }) as StoreSnapshot;
  }

  function read(endpoint: string, priority: number, afterSeq: number, limit: number) {
    const rows: StoredDelivery[] = [];
    let bytes = 0;
    for (const row of lane(endpoint, priority)) {
      if (row.seq <= afterSeq) continue;
      bytes += row.message.body.byteLength;
      if (rows.length >= limit || (rows.length > 0 && bytes > READ_BYTES_MAX)) break;
      rows.push(row);
    }
    return structuredClone(rows);
  }

  function readDeadLetters(afterId: number, limit: number) {
    return structuredClone(deadLetters.filter(({ id }) => id > afterId).slice(0, limit));
  }

  return {
    commits,
    load: () => inLine(load),
    commit(given) {
      // As it is now: what the caller does with it afterwards is not what was committed.
      const writes = structuredClone(given);
      return inLine(async () => {
        if (delayMs > 0) await new Promise<void>((resolve) => clock?.after(delayMs, resolve));
        if (held) await new Promise<void>((resolve) => release.push(resolve));
        const failure = nextFault ?? fault;
        nextFault = undefined;
        if (failure !== undefined) throw failure;
        commit(writes);
      });
    },
    read: (...lane) => inLine(() => read(...lane)),
    readDeadLetters: (...page) => inLine(() => readDeadLetters(...page)),
    readKept: (module, keys) => inLine(() => kept.get(module, keys)),
    listKept: (module, range) => inLine(() => kept.list(module, range)),
    sumKept: (module, keys) => inLine(() => kept.sum(module, keys)),
    keepers: () => inLine(kept.keepers),
    async close() {
      closed = true;
      await line;
    },
    hold(now) {
      held = now;
      if (now) return;
      for (const resolve of release) resolve();
      release = [];
    },
    fail(next) {
      fault = next;
    },
    failNext(next) {
      nextFault = next;
    },
    afterPowerCut: () =>
      createMemoryStore({ ...options, writes: [...(options.writes ?? []), ...commits.flat()] }),
  };
}

function put(into: Map<string, unknown>, name: string, value: unknown): void {
  if (value === null) into.delete(name);
  else into.set(name, value);
}
