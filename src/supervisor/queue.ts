/**
 * Accepted messages on their way: one lane per endpoint and priority, one door in (`accept`), one door
 * out (`take` … `done`). A sender is told yes when its message is durable or every endpoint has it,
 * whichever comes first; so a message consumed before the next group commit never touches the disk.
 *
 * Invariants: what a sender was told is stored or delivered. A `remove` is written only after what
 * the receiver sent because of it has settled (`done(…, after)`). Lanes keep the order of acceptance.
 */
import { Fault } from '../core/fault.ts';
import { type EndpointId, type Message, messageSize } from '../core/message.ts';
import type { DeadLetter, DeliveryRow, StoreSnapshot, StoreWrite } from '../core/ports.ts';
import type { QueueCounters } from '../core/summaries.ts';
import type { Accepted, Delivery, Settled } from './delivery.ts';
import { createLanes, type Lanes, type LanesDeps, type LanesLimits } from './lanes.ts';
import { createRoom, type Room, STORE_LIMITS, type StoreLimits } from './room.ts';
import { createWriteBehind, type WriteBehind, type WriteBehindDeps } from './write-behind.ts';

export type QueueLimits = LanesLimits & {
  readonly store: StoreLimits;
  /** Accepted but not yet on disk, bytes: more is refused. */
  readonly unwrittenBytesMax: number;
  /** With so many accepted and not yet on disk, or a quarter of those bytes, senders are slowed. */
  readonly unwrittenMax: number;
  /** A sender whose message finds an endpoint more than half full is told so much later, at most, ms. */
  readonly slowMs: number;
  /** How long a message may wait for its receivers before it is written, ms. */
  readonly lingerMs: number;
  /**
   * Messages whose receivers are away are written at least so far apart, ms, unless there is one alone or
   * `gatherMax` of them: each commit writes whole pages, however little is on them.
   */
  readonly gatherMs: number;
  readonly gatherMax: number;
};

export const QUEUE_LIMITS: QueueLimits = {
  lane: { rowsMax: 2_000, bytesMax: 4_194_304, asideMax: 100 },
  store: STORE_LIMITS,
  unwrittenBytesMax: 16_777_216,
  unwrittenMax: 4_000,
  slowMs: 1_000,
  lingerMs: 100,
  gatherMs: 20,
  gatherMax: 64,
  passedOverMax: 20,
};

/** Deliveries go out through the lanes, and back through `done` and `bury`. */
export interface Queue extends Omit<Lanes, 'of' | 'refill' | 'stop'> {
  readonly counters: QueueCounters;
  readonly writeBehind: WriteBehind;
  readonly room: Room;
  /**
   * `settled` is told when the message is durable or delivered everywhere, or STORE_FULL or DISK_FULL.
   * An endpoint without room refuses its own copy alone: the others get theirs before that is told.
   */
  accept(message: Message, rows: readonly DeliveryRow[], settled: Settled): void;
  /** The endpoint has it, and what it sent because of it is safe: it is forgotten. */
  done(delivery: Delivery): void;
  /** The endpoint will never take it: it becomes a dead letter. */
  bury(delivery: Delivery, reason: string): void;
  /** Back-pressure: settles when senders may go on; undefined while there is no need to wait. */
  relief(): Promise<void> | undefined;
  stop(): Promise<void>;
}

export type QueueDeps = WriteBehindDeps &
  Omit<LanesDeps, 'expired' | 'allWritten'> & {
    /** True when the endpoint takes messages at this moment, so that waiting a little may save a write. */
    readonly flowing: (endpoint: EndpointId) => boolean;
    /** Makes the delivery `seq` a dead letter; resolves when that is on disk. */
    readonly bury: (seq: number, letter: DeadLetter) => Promise<void>;
  };

