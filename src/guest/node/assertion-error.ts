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

/** What is shown with the message of who asserts, too. */
const withValues = new Set(['strictEqual', 'deepStrictEqual', 'partialDeepStrictEqual']);
const hidden = { writable: true, configurable: true, enumerable: false } as const;

export class AssertionError extends Error {
  readonly code = 'ERR_ASSERTION';
  readonly generatedMessage: boolean;
  readonly actual: unknown;
  readonly expected: unknown;
  readonly operator: string | undefined;

  constructor(given: Given) {
    const { message, actual, expected, operator, stackStartFn } = given;
    super(textOf(given));
    Object.defineProperty(this, 'name', { ...hidden, value: 'AssertionError' });
    this.generatedMessage = message === undefined;
    this.actual = actual;
    this.expected = expected;
    this.operator = operator;
    Error.captureStackTrace(this, stackStartFn ?? AssertionError);
    // With the name and the code, as Node shows it.
    const frames = (this.stack ?? '').replace(/^[^]*?(?=\n {4}at )/, '');
    Object.defineProperty(this, 'stack', {
      ...hidden,
      value: `AssertionError [ERR_ASSERTION]: ${this.message}${frames.startsWith('\n') ? frames : ''}`,
    });
  }
}

function textOf({ message, actual, expected, operator = 'fail' }: Given): string {
  if (message === undefined) return describe(operator, actual, expected, headings[operator]);
  return withValues.has(operator) ? describe(operator, actual, expected, message) : message;
}

function describe(
  operator: string,
  actual: unknown,
  expected: unknown,
  heading: string | undefined,
): string {
  const text = show(actual);
  if (heading === undefined) return `${text} ${operator} ${show(expected)}`;
  const other = show(expected);
  if (operator.startsWith('not')) return `${heading}${text.includes('\n') ? '\n\n' : ' '}${text}`;
  if (text === other) {
    const equal = 'Values have same structure but are not reference-equal:';
    return `${heading === headings[operator] ? equal : heading}\n\n${text}\n`;
  }
  const isShort = text.length + other.length < 64;
  if (isShort && isPrimitive(actual) && isPrimitive(expected)) {
    return `${heading}\n\n${text} !== ${other}\n`;
  }
  return `${heading}\n+ actual - expected\n\n${difference(text.split('\n'), other.split('\n'))}\n`;
}

function isPrimitive(value: unknown): boolean {
  return (typeof value !== 'object' && typeof value !== 'function') || value === null;
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
