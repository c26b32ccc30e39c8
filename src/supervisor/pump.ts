/** The one way out: each endpoint has one pump, which moves deliveries to it, in order. */
import type { EndpointId } from '../core/message.ts';
import type { RetryRange } from '../core/retry.ts';
import { createLoop, type Loop, type LoopDeps } from './loop.ts';
import type { Delivery, Queue } from './queue.ts';

/** A neighbour that takes messages: a module's input, or the cloud. */
export interface Endpoint {
  /**
   * Calls `done` for each delivery the neighbour has taken, in any order and as early as it knows;
   * resolves when it will call no more. Rejects with a fault of the world when the neighbour is away.
   */
  deliver(
    batch: readonly Delivery[],
    done: (delivery: Delivery, after?: Promise<unknown>) => void,
  ): Promise<void>;
}

export type PumpLimits = {
  readonly batchMax: number;
  readonly batchBytesMax: number;
  /** Failed tries until a message is let go. */
  readonly attemptsMax: number;
  readonly rest: RetryRange;
};

const PUMP_LIMITS: PumpLimits = {
  batchMax: 100,
  batchBytesMax: 1_048_576,
  attemptsMax: 10,
  rest: { firstMs: 1_000, mostMs: 60_000 },
};

export function createPump(
  id: EndpointId,
  endpoint: Endpoint,
  deps: LoopDeps & { readonly queue: Queue },
  limits: PumpLimits = PUMP_LIMITS,
): Loop {
  const { queue, log } = deps;
  return createLoop(`pump ${id}`, turn, deps, limits.rest);

  async function turn(): Promise<'again' | 'done'> {
    const batch = queue.take(id, limits.batchMax, limits.batchBytesMax);
    if (batch.length === 0) return 'done';
    const open = new Set(batch);
    let away: unknown;
    try {
      await endpoint.deliver(batch, (delivery, after) => {
        if (open.delete(delivery)) queue.done(delivery, after);
      });
    } catch (cause) {
      away = cause;
    }
    if (open.size > 0) queue.giveBack(away === undefined ? countTries(open) : [...open]);
    if (away !== undefined) throw away;
    return 'again';
  }

  /** The endpoint was there and failed on these: that counts, and has an end. */
  function countTries(failed: ReadonlySet<Delivery>): readonly Delivery[] {
    return [...failed].filter((delivery) => {
      delivery.attempts++;
      if (delivery.attempts < limits.attemptsMax) return true;
      queue.counters.poison++;
      log.error('a message was let go after too many failed tries', {
        endpoint: id,
        source: delivery.message.source,
        tries: delivery.attempts,
        limit: limits.attemptsMax,
      });
      queue.done(delivery);
      return false;
    });
  }
}
