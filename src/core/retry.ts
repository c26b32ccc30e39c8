/** Back-off with jitter, as a function of the attempt and of chance. */

export type RetryRange = { readonly firstMs: number; readonly mostMs: number };

/**
 * Delay before attempt `attempt` (0 = the first retry): doubles from `firstMs` up to `mostMs`, each
 * scaled by 0.8 … 1.2 so that a thousand boards do not come back in the same second.
 */
export function retryDelayMs(attempt: number, chance: number, range: RetryRange): number {
  const doubled = range.firstMs * 2 ** Math.min(attempt, 30);
  return Math.min(doubled, range.mostMs) * (0.8 + 0.4 * chance);
}
