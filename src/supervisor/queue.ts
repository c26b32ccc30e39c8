/**
 * Accepted messages on their way: one lane per endpoint and priority, one door in (`accept`), one door
 * out (`take` … `done`). A sender is told yes when its message is durable or every endpoint has it,
 * whichever comes first; so a message consumed before the next group commit never touches the disk.
 *
 * Invariants: what a sender was told is stored or delivered. A `remove` is written only after what
 * the receiver sent because of it has settled (`done(…, after)`). Lanes keep the order of acceptance.
 */
import { Fault, isOfTheWorld } from '../core/fault.ts';
import { type EndpointId, type Message, messageSize } from '../core/message.ts';
import type { Clock, DeliveryRow, Store, StoreSnapshot, StoreWrite } from '../core/ports.ts';
import type { QueueCounters } from '../core/summaries.ts';
import { createLane, type Delivery, type Lane, type LaneLimits } from './lane.ts';
import { createWriteBehind, type WriteBehind, type WriteBehindDeps } from './write-behind.ts';

export type { Delivery } from './lane.ts';

export type QueueLimits = {
  /** In memory per lane. */
  readonly lane: LaneLimits;
  /** Deliveries waiting, in all. */
  readonly waitingMax: number;
  /** Accepted but not yet on disk, bytes. */
  readonly unwrittenBytesMax: number;
  /** How long a message may wait for its receivers before it is written, ms. */
  readonly lingerMs: number;
};

export const QUEUE_LIMITS: QueueLimits = {
  lane: { rowsMax: 10_000, bytesMax: 4_194_304 },
  waitingMax: 2_000_000,
  unwrittenBytesMax: 16_777_216,
  lingerMs: 100,
};

export interface Queue {
  readonly counters: QueueCounters;
  readonly writeBehind: WriteBehind;
  /** Resolves when the message is durable or delivered everywhere; rejects with STORE_FULL or DISK_FULL. */
  accept(message: Message, rows: readonly DeliveryRow[]): Promise<void>;
  /** Next deliveries for an endpoint: urgent before less urgent, in order; [] when none is ready yet. */
  take(endpoint: EndpointId, limit: number, bytes: number): readonly Delivery[];
  /** Not delivered after all: they keep their places. */
  giveBack(deliveries: readonly Delivery[]): void;
  /** The endpoint has it. It is forgotten once `after` has settled. */
  done(delivery: Delivery, after?: Promise<unknown>): void;
  /** Waiting deliveries of one endpoint. */
  waiting(endpoint: EndpointId): number;
  /** Endpoints that ever had a delivery in this process or in the store. */
  endpoints(): readonly EndpointId[];
  stop(): Promise<void>;
}

export type QueueDeps = WriteBehindDeps & {
  readonly store: Store;
  readonly clock: Clock;
  /** The device's time, by which messages expire (device-time.ts). */
  readonly time: () => number;
  /** Something for this endpoint has become ready. */
  readonly wake: (endpoint: EndpointId) => void;
  /** True when the endpoint takes messages at this moment, so that waiting a little may save a write. */
  readonly flowing: (endpoint: EndpointId) => boolean;
};

/** A message accepted in this process, until it is stored or delivered. */
type Entry = {
  readonly seq: number;
  readonly enqueuedAtMs: number;
  readonly message: Message;
  readonly size: number;
  readonly open: Map<string, DeliveryRow>;
  /** Lanes that count on finding it in the store. */
  readonly diverted: Lane[];
  stored: 'no' | 'writing' | 'yes';
  /** Monotonic ms: when its receivers have had their chance, and it is to be written. */
  dueAtMs: number;
  readonly resolve: () => void;
  readonly reject: (fault: Fault) => void;
};

