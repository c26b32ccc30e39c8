/** The one door in: size, match, queue. */
import { Fault } from '../core/fault.ts';
import {
  type EndpointId,
  LOCAL_MESSAGE_BYTES_MAX,
  MESSAGE_BYTES_MAX,
  type Message,
  messageSize,
  UPSTREAM,
} from '../core/message.ts';
import type { RouteTable } from '../core/route-table.ts';
import type { Settled } from './delivery.ts';
import type { Queue } from './queue.ts';

export type RouterSettings = {
  /** Largest message between modules of this device, bytes; to the cloud it is MESSAGE_BYTES_MAX. */
  readonly localBytesMax: number;
  /**
   * A message no route takes: `error` tells its sender NO_ROUTE; `drop` tells it yes, as IoT Edge does
   * (spec/iotedge.md §6.10). Either way it is counted.
   */
  readonly unrouted: 'error' | 'drop';
};

export const ROUTER_SETTINGS: RouterSettings = {
  localBytesMax: LOCAL_MESSAGE_BYTES_MAX,
  unrouted: 'error',
};

export interface Router {
  /**
   * `settled` is told when the message is durable or delivered everywhere, or else NO_ROUTE,
   * MESSAGE_TOO_LARGE, STORE_FULL or DISK_FULL. An endpoint that cannot take it refuses its own copy
   * alone: the others get theirs before that is told.
   */
  accept(message: Message, settled: Settled): void;
  /** Messages taken in later go by this table and, where their route says nothing, this time to live. */
  use(table: RouteTable, timeToLiveS: number): void;
  /** Gives a message to one endpoint, past the routes. Settles as `accept` does. */
  readmit(message: Message, endpoint: EndpointId, priority: number, settled: Settled): void;
  readonly counters: { noRoute: number; tooLarge: number };
}

/** `time`: the device's own, by which messages expire (device-time.ts). */
export function createRouter(
  queue: Queue,
  time: () => number,
  settings: RouterSettings = ROUTER_SETTINGS,
): Router {
  const counters = { noRoute: 0, tooLarge: 0 };
  let table: RouteTable | undefined;
  let defaultTimeToLiveS = Number.POSITIVE_INFINITY;

  function accept(message: Message, settled: Settled): void {
    const size = messageSize(message);
    if (size > settings.localBytesMax) {
      return refuse(tooLarge(size, settings.localBytesMax, 'here'), settled);
    }
    const targets = table?.match(message) ?? [];
    if (targets.length === 0) return unrouted(message, settled);
    const nowMs = time();
    const rows = targets.map(({ endpoint, priority, timeToLiveS }) => ({
      endpoint,
      priority,
      expiresAtMs: expiry(nowMs, timeToLiveS > 0 ? timeToLiveS : defaultTimeToLiveS),
    }));
    if (size <= MESSAGE_BYTES_MAX) return queue.accept(message, rows, settled);
    const local = rows.filter(({ endpoint }) => endpoint !== UPSTREAM);
    if (local.length === rows.length) return queue.accept(message, rows, settled);
    const why = tooLarge(size, MESSAGE_BYTES_MAX, 'to the cloud');
    if (local.length === 0) return refuse(why, settled);
    queue.accept(message, local, (fault) => {
      if (fault === undefined) refuse(why, settled);
      else settled(fault);
    });
  }

  function refuse(why: Fault, settled: Settled): void {
    counters.tooLarge++;
    settled(why);
  }

  function unrouted({ source }: Message, settled: Settled): void {
    counters.noRoute++;
    if (settings.unrouted === 'drop') return settled(undefined);
    const why =
      table === undefined
        ? 'the deployment’s routes have not been received yet: send again later'
        : 'no route of the deployment takes it: add one to $edgeHub, or test those with "isolet route test"';
    settled(new Fault('NO_ROUTE', `a message from ${source} went nowhere: ${why}`));
  }

  return {
    counters,
    accept,
    readmit(message, endpoint, priority, settled) {
      const expiresAtMs = expiry(time(), defaultTimeToLiveS);
      queue.accept(message, [{ endpoint, priority, expiresAtMs }], settled);
    },
    use(next, timeToLiveS) {
      table = next;
      defaultTimeToLiveS = timeToLiveS;
    },
  };
}

function tooLarge(size: number, most: number, where: string): Fault {
  return new Fault(
    'MESSAGE_TOO_LARGE',
    `the message has ${size} bytes with its properties, ${most} is the limit ${where}: send it in parts`,
  );
}

function expiry(nowMs: number, timeToLiveS: number): number {
  return Number.isFinite(timeToLiveS) ? nowMs + timeToLiveS * 1000 : Number.MAX_SAFE_INTEGER;
}
