/**
 * The queue of one endpoint at one priority: first in, first out. Its head is in memory, bounded;
 * what does not fit lies in the store alone and is read when the head runs dry.
 *
 *   take ◀── [ head, in memory ] ◀─ refill ── [ beyond: in the store, or on its way there ] ◀── push
 */
import type { EndpointId, Message } from '../core/message.ts';
import type { StoredDelivery } from '../core/ports.ts';

/** One message for one endpoint. */
export type Delivery = {
  readonly endpoint: EndpointId;
  readonly priority: number;
  readonly seq: number;
  readonly enqueuedAtMs: number;
  readonly expiresAtMs: number;
  readonly message: Message;
  readonly size: number;
  /** How often the endpoint failed on it. */
  attempts: number;
};

export interface Lane {
  readonly endpoint: EndpointId;
  readonly priority: number;
  /** False when the delivery now exists only in the store: the caller must see to it that it gets there. */
  push(delivery: Delivery): boolean;
  /** Deliveries from the front, up to both limits; at least one when the head holds any. */
  take(limit: number, bytes: number): readonly Delivery[];
  /** Puts taken ones back in their places. */
  giveBack(deliveries: readonly Delivery[]): void;
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

export type LaneLimits = { readonly rowsMax: number; readonly bytesMax: number };

/** `beyond` is how many deliveries the store held for this lane at the start. */
export function createLane(
  endpoint: EndpointId,
  priority: number,
  beyond: number,
  limits: LaneLimits,
): Lane {
  let head: Delivery[] = [];
  let headBytes = 0;
  let lastSeq = 0;

  function add(delivery: Delivery): void {
    head.push(delivery);
    headBytes += delivery.size;
    lastSeq = delivery.seq;
  }

  return {
    endpoint,
    priority,
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
    take(limit, bytes) {
      let count = 0;
      let sum = 0;
      while (count < Math.min(limit, head.length)) {
        const size = (head[count] as Delivery).size;
        if (count > 0 && sum + size > bytes) break;
        sum += size;
        count++;
      }
      headBytes -= sum;
      return head.splice(0, count);
    },
    giveBack(deliveries) {
      head = [...deliveries, ...head].sort((a, b) => a.seq - b.seq);
      headBytes = head.reduce((sum, delivery) => sum + delivery.size, 0);
    },
    wantsAfter: () => (beyond > 0 && head.length < limits.rowsMax / 2 ? lastSeq : undefined),
    refill(rows, size) {
      for (const row of rows) add({ ...row, size: size(row.message), attempts: 0 });
      beyond = Math.max(0, beyond - rows.length);
    },
    divertedLost() {
      beyond = Math.max(0, beyond - 1);
    },
    nothingBeyond() {
      beyond = 0;
    },
    waiting: () => head.length + beyond,
  };
}
