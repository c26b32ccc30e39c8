/**
 * When a schedule wakes, by a clock that may be wrong: a board without a battery starts in 1970 and jumps by
 * decades. At most one wake-up comes of a jump, and of those that were slept through it says how many they were.
 */

export type Pattern = {
  /** The first moment after this, ms since 1970; undefined = there is none any more. */
  next(afterMs: number): number | undefined;
  /** The last one before this. */
  last(beforeMs: number): number | undefined;
};

export type PlannedWake = {
  /** The moment it was meant for; of several that have passed the last one. */
  readonly atMs: number;
  /** Those before it that nobody was woken for; MISSED_MAX = so many or more. */
  readonly missed: number;
};

type Look =
  /** Wake now, and look again. */
  | { readonly wake: PlannedWake }
  /** Nothing yet: look again after so long at the latest. */
  | { readonly waitMs: number }
  /** The pattern has no more moments. */
  | { readonly wake: undefined };

export type Plan = {
  look(nowMs: number): Look;
  /** The last wake-up by a clock that was right, or when it began; undefined = not known yet. */
  since(): number | undefined;
};

export const MISSED_MAX = 100;
/** A clock before 2020 has not been set yet: it is good for intervals, not for what was missed. */
const PLAUSIBLE_MS = Date.UTC(2020, 0, 1);
/** A clock set back by no more than this was only a little fast: no moment comes twice. */
const STEP_BACK_MS = 300_000;
/** A step of the clock is noticed after so long. */
const WAIT_MAX_MS = 60_000;

const isPlausible = (ms: number): boolean => ms >= PLAUSIBLE_MS;

/** @param since what `since` gave in the module's last life. */
export function createPlan(pattern: Pattern, since: number | undefined, nowMs: number): Plan {
  let known = since;
  /** Everything up to here is dealt with. */
  let doneMs = nowMs;
  if (isPlausible(nowMs)) doneMs = beginAt(nowMs);

  /** Where to go on, once the clock is right. */
  function beginAt(now: number): number {
    if (known === undefined || known > now + STEP_BACK_MS) known = now;
    return known;
  }

  return {
    look(now) {
      if (isPlausible(now) && !isPlausible(doneMs)) doneMs = beginAt(now);
      else if (now < doneMs - STEP_BACK_MS) doneMs = now;
      let atMs = pattern.next(doneMs);
      if (atMs === undefined) return { wake: undefined };
      if (atMs > now) return { waitMs: Math.min(atMs - now, WAIT_MAX_MS) };
      let missed = 0;
      for (;;) {
        const next = pattern.next(atMs);
        if (next === undefined || next > now) break;
        atMs = next;
        if (++missed < MISSED_MAX) continue;
        atMs = pattern.last(now + 1) ?? atMs;
        break;
      }
      doneMs = atMs;
      if (isPlausible(atMs)) known = atMs;
      return { wake: { atMs, missed } };
    },
    since: () => known,
  };
}
