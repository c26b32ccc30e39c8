/**
 * The queue of one endpoint at one priority: first in, first out. Its head is in memory, bounded;
 * what does not fit lies in the store alone and is read when the head runs dry. What its endpoint
 * failed on rests aside for a while and lets the others pass.
 *
 *   take ◀─┬─ [ head, in memory ] ◀─ refill ── [ beyond: in the store, or on its way there ] ◀── push
 *          └─ [ aside, until due ]
 */
import type { EndpointId, Message } from '../core/message.ts';
import type { StoredDelivery } from '../core/ports.ts';
import type { Delivery } from './delivery.ts';

export interface Lane {
  readonly endpoint: EndpointId;
  readonly priority: number;
  /** Batches of more urgent lanes that went first while something waited here. */
  passedOver: number;
  /** False when the delivery now exists only in the store: the caller must see to it that it gets there. */
  push(delivery: Delivery): boolean;
  /** Deliveries from the front, up to both limits, a suspect alone; none when those in memory all rest. */
  take(limit: number, bytes: number, nowMs: number): readonly Delivery[];
  /** Puts taken ones back in their places. */
  giveBack(deliveries: readonly Delivery[]): void;
  /** Lets others pass a taken one until `dueAtMs` (monotonic). */
  putAside(delivery: Delivery, dueAtMs: number): void;
  /** More lies in the store, and nothing of it is in memory yet. */
  reading(): boolean;
  /** The last read position, when the head is low and there is more in the store; undefined otherwise. */
  wantsAfter(): number | undefined;
  /** Adds what a read after `wantsAfter()` gave. */
  refill(rows: readonly StoredDelivery[], size: (message: Message) => number): void;
  /** A diverted delivery that will never reach the store. */
  divertedLost(): void;
  /** The store turned out to hold nothing more for this lane. */
  nothingBeyond(): void;
  /** Deliveries not yet taken, in memory and beyond. */
  waiting(): number;
}

export type LaneLimits = {
  /** In memory. */
  readonly rowsMax: number;
  readonly bytesMax: number;
  /** When so many (or `bytesMax`) rest aside the lane waits for them: an endpoint that fails on everything is not fed. */
  readonly asideMax: number;
};

/** `beyond` is how many deliveries the store held for this lane at the start. */
export function createLane(
  endpoint: EndpointId,
  priority: number,
  beyond: number,
  limits: LaneLimits,
): Lane {
  let head: Delivery[] = [];
  let headBytes = 0;
  let aside: { readonly delivery: Delivery; readonly dueAtMs: number }[] = [];
  let lastSeq = 0;

  function add(delivery: Delivery): void {
    head.push(delivery);
    headBytes += delivery.size;
    lastSeq = delivery.seq;
  }

  function takeDue(nowMs: number, limit: number, bytes: number): readonly Delivery[] {
    const due = aside
      .filter(({ dueAtMs }) => dueAtMs <= nowMs)
      .map(({ delivery }) => delivery)
      .sort((a, b) => a.seq - b.seq);
    const taken = new Set(due.slice(0, countOf(due, limit, bytes)));
    aside = aside.filter(({ delivery }) => !taken.has(delivery));
    return [...taken];
  }

  function isAsideFull(): boolean {
    const bytes = aside.reduce((sum, { delivery }) => sum + delivery.size, 0);
    return aside.length >= limits.asideMax || bytes >= limits.bytesMax;
  }

  return {
    endpoint,
    priority,
    passedOver: 0,
    push(delivery) {
      const fits = head.length < limits.rowsMax && headBytes + delivery.size <= limits.bytesMax;
      // Once one is beyond, all later ones are: order comes first.
      if (beyond > 0 || (!fits && head.length > 0)) {
        beyond++;
        return false;
      }
      add(delivery);
      return true;
    },
    take(limit, bytes, nowMs) {
      if (aside.length > 0) {
        const due = takeDue(nowMs, limit, bytes);
        if (due.length > 0 || isAsideFull()) return due;
      }
      const taken = head.splice(0, countOf(head, limit, bytes));
      for (const { size } of taken) headBytes -= size;
      return taken;
    },
    giveBack(deliveries) {
      head = [...deliveries, ...head].sort((a, b) => a.seq - b.seq);
      headBytes = head.reduce((sum, delivery) => sum + delivery.size, 0);
    },
    putAside(delivery, dueAtMs) {
      aside.push({ delivery, dueAtMs });
    },
    reading: () => head.length === 0 && beyond > 0,
    wantsAfter: () => (beyond > 0 && head.length < limits.rowsMax / 2 ? lastSeq : undefined),
    refill(rows, size) {
      for (const row of rows) {
        add({
          ...row,
          size: size(row.message),
          attempts: 0,
          suspect: false,
          crashes: 0,
          accepted: undefined,
          diverted: false,
          over: false,
        });
      }
      beyond = Math.max(0, beyond - rows.length);
    },
    divertedLost() {
      beyond = Math.max(0, beyond - 1);
    },
    nothingBeyond() {
      beyond = 0;
    },
    waiting: () => head.length + aside.length + beyond,
  };
}

/** How many from the front make one batch. */
function countOf(deliveries: readonly Delivery[], limit: number, bytes: number): number {
  let sum = 0;
  for (const [index, { size, suspect }] of deliveries.entries()) {
    sum += size;
    if (index >= limit || (index > 0 && (suspect || sum > bytes))) return index;
    if (suspect) return 1;
  }
  return deliveries.length;
}
