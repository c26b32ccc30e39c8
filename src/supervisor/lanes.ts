/**
 * All lanes, by endpoint: who comes next, and what is read from the store for it. Urgent before less
 * urgent, in order; now and then the less urgent all the same, so that nobody starves.
 */
import { isOfTheWorld } from '../core/fault.ts';
import { type EndpointId, messageSize } from '../core/message.ts';
import type { Cancel, Clock, Log, Store, StoreSnapshot } from '../core/ports.ts';
import type { Delivery } from './delivery.ts';
import { createLane, type Lane, type LaneLimits } from './lane.ts';

export interface Lanes {
  of(endpoint: EndpointId, priority: number): Lane;
  /** Deliveries of one lane; [] when none is ready yet. What has expired is told and left out. */
  take(endpoint: EndpointId, limit: number, bytes: number): readonly Delivery[];
  giveBack(deliveries: readonly Delivery[]): void;
  /** Others pass it for so long. */
  tryLater(delivery: Delivery, delayMs: number): void;
  /** More may lie in the store now. */
  refill(): void;
  waiting(endpoint: EndpointId): number;
  endpoints(): readonly EndpointId[];
  stop(): void;
}

export type LanesDeps = {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  /** The device's time, by which messages expire (device-time.ts). */
  readonly time: () => number;
  /** Something for this endpoint has become ready. */
  readonly wake: (endpoint: EndpointId) => void;
  readonly expired: (delivery: Delivery) => void;
  /** True when all that was accepted is on disk, so that a read shows everything. */
  readonly allWritten: () => boolean;
};

export type LanesLimits = {
  readonly lane: LaneLimits;
  /** After so many batches of more urgent messages comes one of a less urgent lane. */
  readonly passedOverMax: number;
};

export function createLanes(
  deps: LanesDeps,
  snapshot: StoreSnapshot['lanes'],
  limits: LanesLimits,
): Lanes {
  const { store, clock, log } = deps;
  const lanes = new Map<EndpointId, Lane[]>();
  const refilling = new Set<Lane>();
  const alarms = new Set<Cancel>();
  for (const { endpoint, priority, count } of snapshot) add(endpoint, priority, count);

  function add(endpoint: EndpointId, priority: number, beyond: number): Lane {
    const lane = createLane(endpoint, priority, beyond, limits.lane);
    const siblings = [...(lanes.get(endpoint) ?? []), lane];
    lanes.set(
      endpoint,
      siblings.sort((a, b) => a.priority - b.priority),
    );
    return lane;
  }

  function of(endpoint: EndpointId, priority: number): Lane {
    const lane = lanes.get(endpoint)?.find((candidate) => candidate.priority === priority);
    return lane ?? add(endpoint, priority, 0);
  }

  function take(endpoint: EndpointId, limit: number, bytes: number): readonly Delivery[] {
    const siblings = lanes.get(endpoint) ?? [];
    const starved = siblings.find(
      (lane) => lane.passedOver >= limits.passedOverMax && lane.waiting() > 0,
    );
    for (const lane of starved === undefined ? siblings : [starved, ...siblings]) {
      const taken = takeFresh(lane, limit, bytes);
      if (taken.length > 0) {
        for (const other of siblings) {
          if (other.priority > lane.priority && other.waiting() > 0) other.passedOver++;
        }
        lane.passedOver = 0;
        return taken;
      }
      // A more urgent lane that is being read must not be overtaken.
      if (lane !== starved && lane.reading()) return [];
    }
    return [];
  }

  function takeFresh(lane: Lane, limit: number, bytes: number): readonly Delivery[] {
    for (;;) {
      const taken = lane.take(limit, bytes, clock.elapsed());
      refillWhenLow(lane);
      const nowMs = deps.time();
      const fresh = taken.filter((delivery) => delivery.expiresAtMs > nowMs);
      if (fresh.length < taken.length) {
        for (const delivery of taken) if (delivery.expiresAtMs <= nowMs) deps.expired(delivery);
      }
      if (fresh.length > 0 || taken.length === 0) return fresh;
    }
  }

  function refillWhenLow(lane: Lane): void {
    const afterSeq = lane.wantsAfter();
    if (afterSeq === undefined || refilling.has(lane)) return;
    refilling.add(lane);
    store.read(lane.endpoint, lane.priority, afterSeq, limits.lane.rowsMax).then(
      (rows) => {
        refilling.delete(lane);
        if (rows.length === 0 && deps.allWritten()) lane.nothingBeyond();
        else lane.refill(rows, messageSize);
        // Nothing read and yet more beyond: it is on its way to the disk; the next commit looks again.
        if (rows.length > 0 || lane.waiting() === 0) deps.wake(lane.endpoint);
      },
      (cause: unknown) => {
        refilling.delete(lane);
        if (!isOfTheWorld(cause)) throw cause;
        log.error('waiting messages cannot be read', { endpoint: lane.endpoint, cause });
        alarm(1_000, () => refillWhenLow(lane));
      },
    );
  }

  function alarm(delayMs: number, run: () => void): void {
    const cancel = clock.after(delayMs, () => {
      alarms.delete(cancel);
      run();
    });
    alarms.add(cancel);
  }

  return {
    of,
    take,
    giveBack(deliveries) {
      const [first] = deliveries; // One take, one lane.
      if (first !== undefined) of(first.endpoint, first.priority).giveBack(deliveries);
    },
    tryLater(delivery, delayMs) {
      of(delivery.endpoint, delivery.priority).putAside(delivery, clock.elapsed() + delayMs);
      alarm(delayMs, () => deps.wake(delivery.endpoint));
    },
    refill() {
      for (const siblings of lanes.values()) for (const lane of siblings) refillWhenLow(lane);
    },
    waiting: (endpoint) =>
      (lanes.get(endpoint) ?? []).reduce((sum, lane) => sum + lane.waiting(), 0),
    endpoints: () => [...lanes.keys()],
    stop() {
      for (const cancel of alarms) cancel();
    },
  };
}
