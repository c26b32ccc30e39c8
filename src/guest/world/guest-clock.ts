/**
 * A clock that never steps, for timers and durations. All a bare isolate has is the wall clock, and a
 * board without a battery starts in 1970 and jumps by decades when it learns the time.
 *
 * Most modules need whole milliseconds, and only who asks for more pays for a precise clock.
 */

/** How much later than its due time the host may wake us and still be believed, ms. */
const LATENESS_MAX_MS = 10_000;

export type GuestClock = {
  /** To be called once, at the boot. */
  readonly start: () => void;
  /** Where it began, by the wall clock. */
  readonly originMs: () => number;
  /** ms since the start; whole ones until somebody asks `now`. */
  readonly elapsed: () => number;
  /** The same with fractions. */
  readonly now: () => number;
  /** The host will wake us at this `elapsed()`; Infinity = it will not. */
  readonly expectWake: (atMs: number) => void;
};

/**
 * A step back counts as no time at all. Of a step forward only as much counts as can have passed:
 * had more, the host would have woken us for our earliest timer.
 */
export function createGuestClock(
  coarse: () => number,
  createPrecise: () => () => number,
): GuestClock {
  let wallClock = coarse;
  let isPrecise = false;
  let originMs = 0;
  let last = 0;
  let elapsedMs = 0;
  let wakeAtMs = Number.POSITIVE_INFINITY;

  function elapsed(): number {
    const now = wallClock();
    const passed = now - last;
    last = now;
    const most = Math.max(0, wakeAtMs - elapsedMs) + LATENESS_MAX_MS;
    if (passed > 0) elapsedMs += passed > most ? most : passed;
    return elapsedMs;
  }

  return {
    start() {
      originMs = last = wallClock();
    },
    originMs: () => originMs,
    elapsed,
    now() {
      if (!isPrecise) wallClock = createPrecise();
      isPrecise = true;
      return elapsed();
    },
    expectWake(atMs) {
      wakeAtMs = atMs;
    },
  };
}
