/** Console lines of one module, held to a rate: what is above it is dropped, and a line says how many were. */
import type { Clock } from '../core/ports.ts';
import { createTokenBucket } from '../core/token-bucket.ts';

export interface LineLimit {
  /** True when one more may be written. */
  take(): boolean;
}

/** A stack trace or a report at start is many lines at once. */
const BURST_S = 10;
const TELL_MS = 1_000;

/**
 * @param perSecond undefined = no limit.
 * @param tell called with a sentence for the log, once a second at most, while lines are dropped.
 */
export function createLineLimit(
  perSecond: number | undefined,
  clock: Clock,
  tell: (sentence: string) => void,
): LineLimit {
  if (perSecond === undefined) return { take: () => true };
  const bucket = createTokenBucket(perSecond / 1_000, perSecond * BURST_S, clock.elapsed());
  let dropped = 0;

  function report(): void {
    tell(
      `${dropped} ${dropped === 1 ? 'line was' : 'lines were'} dropped: it may write ${perSecond} a second`,
    );
    dropped = 0;
  }

  return {
    take() {
      if (bucket.take(1, clock.elapsed())) return true;
      if (dropped++ === 0) clock.after(TELL_MS, report);
      return false;
    },
  };
}
