/** The one way out: each endpoint has one pump, which moves deliveries to it, in order. */
import { Fault } from '../core/fault.ts';
import { type EndpointId, UPSTREAM } from '../core/message.ts';
import { type RetryRange, retryDelayMs } from '../core/retry.ts';
import type { Delivery } from './delivery.ts';
import { createLoop, type Loop, type LoopDeps } from './loop.ts';
import type { Queue } from './queue.ts';

/** What becomes of each delivery of a batch, in any order. */
export interface Receipts {
  /** The neighbour has it; what it sent because of it is not safe yet, so `done` is still to come. */
  taken(delivery: Delivery): void;
  /** The neighbour has it, and it may be forgotten. */
  done(delivery: Delivery): void;
  /** The neighbour tried and failed: it is tried again later, a bounded number of times. */
  failed(delivery: Delivery, reason: string): void;
  /** The neighbour will never take it. */
  refused(delivery: Delivery, reason: string): void;
  /** The neighbour is away for some of the batch, and `deliver` will reject: nothing more is begun until then. */
  away(): void;
}

/** A neighbour that takes messages: a module's input, or the cloud. */
export interface Endpoint {
  /**
   * Tells `receipts` of each delivery as early as it knows; resolves when it has told of all. Rejects
   * with a fault of the world when the neighbour is away: what it has not told of keeps its place.
   * ENDPOINT_CRASHED says that one of those may be what brought the neighbour down.
   */
  deliver(batch: readonly Delivery[], receipts: Receipts): Promise<void>;
}

export type PumpLimits = {
  readonly batchMax: number;
  /** Batches under way at once to the cloud, where an answer takes long; to a module it is always one. */
  readonly upstreamBatchesMax: number;
  readonly batchBytesMax: number;
  /** Failed tries until a message becomes a dead letter. */
  readonly attemptsMax: number;
  /** The same for tries that ended the neighbour: each costs everybody a restart. */
  readonly crashesMax: number;
  /** While the neighbour is away. */
  readonly rest: RetryRange;
  /** Between the tries of one message; others go on meanwhile. */
  readonly retry: RetryRange;
};

export const PUMP_LIMITS: PumpLimits = {
  batchMax: 100,
  upstreamBatchesMax: 4,
  batchBytesMax: 1_048_576,
  attemptsMax: 10,
  crashesMax: 3,
  rest: { firstMs: 1_000, mostMs: 60_000 },
  retry: { firstMs: 500, mostMs: 30_000 },
};

export type PumpDeps = LoopDeps & { readonly queue: Queue };

export function createPump(
  id: EndpointId,
  endpoint: Endpoint,
  deps: PumpDeps,
  limits: PumpLimits = PUMP_LIMITS,
): Loop {
  const { queue, log, random } = deps;
  const batchesMax = id === UPSTREAM ? limits.upstreamBatchesMax : 1;
  const bytesMax = limits.batchBytesMax / batchesMax;
  const loop = createLoop(`pump ${id}`, turn, deps, limits.rest, () => works);
  /** Batches under way, in the order they were taken. None of these promises rejects. */
  const underway = new Set<Promise<void>>();
  /** A message that may have brought the neighbour down travels alone. */
  let alone = false;
  /** One of those under way is failing: what comes behind it must not overtake it. */
  let failing = false;
  /** Why the last one failed; thrown once all are over and given back. */
  let why: unknown;
  /** The last batch that is over went well. */
  let works = false;
  let stopped = false;

  async function turn(): Promise<'again' | 'done'> {
    while (underway.size >= batchesMax || ((alone || failing) && underway.size > 0)) {
      await Promise.race(underway);
    }
    if (failing) {
      failing = false;
      throw why;
    }
    if (stopped) return 'done';
    const batch = queue.take(id, limits.batchMax, bytesMax);
    const [first] = batch;
    if (first === undefined) return 'done';
    alone = first.suspect;
    if (alone && underway.size > 0) queue.giveBack(batch);
    else begin(batch);
    return 'again';
  }

  function begin(batch: readonly Delivery[]): void {
    const delivered = deliver(batch).then(
      () => {
        works = true;
      },
      (cause: unknown) => {
        works = false;
        failing = true;
        why = cause;
        // Perhaps there was nothing more to do: the loop has to hear of it all the same.
        loop.wake();
      },
    );
    underway.add(delivered);
    void delivered.then(() => underway.delete(delivered));
  }

  async function deliver(batch: readonly Delivery[]): Promise<void> {
    const open = new Set(batch);
    let away: unknown;
    try {
      await endpoint.deliver(batch, {
        taken: (delivery) => void open.delete(delivery),
        done(delivery) {
          open.delete(delivery);
          queue.done(delivery);
        },
        failed(delivery, reason) {
          if (open.delete(delivery)) countTry(delivery, reason);
        },
        refused(delivery, reason) {
          if (open.delete(delivery)) bury(delivery, reason);
        },
        away() {
          failing = true;
        },
      });
    } catch (cause) {
      away = cause;
    }
    if (away instanceof Fault && away.code === 'ENDPOINT_CRASHED') suspect(open, away.message);
    queue.giveBack([...open]);
    if (away !== undefined) throw away;
  }

  /** One alone was it, as far as anybody can tell. Of several each is delivered alone from now on. */
  function suspect(open: Set<Delivery>, reason: string): void {
    const [first] = open;
    if (first !== undefined && open.size === 1) {
      open.delete(first);
      first.suspect = true;
      first.crashes++;
      countTry(first, reason);
    }
    for (const delivery of open) delivery.suspect = true;
  }

  function countTry(delivery: Delivery, reason: string): void {
    const delayMs = retryDelayMs(delivery.attempts, random(), limits.retry);
    delivery.attempts++;
    const { attempts, crashes } = delivery;
    if (attempts >= limits.attemptsMax || crashes >= limits.crashesMax) bury(delivery, reason);
    else queue.tryLater(delivery, delayMs);
  }

  function bury(delivery: Delivery, reason: string): void {
    log.error('a message became a dead letter', {
      endpoint: id,
      source: delivery.message.source,
      attempts: delivery.attempts,
      reason,
    });
    queue.bury(delivery, reason);
  }

  return {
    ...loop,
    async stop() {
      stopped = true;
      await loop.stop();
      await Promise.all(underway);
    },
  };
}
