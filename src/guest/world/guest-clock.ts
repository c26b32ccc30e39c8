/**
 * A clock that never steps, for timers and durations. All a bare isolate has is the wall clock, and a
 * board without a battery starts in 1970 and jumps by decades when it learns the time.
 */

/** How much later than its due time the host may wake us and still be believed, ms. */
const LATENESS_MAX_MS = 10_000;

export type GuestClock = {
  /** Where it began, by the wall clock. */
  readonly originMs: number;
  /** ms since the guest's boot. */
  readonly elapsed: () => number;
  /** The host will wake us at this `elapsed()`; Infinity = it will not. */
  readonly expectWake: (atMs: number) => void;
};

/**
 * A step back counts as no time at all. Of a step forward only as much counts as can have passed:
 * had more, the host would have woken us for our earliest timer.
 */
export function createGuestClock(wallClock: () => number): GuestClock {
  const originMs = wallClock();
  let last = originMs;
  let elapsedMs = 0;
  let wakeAtMs = Number.POSITIVE_INFINITY;
  return {
    originMs,
    elapsed() {
      const now = wallClock();
      const passed = now - last;
      last = now;
      const most = Math.max(0, wakeAtMs - elapsedMs) + LATENESS_MAX_MS;
      if (passed > 0) elapsedMs += passed > most ? most : passed;
      return elapsedMs;
    },
    expectWake(atMs) {
      wakeAtMs = atMs;
    },
  };
}
