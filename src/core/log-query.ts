/** Which of a module's log lines somebody wants, and how they are found without holding all of them. */
import { logLevelNumber, readLogText } from './log-text.ts';
import type { LogLine } from './summaries.ts';

/** Whether each of these texts matches; bounded in time by whoever makes it. */
export type MatchTexts = (texts: readonly string[]) => readonly boolean[];

/** Absent = all. */
export type LogQuery = {
  /** The last lines of those that pass everything else. */
  readonly tail?: number | undefined;
  readonly sinceMs?: number | undefined;
  readonly untilMs?: number | undefined;
  /** Syslog's: 0 is an emergency, 7 for debugging. Lines of this level and more serious ones. */
  readonly levelMax?: number | undefined;
  readonly matches?: MatchTexts | undefined;
};

type Parts = AsyncIterable<readonly LogLine[]>;

/** The lines asked for, oldest first, in parts. `read` gives all there are, in the order asked for. */
export async function* selectLines(
  read: (order: 'oldest' | 'newest') => Parts,
  query: LogQuery,
): Parts {
  const { tail } = query;
  if (tail === undefined) {
    for await (const part of read('oldest')) yield pass(part, query);
    return;
  }
  const found: (readonly LogLine[])[] = [];
  let wanted = tail;
  for await (const part of read('newest')) {
    if (wanted === 0) break;
    const lines = pass(part, query).slice(-wanted);
    wanted -= lines.length;
    found.push(lines);
  }
  yield* found.reverse();
}

/** Those of `lines` that pass everything but `tail`. */
function pass(lines: readonly LogLine[], query: LogQuery): readonly LogLine[] {
  const { sinceMs = -Infinity, untilMs = Infinity, levelMax = Infinity, matches } = query;
  const near = lines.filter((line) => {
    if (line.atMs < sinceMs || line.atMs > untilMs) return false;
    return levelMax === Infinity || logLevelNumber(line) <= levelMax;
  });
  if (matches === undefined) return near;
  const verdicts = matches(near.map((line) => readLogText(line).text));
  return near.filter((_, index) => verdicts[index]);
}
