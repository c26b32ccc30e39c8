/** Cron's patterns, in a time zone. */
import { Cron } from 'croner';
import type { Pattern } from './schedule-plan.ts';

/**
 * `minute hour day month weekday`, with seconds before them if there are six fields; `@daily` and the like.
 * Throws a TypeError or a RangeError with what is wrong.
 */
export function readPattern(text: string, timezone: string): Pattern {
  // Its own error names the zone; the library's comes with the first moment only.
  new Intl.DateTimeFormat('en', { timeZone: timezone });
  const cron = new Cron(text, { timezone, paused: true });
  const bad = (): never => {
    throw new TypeError(`"${text}" is a pattern that never comes.`);
  };
  if (cron.nextRun() === null) bad();
  return {
    next: (afterMs) => cron.nextRun(new Date(afterMs))?.getTime(),
    last: (beforeMs) => cron.previousRuns(1, new Date(beforeMs))[0]?.getTime(),
  };
}
