/**
 * How much may be spent in a time, with a little saved up. It may be overdrawn: who has spent too much
 * waits until that is paid back, so over time nobody gets more than the rate. No clock: the caller says
 * what time it is, in monotonic milliseconds.
 */
export interface TokenBucket {
  /**
   * Spends, whether it is there or not; all at once, or bit by bit since `sinceMs`: then what came in
   * meanwhile was spent as well and not saved up.
   */
  spend(amount: number, nowMs: number, sinceMs?: number): void;
  /** Spends if all of it is there; false = nothing was spent. */
  take(amount: number, nowMs: number): boolean;
  /** How long until nothing is owed any more, ms; 0 = nothing is. */
  owedMs(nowMs: number): number;
}

/** @param perMs what comes in. @param most what can be saved up; there at the start. */
export function createTokenBucket(perMs: number, most: number, nowMs: number): TokenBucket {
  let level = most;
  let filledAtMs = nowMs;

  function fill(atMs: number): void {
    if (atMs <= filledAtMs) return;
    level = Math.min(most, level + (atMs - filledAtMs) * perMs);
    filledAtMs = atMs;
  }

  return {
    spend(amount, atMs, sinceMs = atMs) {
      fill(sinceMs);
      const more = Math.max(0, atMs - filledAtMs) * perMs;
      level = Math.min(most, level + more - amount);
      filledAtMs = Math.max(filledAtMs, atMs);
    },
    take(amount, atMs) {
      fill(atMs);
      if (level < amount) return false;
      level -= amount;
      return true;
    },
    owedMs(atMs) {
      fill(atMs);
      return level >= 0 ? 0 : -level / perMs;
    },
  };
}
