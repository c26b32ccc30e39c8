/** What is wrong with a route, where exactly, and what to write instead (spec/iotedge.md §6.9). */

/** 1-based, as editors count. */
export type Position = { readonly line: number; readonly column: number };

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
const PROBLEMS_MAX = 20;

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
        message,
        remedy,
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

function positionAt(text: string, offset: number): Position {
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf('\n') + 1;
  return { line: before.split('\n').length, column: offset - lineStart + 1 };
}
