/** What callers ask of logs, in words, read into a query: `isolet logs`, GetModuleLogs, UploadModuleLogs. */
import { parseMomentMs } from './duration.ts';
import type { LogQuery, MatchTexts } from './log-query.ts';

/** Undefined or null = not asked for. Numbers may come as text. */
export type LogWords = {
  readonly tail?: unknown;
  readonly since?: unknown;
  readonly until?: unknown;
  readonly loglevel?: unknown;
  readonly regex?: unknown;
};

/** Makes a matcher; throws an Error with a sentence when it is no regular expression. */
export type CompilePattern = (
  source: string,
  options?: { readonly ignoreCase?: boolean },
) => MatchTexts;

const TAIL_MAX = 1_000_000;

/** All problems are added to `problems`, each naming its field, `at` before it. */
export function readLogQuery(
  words: LogWords,
  nowMs: number,
  compile: CompilePattern,
  problems: string[],
  at = '',
): LogQuery {
  function moment(name: 'since' | 'until'): number | undefined {
    const value = words[name];
    if (absent(value)) return undefined;
    const ms =
      typeof value === 'string' || typeof value === 'number'
        ? parseMomentMs(String(value), nowMs)
        : undefined;
    if (ms === undefined) {
      problems.push(
        `${at}${name} must be a time (2026-01-31T12:00:00Z), Unix seconds, or how long ago ("1d", "2 hours 30 minutes")`,
      );
    }
    return ms;
  }

  function whole(name: 'tail' | 'loglevel', most: number): number | undefined {
    const value = words[name];
    if (absent(value)) return undefined;
    const number = typeof value === 'string' && /^[0-9]{1,9}$/.test(value) ? Number(value) : value;
    if (Number.isInteger(number) && (number as number) >= 0 && (number as number) <= most) {
      return number as number;
    }
    problems.push(`${at}${name} must be a whole number from 0 to ${most}`);
    return undefined;
  }

  function pattern(): MatchTexts | undefined {
    const value = words.regex;
    if (absent(value)) return undefined;
    if (typeof value !== 'string') {
      problems.push(`${at}regex must be text`);
      return undefined;
    }
    try {
      return compile(value);
    } catch (cause) {
      problems.push(`${at}regex: ${(cause as Error).message}`);
      return undefined;
    }
  }

  return {
    tail: whole('tail', TAIL_MAX),
    sinceMs: moment('since'),
    untilMs: moment('until'),
    levelMax: whole('loglevel', 7),
    matches: pattern(),
  };
}

const absent = (value: unknown): boolean => value === undefined || value === null;
