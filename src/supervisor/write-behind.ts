/**
 * Everything the supervisor writes, in order, in group commits off the event loop. While one commit
 * runs the next batch gathers; what asks for no hurry waits a little, so that a message consumed
 * meanwhile never touches the card.
 */
import { type Fault, isOfTheWorld } from '../core/fault.ts';
import type { Cancel, Clock, Log, Store, StoreWrite } from '../core/ports.ts';
import { type RetryRange, retryDelayMs } from '../core/retry.ts';

/** Who has writes of its own to add to each commit: the queue. */
export interface WriteSource {
  /** What to write now; asked once per commit. */
  take(): readonly StoreWrite[];
  /** The batch taken last is durable. */
  written(): void;
  /** The batch taken last could not be written. */
  failed(cause: Fault): void;
}

export interface WriteBehind {
  /** Writes that must not be lost: kept and tried again until they are on disk. Resolves when durable. */
  write(writes: readonly StoreWrite[]): Promise<void>;
  /** The source has something to write, within `lingerMs`. */
  due(lingerMs: number): void;
  /** Writes what there is and ends; resolves when it is on disk or was tried once more. */
  stop(): Promise<void>;
}

type Kept = { readonly writes: readonly StoreWrite[]; readonly done: () => void };

const REST: RetryRange = { firstMs: 500, mostMs: 10_000 };

export type WriteBehindDeps = {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
};

export function createWriteBehind(
  { store, clock, random, log }: WriteBehindDeps,
  source: WriteSource,
): WriteBehind {
  let kept: readonly Kept[] = [];
  let running: Promise<void> | undefined;
  let dueAtMs: number | undefined;
  let cancelAlarm: Cancel = () => {};
  let failures = 0;
  let stopped = false;

  function arm(): void {
    cancelAlarm();
    if (running !== undefined || stopped || dueAtMs === undefined) return;
    cancelAlarm = clock.after(Math.max(0, dueAtMs - clock.elapsed()), start);
  }

  function start(): void {
    cancelAlarm();
    dueAtMs = undefined;
    // In a turn of its own: `running` must be known before the source is asked and calls `due`.
    running = Promise.resolve()
      .then(commit)
      .then(() => {
        running = undefined;
        arm();
      });
  }

  async function commit(): Promise<void> {
    const mine = kept;
    kept = [];
    const writes = [...source.take(), ...mine.flatMap((batch) => batch.writes)];
    if (writes.length === 0) return;
    try {
      await store.commit(writes);
      if (failures > 0) log.info('the store can be written again');
      failures = 0;
      source.written();
      for (const batch of mine) batch.done();
    } catch (cause) {
      // Only the world may be tried again; a bug of ours must not be slept over.
      if (!isOfTheWorld(cause)) throw cause;
      if (failures === 0) log.error('the store cannot be written', { cause });
      kept = [...mine, ...kept];
      source.failed(cause);
      dueAtMs = clock.elapsed() + retryDelayMs(failures++, random(), REST);
    }
  }

  function due(lingerMs: number): void {
    // While the disk refuses, its own pace rules; new work must not make it spin.
    if (failures > 0 && dueAtMs !== undefined) return;
    const atMs = clock.elapsed() + lingerMs;
    if (dueAtMs !== undefined && dueAtMs <= atMs) return;
    dueAtMs = atMs;
    arm();
  }

  return {
    write(writes) {
      return new Promise((resolve) => {
        kept = [...kept, { writes, done: resolve }];
        due(0);
      });
    },
    due,
    async stop() {
      await running;
      // Whoever hears that its write is durable may have another: what led to a message is removed then.
      do {
        start();
        await running;
      } while (dueAtMs !== undefined && failures === 0);
      stopped = true;
      cancelAlarm();
    },
  };
}