export function createQueue(
  deps: QueueDeps,
  snapshot: StoreSnapshot,
  limits: QueueLimits = QUEUE_LIMITS,
): Queue {
  const { store, clock, log } = deps;
  const lanes = new Map<EndpointId, Lane[]>();
  // By seq, in order of acceptance; an entry leaves when it is durable or delivered.
  const unwritten = new Map<number, Entry>();
  let writing: readonly Entry[] = [];
  let unwrittenBytes = 0;
  let removes: StoreWrite[] = [];
  let removing: readonly StoreWrite[] = [];
  let makeRoom = false;
  let lastSeq = snapshot.lastSeq;
  let waitingCount = 0;
  const refilling = new Set<Lane>();
  const counters: QueueCounters = {
    accepted: 0,
    delivered: 0,
    written: 0,
    expired: 0,
    poison: 0,
    refused: 0,
  };
  const writeBehind = createWriteBehind(deps, { take: takeWrites, written, failed });

  for (const { endpoint, priority, count } of snapshot.lanes) {
    addLane(endpoint, priority, count);
    waitingCount += count;
  }

  function addLane(endpoint: EndpointId, priority: number, beyond: number): Lane {
    const lane = createLane(endpoint, priority, beyond, limits.lane);
    const siblings = lanes.get(endpoint) ?? [];
    lanes.set(
      endpoint,
      [...siblings, lane].sort((a, b) => a.priority - b.priority),
    );
    return lane;
  }

  function laneOf(endpoint: EndpointId, priority: number): Lane {
    const lane = lanes.get(endpoint)?.find((candidate) => candidate.priority === priority);
    return lane ?? addLane(endpoint, priority, 0);
  }

  function accept(message: Message, rows: readonly DeliveryRow[]): Promise<void> {
    counters.accepted++;
    if (rows.length === 0) return Promise.resolve();
    const size = messageSize(message);
    const full = whyFull(size, rows.length);
    if (full !== undefined) {
      counters.refused++;
      return Promise.reject(full);
    }
    return new Promise((resolve, reject) => {
      const seq = ++lastSeq;
      const enqueuedAtMs = clock.now();
      const open = new Map(rows.map((row) => [keyOf(row), row]));
      const entry: Entry = {
        seq,
        enqueuedAtMs,
        message,
        size,
        open,
        diverted: [],
        stored: 'no',
        dueAtMs: 0,
        resolve,
        reject,
      };
      unwritten.set(seq, entry);
      unwrittenBytes += size;
      waitingCount += rows.length;
      let hurry = unwrittenBytes > limits.unwrittenBytesMax / 4;
      for (const row of rows) {
        const lane = laneOf(row.endpoint, row.priority);
        const kept = lane.push({
          ...row,
          seq,
          enqueuedAtMs,
          message,
          size,
          attempts: 0,
        });
        hurry ||= !kept || !deps.flowing(row.endpoint);
        if (kept) deps.wake(row.endpoint);
        else entry.diverted.push(lane);
      }
      const lingerMs = hurry ? 0 : limits.lingerMs;
      entry.dueAtMs = clock.elapsed() + lingerMs;
      writeBehind.due(lingerMs);
    });
  }

  function whyFull(size: number, rows: number): Fault | undefined {
    if (waitingCount + rows > limits.waitingMax) {
      return new Fault(
        'STORE_FULL',
        `${waitingCount} messages wait already and ${limits.waitingMax} is the limit; they leave when their endpoints take them or they expire`,
      );
    }
    if (unwrittenBytes + size > limits.unwrittenBytesMax) {
      return new Fault(
        'STORE_FULL',
        `the disk does not keep up: ${unwrittenBytes} bytes wait to be written; send more slowly`,
      );
    }
    return undefined;
  }

  function take(endpoint: EndpointId, limit: number, bytes: number): readonly Delivery[] {
    for (const lane of lanes.get(endpoint) ?? []) {
      for (;;) {
        const taken = lane.take(limit, bytes);
        refillWhenLow(lane);
        const nowMs = deps.time();
        const fresh = taken.filter((delivery) => delivery.expiresAtMs > nowMs);
        if (fresh.length < taken.length) {
          for (const delivery of taken) if (!fresh.includes(delivery)) expire(delivery);
        }
        if (fresh.length > 0) return fresh;
        if (taken.length === 0) break;
      }
      // A more urgent lane that is being read must not be overtaken.
      if (lane.waiting() > 0) return [];
    }
    return [];
  }

  function expire(delivery: Delivery): void {
    counters.expired++;
    forget(delivery);
  }

  function refillWhenLow(lane: Lane): void {
    const afterSeq = lane.wantsAfter();
    if (afterSeq === undefined || refilling.has(lane)) return;
    refilling.add(lane);
    store.read(lane.endpoint, lane.priority, afterSeq, limits.lane.rowsMax).then(
      (rows) => {
        refilling.delete(lane);
        if (rows.length === 0 && unwritten.size === 0) lane.nothingBeyond();
        else lane.refill(rows, messageSize);
        // Nothing read and yet more beyond: it is on its way to the disk; `written` looks again.
        if (rows.length > 0 || lane.waiting() === 0) deps.wake(lane.endpoint);
      },
      (cause: unknown) => {
        refilling.delete(lane);
        if (!isOfTheWorld(cause)) throw cause;
        log.error('waiting messages cannot be read', { endpoint: lane.endpoint, cause });
        clock.after(1_000, () => refillWhenLow(lane));
      },
    );
  }

  function done(delivery: Delivery, after?: Promise<unknown>): void {
    counters.delivered++;
    if (after === undefined) forget(delivery);
    else void after.then(() => forget(delivery));
  }

  function forget(delivery: Delivery): void {
    waitingCount--;
    const entry = unwritten.get(delivery.seq);
    if (entry !== undefined) {
      entry.open.delete(keyOf(delivery));
      if (entry.open.size === 0) settle(entry);
      if (entry.stored === 'no') return;
    }
    const { endpoint, priority, seq } = delivery;
    removes.push({ kind: 'remove', endpoint, priority, seq });
    writeBehind.due(limits.lingerMs);
  }

  function settle(entry: Entry): void {
    if (unwritten.delete(entry.seq)) unwrittenBytes -= entry.size;
    entry.resolve();
  }

  function takeWrites(): readonly StoreWrite[] {
    // A full disk takes what makes room: removes go alone once, or a steady sender would fail them with it.
    writing = makeRoom && removes.length > 0 ? [] : takeDue();
    makeRoom = false;
    if (writing.length === 0 && unwritten.size > 0) writeBehind.due(limits.lingerMs);
    removing = removes;
    removes = [];
    const appends = writing.map((entry): StoreWrite => {
      entry.stored = 'writing';
      const { seq, enqueuedAtMs, message } = entry;
      return { kind: 'append', seq, enqueuedAtMs, message, deliveries: [...entry.open.values()] };
    });
    // Appends first: what a receiver sent is on disk before what made it send is removed.
    return [...appends, ...removing];
  }

  /** Whoever is due, and all accepted before: the store sees messages in their order. */
  function takeDue(): readonly Entry[] {
    const nowMs = clock.elapsed();
    const entries = [...unwritten.values()];
    const last = entries.findLastIndex((entry) => entry.dueAtMs <= nowMs);
    const rest = entries.slice(last + 1);
    if (rest.length > 0) {
      const nextMs = rest.reduce((least, entry) => Math.min(least, entry.dueAtMs), Infinity);
      // After this commit: `due` during one arms the alarm for when it has ended.
      writeBehind.due(Math.max(0, nextMs - nowMs));
    }
    return entries.slice(0, last + 1);
  }

  function written(): void {
    for (const entry of writing) {
      entry.stored = 'yes';
      counters.written++;
      settle(entry);
    }
    writing = [];
    removing = [];
    for (const siblings of lanes.values()) for (const lane of siblings) refillWhenLow(lane);
  }

  function failed(cause: Fault): void {
    makeRoom = cause.code === 'DISK_FULL';
    removes = [...removing, ...removes];
    removing = [];
    for (const entry of writing) {
      entry.stored = 'no';
      // What is in memory may still be delivered; what was meant for the disk alone is lost, and its sender knows.
      if (!unwritten.delete(entry.seq)) continue;
      unwrittenBytes -= entry.size;
      counters.refused++;
      for (const lane of entry.diverted) {
        lane.divertedLost();
        waitingCount--;
      }
      entry.reject(cause);
    }
    writing = [];
  }

  return {
    counters,
    writeBehind,
    accept,
    take,
    giveBack(deliveries) {
      const [first] = deliveries; // One take, one lane.
      if (first !== undefined) laneOf(first.endpoint, first.priority).giveBack(deliveries);
    },
    done,
    waiting: (endpoint) =>
      (lanes.get(endpoint) ?? []).reduce((sum, lane) => sum + lane.waiting(), 0),
    endpoints: () => [...lanes.keys()],
    stop() {
      // Nobody will take them any more in this life.
      for (const entry of unwritten.values()) entry.dueAtMs = 0;
      return writeBehind.stop();
    },
  };
}

function keyOf(row: { readonly endpoint: EndpointId; readonly priority: number }): string {
  return `${row.priority} ${row.endpoint}`;
}
