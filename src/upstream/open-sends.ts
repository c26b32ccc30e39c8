/** Messages sent on one connection and not acknowledged yet; one timer watches over all, for the oldest comes first. */
import type { Cancel, Clock } from '../core/ports.ts';

/** `cause` is undefined when the hub has it; `sentAtMs` is monotonic. */
type Told = (cause: unknown, sentAtMs: number) => void;

export interface OpenSends {
  /** Gives what to call, once, with the SDK's outcome; later calls do nothing. */
  add(told: Told): (cause: unknown) => void;
  readonly size: number;
  failAll(cause: unknown): void;
}

/** `late` is called when one has no answer for `limitMs`; `idle` whenever the last one has its answer. */
export function createOpenSends(
  clock: Clock,
  limitMs: number,
  late: () => void,
  idle: () => void,
): OpenSends {
  const open = new Map<Told, number>();
  let cancel: Cancel | undefined;

  function watch(): void {
    const [oldestMs] = open.values();
    if (oldestMs === undefined) return;
    const leftMs = limitMs - (clock.elapsed() - oldestMs);
    if (leftMs <= 0) late();
    else cancel = clock.after(leftMs, watch);
  }

  function settle(told: Told, cause: unknown): void {
    const sentAtMs = open.get(told);
    if (sentAtMs === undefined) return;
    open.delete(told);
    if (open.size === 0) cancel?.();
    told(cause, sentAtMs);
    if (open.size === 0) idle();
  }

  return {
    add(told) {
      open.set(told, clock.elapsed());
      if (open.size === 1) watch();
      return (cause) => settle(told, cause);
    },
    get size() {
      return open.size;
    },
    failAll(cause) {
      for (const told of open.keys()) settle(told, cause);
    },
  };
}
