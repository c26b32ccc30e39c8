/** A Store in memory that keeps the contract; the test decides how slow its disk is, and when it is full. */
import { Fault } from '../../src/core/fault.ts';
import type { Store, StoredDelivery, StoreSnapshot, StoreWrite } from '../../src/core/ports.ts';

type Append = Extract<StoreWrite, { kind: 'append' }>;

export type MemoryStore = Store & {
  /** Commits wait for `release` while true: what a slow card does. */
  hold(held: boolean): void;
  /** The next commits fail with this until it is undefined again. */
  fail(fault: Fault | undefined): void;
  /** What a power cut leaves: a store with all that was committed. */
  afterPowerCut(): MemoryStore;
  readonly commits: readonly (readonly StoreWrite[])[];
};

export function createMemoryStore(from?: { readonly writes: readonly StoreWrite[] }): MemoryStore {
  const messages = new Map<number, Append>();
  const lanes = new Map<string, StoredDelivery[]>();
  const twins: Record<string, never> = {};
  const statistics: Record<string, never> = {};
  const documents: Record<string, never> = {};
  const commits: (readonly StoreWrite[])[] = [];
  let lastSeq = 0;
  let held = false;
  let release: (() => void)[] = [];
  let fault: Fault | undefined;
  let line: Promise<unknown> = Promise.resolve();

  for (const write of from?.writes ?? []) apply(write);

  function apply(write: StoreWrite): void {
    if (write.kind === 'append') {
      if (write.seq <= lastSeq) throw new Error(`seq ${write.seq} after ${lastSeq}`);
      lastSeq = write.seq;
      messages.set(write.seq, write);
      for (const row of write.deliveries) {
        const { seq, enqueuedAtMs, message } = write;
        lane(row.endpoint, row.priority).push({ ...row, seq, enqueuedAtMs, message });
      }
    } else if (write.kind === 'remove') {
      const rows = lane(write.endpoint, write.priority);
      const at = rows.findIndex((row) => row.seq === write.seq);
      if (at >= 0) rows.splice(at, 1);
    } else if (write.kind === 'twin') put(twins, write.module, write.twin);
    else if (write.kind === 'statistics') put(statistics, write.module, write.statistics);
    else put(documents, write.name, write.value);
  }

  function lane(endpoint: string, priority: number): StoredDelivery[] {
    const key = `${priority} ${endpoint}`;
    const rows = lanes.get(key) ?? [];
    lanes.set(key, rows);
    return rows;
  }

  function put(into: Record<string, never>, name: string, value: unknown): void {
    if (value === null) delete into[name];
    else into[name] = structuredClone(value) as never;
  }

  /** One thing after the other, never in the same turn it was asked. */
  function inLine<T>(run: () => T | Promise<T>): Promise<T> {
    const result = line.then(run);
    line = result.catch(() => {});
    return result;
  }

  return {
    commits,
    load: () =>
      inLine(
        (): StoreSnapshot => ({
          lastSeq,
          lanes: [...lanes.values()]
            .filter((rows) => rows.length > 0)
            .map((rows) => {
              const { endpoint, priority } = rows[0] as StoredDelivery;
              return { endpoint, priority, count: rows.length };
            }),
          twins: structuredClone(twins),
          statistics: structuredClone(statistics),
          documents: structuredClone(documents),
        }),
      ),
    commit: (writes) =>
      inLine(async () => {
        if (held) await new Promise<void>((resolve) => release.push(resolve));
        if (fault !== undefined) throw fault;
        for (const write of writes) apply(write);
        commits.push(writes);
      }),
    read: (endpoint, priority, afterSeq, limit) =>
      inLine(() =>
        lane(endpoint, priority)
          .filter((row) => row.seq > afterSeq)
          .slice(0, limit),
      ),
    close: () => inLine(() => {}),
    hold(now) {
      held = now;
      if (!now) for (const resolve of release.splice(0)) resolve();
      release = [];
    },
    fail(next) {
      fault = next;
    },
    afterPowerCut: () =>
      createMemoryStore({ writes: [...(from?.writes ?? []), ...commits.flat()] }),
  };
}
