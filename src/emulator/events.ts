/**
 * Device-to-cloud events: committed in one batch per turn of the event loop, kept within bounds of rows
 * and bytes, read by watchers from the store, so that a slow watcher costs no memory.
 */
import type { EventEnvelope, StoredEvent } from './event-view.ts';
import type { IdentityName } from './identity-name.ts';
import type { Surroundings } from './settings.ts';
import type { State } from './state.ts';

export type NewEvent = EventEnvelope & { readonly name: IdentityName; readonly body: Uint8Array };

export type EventFilter = {
  /** Events after this one. */
  readonly since: number;
  readonly device: string | undefined;
  /** '' = the device itself. */
  readonly module: string | undefined;
};

export interface Events {
  /** Calls `done` once the event is committed, or with what kept it from being. */
  append(event: NewEvent, done: (error?: Error) => void): void;
  /** In order, `limit` at most, and no more after `bytesMax` are full; at least one if there is one. */
  read(filter: EventFilter, limit: number, bytesMax: number): readonly StoredEvent[];
  /** The newest event's seq, 0 when there never was one. */
  lastSeq(): number;
  /** The seq of the newest event from before this time, 0 when there is none. */
  lastSeqBefore(atMs: number): number;
  /** Calls `run` after every commit, until the result is called. */
  watch(run: () => void): () => void;
  /** Commits what is waiting. */
  flush(): void;
}

type Waiting = { readonly event: NewEvent; readonly done: (error?: Error) => void };

/** What a row costs beside its texts and bytes; a guess that keeps tiny events bounded too. */
const ROW_BYTES = 64;
/** Rows looked at in one step of making room. */
const PRUNE_STEP = 256;

export function createEvents(state: State, surroundings: Surroundings): Events {
  const { clock, log, settings, counters } = surroundings;
  const insert = state.prepare(
    'INSERT INTO event (enqueued_at_ms, device, module, envelope, body, size) VALUES (?, ?, ?, ?, ?, ?)',
  );
  const select = state.prepare(
    `SELECT * FROM event WHERE seq > @since
       AND (@device IS NULL OR device = @device) AND (@module IS NULL OR module = @module)
     ORDER BY seq LIMIT @limit`,
  );
  const newestBefore = state.prepare('SELECT max(seq) FROM event WHERE enqueued_at_ms < ?').pluck();
  const oldest = state.prepare('SELECT seq, size FROM event ORDER BY seq LIMIT ?');
  const removeUpTo = state.prepare('DELETE FROM event WHERE seq <= ?');
  const totals = state
    .prepare('SELECT count(*) AS rows, total(size) AS bytes FROM event')
    .get() as {
    rows: number;
    bytes: number;
  };
  const last = state.prepare('SELECT seq FROM sqlite_sequence WHERE name = ?').pluck();

  let waiting: Waiting[] = [];
  let scheduled = false;
  const watchers = new Set<() => void>();

  const commit = state.transaction((batch: readonly Waiting[]) => {
    const added = { rows: totals.rows, bytes: totals.bytes };
    const at = clock.now();
    for (const { event } of batch) {
      const { properties, systemProperties, annotations } = event;
      const envelope = JSON.stringify({ properties, systemProperties, annotations });
      const size = envelope.length + event.body.byteLength + ROW_BYTES;
      insert.run(at, event.name.device, event.name.module, envelope, event.body, size);
      added.rows += 1;
      added.bytes += size;
    }
    return prune(added);
  });

  /** Deletes the oldest until both bounds are kept; the newest always stays. */
  function prune(after: { rows: number; bytes: number }): typeof after {
    while (after.rows > settings.eventRowsMax || after.bytes > settings.eventBytesMax) {
      let upTo = 0;
      for (const row of oldest.all(PRUNE_STEP) as { seq: number; size: number }[]) {
        if (after.rows <= 1) break;
        if (after.rows <= settings.eventRowsMax && after.bytes <= settings.eventBytesMax) break;
        after.rows -= 1;
        after.bytes -= row.size;
        upTo = row.seq;
        counters.eventsPruned += 1;
      }
      if (upTo === 0) break;
      removeUpTo.run(upTo);
    }
    return after;
  }

  function flush(): void {
    scheduled = false;
    const batch = waiting;
    if (batch.length === 0) return;
    waiting = [];
    let failure: Error | undefined;
    try {
      Object.assign(totals, commit(batch));
      counters.events += batch.length;
    } catch (cause) {
      // A full disk, most likely. Nobody was told yes; the senders will try again.
      failure = cause as Error;
      log.error('events could not be stored: look at the disk', { error: failure });
    }
    for (const { done } of batch) done(failure);
    if (failure === undefined) for (const run of watchers) run();
  }

  return {
    append(event, done) {
      waiting.push({ event, done });
      if (scheduled) return;
      scheduled = true;
      // After this turn's sockets were read: all they brought shares one transaction.
      setImmediate(flush);
    },
    read(filter, limit, bytesMax) {
      const found: StoredEvent[] = [];
      let bytes = 0;
      const { since, device = null, module = null } = filter;
      for (const row of select.iterate({ since, device, module, limit })) {
        const event = row as EventRow;
        bytes += event.size;
        if (found.length > 0 && bytes > bytesMax) break;
        found.push(asEvent(event));
      }
      return found;
    },
    lastSeqBefore: (atMs) => (newestBefore.get(atMs) as number | null) ?? 0,
    lastSeq: () => (last.get('event') as number | undefined) ?? 0,
    watch(run) {
      watchers.add(run);
      return () => void watchers.delete(run);
    },
    flush,
  };
}

type EventRow = {
  readonly seq: number;
  readonly enqueued_at_ms: number;
  readonly device: string;
  readonly module: string;
  readonly envelope: string;
  readonly body: Buffer;
  readonly size: number;
};

function asEvent(row: EventRow): StoredEvent {
  return {
    ...(JSON.parse(row.envelope) as EventEnvelope),
    seq: row.seq,
    enqueuedAtMs: row.enqueued_at_ms,
    deviceId: row.device,
    moduleId: row.module,
    body: row.body,
  };
}
