/** The one door in: size, match, queue. */
import { Fault } from '../core/fault.ts';
import { MESSAGE_BYTES_MAX, type Message, messageSize } from '../core/message.ts';
import type { RouteTable } from '../core/route-table.ts';
import type { Queue } from './queue.ts';

export interface Router {
  /**
   * Resolves when the message is durable, delivered everywhere, or has no route (IoT Edge tells its
   * sender yes then, spec/iotedge.md §6.10); rejects with MESSAGE_TOO_LARGE, STORE_FULL or DISK_FULL.
   */
  accept(message: Message): Promise<void>;
  /** Messages taken in later go by this table and, where their route says nothing, this time to live. */
  use(table: RouteTable, timeToLiveS: number): void;
  readonly counters: { noRoute: number; tooLarge: number };
}

/** `time`: the device's own, by which messages expire (device-time.ts). */
export function createRouter(queue: Queue, time: () => number): Router {
  const counters = { noRoute: 0, tooLarge: 0 };
  let table: RouteTable | undefined;
  let defaultTimeToLiveS = Number.POSITIVE_INFINITY;

  return {
    counters,
    accept(message) {
      const size = messageSize(message);
      if (size > MESSAGE_BYTES_MAX) {
        counters.tooLarge++;
        return Promise.reject(
          new Fault(
            'MESSAGE_TOO_LARGE',
            `the message has ${size} bytes with its properties, ${MESSAGE_BYTES_MAX} is the limit: send it in parts`,
          ),
        );
      }
      const targets = table?.match(message) ?? [];
      if (targets.length === 0) counters.noRoute++;
      const nowMs = time();
      return queue.accept(
        message,
        targets.map(({ endpoint, priority, timeToLiveS }) => ({
          endpoint,
          priority,
          expiresAtMs: expiry(nowMs, timeToLiveS > 0 ? timeToLiveS : defaultTimeToLiveS),
        })),
      );
    },
    use(next, timeToLiveS) {
      table = next;
      defaultTimeToLiveS = timeToLiveS;
    },
  };
}

function expiry(nowMs: number, timeToLiveS: number): number {
  return Number.isFinite(timeToLiveS) ? nowMs + timeToLiveS * 1000 : Number.MAX_SAFE_INTEGER;
}
