/** What is wrong with a route, where exactly, and what to write instead (spec/iotedge.md §6.9). */

/** 1-based, as editors count. */
type Position = { readonly line: number; readonly column: number };

export type RouteProblem = {
  /** What is wrong; in IoT Edge's words where it has some, so that they can be searched for. */
  readonly message: string;
  /** What to do about it, one sentence. */
  readonly remedy: string;
  readonly start: Position;
  /** Exclusive. */
  readonly end: Position;
};

/** Anything with a place in the text. */
export type Span = { readonly start: number; readonly end: number };

export type Report = (span: Span, message: string, remedy: string) => void;

/** More would help nobody. */
const PROBLEMS_MAX = 10;
const SENTENCE_CHARS_MAX = 200;

/** Problems are collected, not thrown: a person wants to see all of them at once. */
export function createReport(text: string): {
  readonly report: Report;
  readonly problems: RouteProblem[];
} {
  const problems: RouteProblem[] = [];
  return {
    problems,
    report: ({ start, end }, message, remedy) => {
      if (problems.length >= PROBLEMS_MAX) return;
      problems.push({
        message: shorten(message),
        remedy: shorten(remedy),
        start: positionAt(text, start),
        end: positionAt(text, end),
      });
    },
  };
}

/** One sentence for a status or a log: message, place, remedy. */
export function describeProblem({ message, remedy, start }: RouteProblem): string {
  const place = `${start.line > 1 ? `line ${start.line}, ` : ''}column ${start.column}`;
  return `${message.replace(/\.$/, '')}, at ${place}: ${remedy}`;
}

/** Problems quote the route, which may be long. */
function shorten(sentence: string): string {
  return sentence.length > SENTENCE_CHARS_MAX
    ? `${sentence.slice(0, SENTENCE_CHARS_MAX)}…`
    : sentence;
}

function positionAt(text: string, offset: number): Position {
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf('\n') + 1;
  return { line: before.split('\n').length, column: offset - lineStart + 1 };
}
