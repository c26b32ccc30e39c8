/**
 * A sample: what goes into a module and what comes out of it, a line of JSON each, in the order of things.
 *
 *   {"input": "input1", "body": …, "properties": {…}}     in   a message for an input
 *   {"desired": {…}}                                      in   a patch of the desired properties
 *   {"method": "reset", "payload": …}                     in   a direct method
 *   {"output": "alerts", "body": …, "properties": {…}}    out  a message it sends
 *   {"reported": {…}}                                     out  a patch of the reported properties
 *   {"status": 200, "payload": …}                         out  its answer to the method
 *
 * Empty lines and lines that begin with // mean nothing.
 */
import { isJsonObject, type Json, type JsonObject } from '../../src/core/json.ts';
import { sameJson } from '../../src/core/twin.ts';

export type SampleLine = {
  /** From 1. */
  readonly number: number;
  readonly text: string;
  readonly kind: 'in' | 'out' | 'comment';
  readonly value: JsonObject;
};

/** One thing that goes in, if any, and all that comes out until the next. */
export type Step = {
  readonly given: SampleLine | undefined;
  readonly expected: readonly SampleLine[];
};

/** The fields of each kind of line, by the one that names it; the rest may be left out. */
const SHAPES: Readonly<Record<string, { kind: 'in' | 'out'; others: readonly string[] }>> = {
  input: { kind: 'in', others: ['body', 'properties'] },
  desired: { kind: 'in', others: [] },
  method: { kind: 'in', others: ['payload'] },
  output: { kind: 'out', others: ['body', 'properties'] },
  reported: { kind: 'out', others: [] },
  status: { kind: 'out', others: ['payload'] },
};

/** In an expected line, what may be anything. */
const ANYTHING = '*';

/** Adds a sentence for each line that is none, with its place. */
export function readSample(text: string, file: string, problems: string[]): readonly SampleLine[] {
  return text
    .replace(/\n$/, '')
    .split('\n')
    .map((line, index) => {
      const number = index + 1;
      const complain = (what: string): void => void problems.push(`${file}:${number}: ${what}`);
      const trimmed = line.trim();
      if (trimmed === '' || trimmed.startsWith('//')) {
        return { number, text: line, kind: 'comment', value: {} };
      }
      const value = parse(trimmed, complain);
      return { number, text: line, kind: kindOf(value, complain), value };
    });
}

function parse(text: string, complain: (what: string) => void): JsonObject {
  try {
    const value: unknown = JSON.parse(text);
    if (isJsonObject(value)) return value;
    complain('a line is a JSON object');
  } catch (cause) {
    complain(`it is not JSON: ${(cause as Error).message}`);
  }
  return { '': null };
}

function kindOf(value: JsonObject, complain: (what: string) => void): SampleLine['kind'] {
  if ('' in value) return 'comment';
  const name = Object.keys(SHAPES).find((one) => one in value);
  if (name === undefined) {
    complain(`a line has one of ${Object.keys(SHAPES).join(', ')}`);
    return 'comment';
  }
  const { kind, others } = SHAPES[name] as (typeof SHAPES)[string];
  for (const key of Object.keys(value)) {
    if (key !== name && !others.includes(key)) {
      complain(
        `"${key}" is no part of "${name}"${others.length === 0 ? '' : `: there is ${others.join(' and ')}`}`,
      );
    }
  }
  const bag = value['properties'];
  if (bag !== undefined && !isTexts(bag)) complain('"properties" are texts by name');
  const isPatch = name === 'desired' || name === 'reported';
  if (isPatch && !isJsonObject(value[name])) complain(`"${name}" is a JSON object`);
  if ((name === 'input' || name === 'method') && typeof value[name] !== 'string') {
    complain(`"${name}" is a name`);
  }
  if (name === 'input' && value['body'] === undefined) complain('an input has a "body"');
  return kind;
}

export function isTexts(value: Json): value is Readonly<Record<string, string>> {
  return isJsonObject(value) && Object.values(value).every((one) => typeof one === 'string');
}

export function stepsOf(lines: readonly SampleLine[]): readonly Step[] {
  const steps: { given: SampleLine | undefined; expected: SampleLine[] }[] = [
    { given: undefined, expected: [] },
  ];
  for (const line of lines) {
    if (line.kind === 'in') steps.push({ given: line, expected: [] });
    if (line.kind === 'out') steps.at(-1)?.expected.push(line);
  }
  return steps;
}

/** Does what came fit? Fields an expected line leaves out, and "*", fit anything. */
export function fits(expected: JsonObject, came: JsonObject): boolean {
  return Object.entries(expected).every(([key, value]) => {
    const other = came[key];
    return other !== undefined && fitsValue(value, other);
  });
}

function fitsValue(expected: Json, came: Json): boolean {
  if (expected === ANYTHING) return true;
  if (Array.isArray(expected) && Array.isArray(came)) {
    return (
      expected.length === came.length &&
      expected.every((one, index) => fitsValue(one as Json, came[index] as Json))
    );
  }
  if (!isJsonObject(expected) || !isJsonObject(came)) return sameJson(expected, came);
  const keys = Object.keys(expected);
  return (
    keys.length === Object.keys(came).length &&
    keys.every((key) => key in came && fitsValue(expected[key] as Json, came[key] as Json))
  );
}

export type DiffLine = { readonly mark: ' ' | '-' | '+'; readonly text: string };

/** What fits, in order, and around it what is missing (-) and what came instead (+). */
export function diffLines(
  expected: readonly SampleLine[],
  came: readonly JsonObject[],
): readonly DiffLine[] {
  const [first, ...rest] = expected;
  if (first === undefined) return came.map((one) => ({ mark: '+', text: JSON.stringify(one) }));
  const at = came.findIndex((one) => fits(first.value, one));
  // It counts as missing when taking a later one would pass over what others fit better.
  const passes = came
    .slice(0, Math.max(at, 0))
    .some((one) => rest.some(({ value }) => fits(value, one)));
  if (at === -1 || passes) {
    return [{ mark: '-', text: first.text.trim() }, ...diffLines(rest, came)];
  }
  return [
    ...came.slice(0, at).map((one): DiffLine => ({ mark: '+', text: JSON.stringify(one) })),
    { mark: ' ', text: first.text.trim() },
    ...diffLines(rest, came.slice(at + 1)),
  ];
}
