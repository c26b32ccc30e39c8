/** A clock that a test moves: years in a moment, in order, nothing by itself. */
import type { Clock } from '../../src/core/ports.ts';

export interface FakeClock extends Clock {
  /** Moves time forward, running what falls due, in order, each with its promises settled. */
  advance(ms: number): Promise<void>;
  /** Steps the wall clock alone, as NTP does on a board that woke up in 1970. */
  step(ms: number): void;
  /** Alarms not yet due. */
  pending(): number;
}

export function createFakeClock(startMs = 1_700_000_000_000): FakeClock {
  let wallMs = startMs;
  let elapsedMs = 0;
  let order = 0;
  const alarms = new Map<number, { readonly atMs: number; readonly run: () => void }>();

  return {
    now: () => wallMs,
    elapsed: () => elapsedMs,
    after(delayMs, run) {
      const id = order++;
      alarms.set(id, { atMs: elapsedMs + Math.max(0, delayMs), run });
      return () => alarms.delete(id);
    },
    async advance(ms) {
      const end = elapsedMs + ms;
      for (;;) {
        await settle();
        const [next] = [...alarms]
          .filter(([, alarm]) => alarm.atMs <= end)
          .sort(([a, x], [b, y]) => x.atMs - y.atMs || a - b);
        if (next === undefined) break;
        const [id, alarm] = next;
        alarms.delete(id);
        wallMs += alarm.atMs - elapsedMs;
        elapsedMs = alarm.atMs;
        alarm.run();
      }
      wallMs += end - elapsedMs;
      elapsedMs = end;
      await settle();
    },
    step(ms) {
      wallMs += ms;
    },
    pending: () => alarms.size,
  };
}

/** Lets everything that is ready run: all microtasks, then one turn of the event loop. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