export function createQueue(
  deps: QueueDeps,
  snapshot: StoreSnapshot,
  limits: QueueLimits = QUEUE_LIMITS,
): Queue {
  const { clock } = deps;
  // In order of acceptance; each leaves when it is durable or delivered.
  const unwritten = new Set<Accepted>();
  let writing: readonly Accepted[] = [];
  let unwrittenBytes = 0;
  let removes: StoreWrite[] = [];
  let removing: readonly StoreWrite[] = [];
  let makeRoom = false;
  let lastSeq = snapshot.lastSeq;
  const counters: QueueCounters = {
    accepted: 0,
    delivered: 0,
    written: 0,
    expired: 0,
    deadLettered: 0,
    refused: 0,
  };
  /** Monotonic ms of the last commit with messages. */
  let appendedAtMs = Number.NEGATIVE_INFINITY;
  let appendedCount = 0;
  let relieved: PromiseWithResolvers<void> | undefined;
  const room = createRoom(snapshot.lanes, limits.store);
  const lanes = createLanes(
    { ...deps, expired: expire, allWritten: () => unwritten.size === 0 },
    snapshot.lanes,
    limits,
  );
  const writeBehind = createWriteBehind(deps, { take: takeWrites, written, failed });

  function accept(message: Message, rows: readonly DeliveryRow[], settled: Settled): void {
    counters.accepted++;
    if (rows.length === 0) return settled(undefined);
    const size = messageSize(message);
    if (unwrittenBytes + size > limits.unwrittenBytesMax) return refuse(tooFast(), settled);
    let full: Fault | undefined;
    let pressure = 0;
    for (const { endpoint } of rows) {
      full ??= room.whyFull(endpoint, size);
      pressure = Math.max(pressure, room.pressure(endpoint));
    }
    const tell = pressure === 0 ? settled : later(settled, pressure * limits.slowMs);
    if (full === undefined) return keep(message, size, rows, tell);
    const why = full;
    const taken = rows.filter(({ endpoint }) => room.whyFull(endpoint, size) === undefined);
    if (taken.length === 0) return refuse(why, tell);
    keep(message, size, taken, (fault) => {
      if (fault === undefined) refuse(why, tell);
      else tell(fault);
    });
  }

  function refuse(why: Fault, settled: Settled): void {
    counters.refused++;
    settled(why);
  }

  function later(settled: Settled, delayMs: number): Settled {
    if (delayMs === 0) return settled;
    return (fault) => void clock.after(delayMs, () => settled(fault));
  }

  function tooFast(): Fault {
    return new Fault(
      'STORE_FULL',
      `the disk does not keep up: ${unwrittenBytes} bytes wait to be written; send more slowly`,
    );
  }

  function keep(
    message: Message,
    size: number,
    rows: readonly DeliveryRow[],
    settled: Settled,
  ): void {
    const seq = ++lastSeq;
    const enqueuedAtMs = clock.now();
    const deliveries: Delivery[] = [];
    const accepted: Accepted = {
      seq,
      enqueuedAtMs,
      message,
      size,
      deliveries,
      open: rows.length,
      stored: 'no',
      dueAtMs: 0,
      settled,
    };
    unwritten.add(accepted);
    unwrittenBytes += size;
    let away = false;
    for (const { endpoint, priority, expiresAtMs } of rows) {
      room.add(endpoint, size);
      const delivery: Delivery = {
        endpoint,
        priority,
        expiresAtMs,
        seq,
        enqueuedAtMs,
        message,
        size,
        attempts: 0,
        suspect: false,
        crashes: 0,
        accepted,
        diverted: false,
        over: false,
      };
      deliveries.push(delivery);
      delivery.diverted = !lanes.of(endpoint, priority).push(delivery);
      away ||= delivery.diverted || !deps.flowing(endpoint);
      if (!delivery.diverted) deps.wake(endpoint);
    }
    const lingerMs = isOverloaded() ? 0 : away ? gatherMs() : limits.lingerMs;
    accepted.dueAtMs = clock.elapsed() + lingerMs;
    writeBehind.due(lingerMs);
  }

  /** One after the other comes from whoever waits for each; several from whoever does not. */
  function gatherMs(): number {
    const alone = unwritten.size <= 1 && appendedCount <= 1;
    if (alone || unwritten.size >= limits.gatherMax) return 0;
    return Math.max(0, appendedAtMs + limits.gatherMs - clock.elapsed());
  }

  function isOverloaded(): boolean {
    return unwritten.size > limits.unwrittenMax || unwrittenBytes > limits.unwrittenBytesMax / 4;
  }

  function relief(): Promise<void> | undefined {
    if (!isOverloaded()) return undefined;
    relieved ??= Promise.withResolvers<void>();
    return relieved.promise;
  }

  function relieve(): void {
    if (relieved === undefined || isOverloaded()) return;
    relieved.resolve();
    relieved = undefined;
  }

  function expire(delivery: Delivery): void {
    counters.expired++;
    forget(delivery);
  }

  function done(delivery: Delivery): void {
    counters.delivered++;
    forget(delivery);
  }

  function bury(delivery: Delivery, reason: string): void {
    counters.deadLettered++;
    const { seq, endpoint, priority, enqueuedAtMs, message, attempts } = delivery;
    const deadAtMs = clock.now();
    void deps
      .bury(seq, { endpoint, priority, enqueuedAtMs, message, attempts, reason, deadAtMs })
      .then(() => forget(delivery));
  }

  function forget(delivery: Delivery): void {
    const { endpoint, priority, seq, accepted } = delivery;
    room.remove(endpoint, delivery.size);
    delivery.over = true;
    if (accepted !== undefined) {
      if (--accepted.open === 0) settle(accepted);
      if (accepted.stored === 'no') return;
    }
    removes.push({ kind: 'remove', endpoint, priority, seq });
    writeBehind.due(limits.lingerMs);
  }

  /** Once: whoever was told is no longer among the unwritten. */
  function settle(accepted: Accepted, fault?: Fault): void {
    if (!unwritten.delete(accepted)) return;
    unwrittenBytes -= accepted.size;
    accepted.settled(fault);
    relieve();
  }

  function takeWrites(): readonly StoreWrite[] {
    // A full disk takes what makes room: removes go alone once, or a steady sender would fail them with it.
    writing = makeRoom && removes.length > 0 ? [] : takeDue();
    makeRoom = false;
    if (writing.length > 0) {
      appendedAtMs = clock.elapsed();
      appendedCount = writing.length;
    }
    if (writing.length === 0 && unwritten.size > 0) writeBehind.due(limits.lingerMs);
    removing = removes;
    removes = [];
    const appends = writing.map((accepted): StoreWrite => {
      accepted.stored = 'writing';
      const { seq, enqueuedAtMs, message } = accepted;
      const open = accepted.deliveries.filter(({ over }) => !over);
      const rows = open.map(({ endpoint, priority, expiresAtMs }) => {
        return { endpoint, priority, expiresAtMs };
      });
      return { kind: 'append', seq, enqueuedAtMs, message, deliveries: rows };
    });
    // Appends first: what a receiver sent is on disk before what made it send is removed.
    return [...appends, ...removing];
  }

  /** Whoever is due, and all accepted before: the store sees messages in their order. */
  function takeDue(): readonly Accepted[] {
    const nowMs = clock.elapsed();
    const entries = [...unwritten];
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
    for (const accepted of writing) {
      accepted.stored = 'yes';
      counters.written++;
      settle(accepted);
    }
    writing = [];
    removing = [];
    lanes.refill();
  }

  function failed(cause: Fault): void {
    makeRoom = cause.code === 'DISK_FULL';
    removes = [...removing, ...removes];
    removing = [];
    for (const accepted of writing) {
      accepted.stored = 'no';
      // What is in memory may still be delivered; what was meant for the disk alone is lost, and its sender knows.
      if (!unwritten.has(accepted)) continue;
      counters.refused++;
      for (const { diverted, endpoint, priority } of accepted.deliveries) {
        if (!diverted) continue;
        lanes.of(endpoint, priority).divertedLost();
        room.remove(endpoint, accepted.size);
      }
      settle(accepted, cause);
    }
    writing = [];
  }

  return {
    counters,
    writeBehind,
    accept,
    room,
    take: lanes.take,
    giveBack: lanes.giveBack,
    tryLater: lanes.tryLater,
    waiting: lanes.waiting,
    endpoints: lanes.endpoints,
    done,
    relief,
    bury,
    stop() {
      lanes.stop();
      // Nobody will take them any more in this life.
      for (const accepted of unwritten) accepted.dueAtMs = 0;
      return writeBehind.stop();
    },
  };
}
