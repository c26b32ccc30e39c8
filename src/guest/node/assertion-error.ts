/** What `assert` throws: says what was expected, and where the two differ. */
import { inspect } from '../world/inspect.ts';

type Given = {
  readonly message?: string | undefined;
  readonly actual?: unknown;
  readonly expected?: unknown;
  readonly operator?: string;
  readonly stackStartFn?: unknown;
};

const LINES_MAX = 50;
const headings: Readonly<Record<string, string>> = {
  strictEqual: 'Expected values to be strictly equal:',
  deepStrictEqual: 'Expected values to be strictly deep-equal:',
  partialDeepStrictEqual: 'Expected values to be partially and strictly deep-equal:',
  deepEqual: 'Expected values to be loosely deep-equal:',
  notStrictEqual: 'Expected "actual" to be strictly unequal to:',
  notDeepStrictEqual: 'Expected "actual" not to be strictly deep-equal to:',
  notDeepEqual: 'Expected "actual" not to be loosely deep-equal to:',
};

export class AssertionError extends Error {
  readonly code = 'ERR_ASSERTION';
  readonly generatedMessage: boolean;
  readonly actual: unknown;
  readonly expected: unknown;
  readonly operator: string | undefined;

  constructor(given: Given) {
    const { message, actual, expected, operator, stackStartFn } = given;
    super(message ?? describe(operator ?? 'fail', actual, expected));
    this.name = 'AssertionError';
    this.generatedMessage = message === undefined;
    this.actual = actual;
    this.expected = expected;
    this.operator = operator;
    Error.captureStackTrace(this, stackStartFn ?? AssertionError);
    // With the name and the code, as Node shows it.
    const frames = (this.stack ?? '').replace(/^[^]*?(?=\n {4}at )/, '');
    Object.defineProperty(this, 'stack', {
      value: `AssertionError [ERR_ASSERTION]: ${this.message}${frames.startsWith('\n') ? frames : ''}`,
      writable: true,
      configurable: true,
    });
  }
}

function describe(operator: string, actual: unknown, expected: unknown): string {
  const heading = headings[operator];
  const text = show(actual);
  if (heading === undefined) return `${text} ${operator} ${show(expected)}`;
  const other = show(expected);
  if (operator.startsWith('not')) return `${heading}${text.includes('\n') ? '\n\n' : ' '}${text}`;
  if (text === other) {
    return `Values have same structure but are not reference-equal:\n\n${text}\n`;
  }
  if (!text.includes('\n') && !other.includes('\n') && text.length + other.length < 64) {
    return `${heading}\n\n${text} !== ${other}\n`;
  }
  return `${heading}\n+ actual - expected\n\n${difference(text.split('\n'), other.split('\n'))}\n`;
}

function show(value: unknown): string {
  return inspect(value, { depth: 20, maxArrayLength: null, maxStringLength: null });
}

/** Lines of the one with `+`, of the other with `-`, what both have without. */
function difference(actual: readonly string[], expected: readonly string[]): string {
  const lines: string[] = [];
  let i = 0;
  let j = 0;
  while (i < actual.length || j < expected.length) {
    const one = actual[i];
    const other = expected[j];
    if (one === other || (one && other && bare(one) === bare(other))) {
      lines.push(`  ${one}`);
      i++;
      j++;
      continue;
    }
    // To the next line that both have, whichever comes first.
    const nextActual = other === undefined ? -1 : actual.indexOf(other, i);
    const nextExpected = one === undefined ? -1 : expected.indexOf(one, j);
    if (one !== undefined && (other === undefined || nextExpected < 0 || nextActual === i + 1)) {
      lines.push(`+ ${one}`);
      i++;
      if (other !== undefined && nextActual < 0) {
        lines.push(`- ${other}`);
        j++;
      }
    } else {
      lines.push(`- ${other}`);
      j++;
    }
  }
  if (lines.length <= LINES_MAX) return lines.join('\n');
  return [...lines.slice(0, LINES_MAX), `... ${lines.length - LINES_MAX} more lines`].join('\n');
}

/** A comma at the end is no difference. */
function bare(line: string): string {
  return line.replace(/,$/, '');
}
