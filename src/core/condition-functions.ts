/** The functions of the route language (spec/iotedge.md §6.8). Body values may stand for texts and numbers. */
import type { Value } from './condition-syntax.ts';

export type ParameterType = 'number' | 'string' | 'any';

export type ConditionFunction = {
  readonly signatures: readonly (readonly ParameterType[])[];
  /** The last parameter may be repeated. */
  readonly repeats?: true;
  readonly result: 'bool' | 'number' | 'string';
  /** Called with values that may be of any kind: what does not fit gives undefined. */
  readonly run: (...given: readonly Value[]) => Value;
};

/** Longer texts than a message can hold come only from nested concat; they are undefined. */
const TEXT_CHARS_MAX = 262_144;

export const conditionFunctions: ReadonlyMap<string, ConditionFunction> = new Map(
  Object.entries({
    abs: ofNumber(Math.abs),
    exp: ofNumber(Math.exp),
    square: ofNumber((value) => value * value),
    ceiling: ofNumber(Math.ceil),
    floor: ofNumber(Math.floor),
    sign: ofNumber(Math.sign),
    sqrt: ofNumber(Math.sqrt),
    power: {
      signatures: [['number', 'number']],
      result: 'number',
      run: (base, exponent) =>
        typeof base === 'number' && typeof exponent === 'number' ? base ** exponent : undefined,
    },
    as_number: {
      signatures: [['string'], ['number']],
      result: 'number',
      run: (value) => (typeof value === 'string' ? parseNumber(value) : onlyIf('number', value)),
    },
    is_bool: ofAny((value) => typeof value === 'boolean'),
    is_number: ofAny((value) => Number.isFinite(value)),
    is_string: ofAny((value) => typeof value === 'string'),
    is_defined: ofAny((value) => isDefined(value)),
    // Body values need to know whether they were there at all: condition-evaluate.ts.
    is_null: ofAny((value) => value === null),
    concat: { signatures: [['string', 'string']], repeats: true, result: 'string', run: concat },
    length: ofText('number', (text) => text.length),
    lower: ofText('string', (text) => withoutGrowth(text, (part) => part.toLowerCase())),
    upper: ofText('string', (text) => withoutGrowth(text, (part) => part.toUpperCase())),
    substring: {
      signatures: [
        ['string', 'number'],
        ['string', 'number', 'number'],
      ],
      result: 'string',
      run: substring,
    },
    index_of: ofTexts('number', (text, part) => text.indexOf(part)),
    starts_with: ofTexts('bool', (text, part) => text.startsWith(part)),
    ends_with: ofTexts('bool', (text, part) => text.endsWith(part)),
    contains: ofTexts('bool', (text, part) => text.includes(part)),
  } satisfies Record<string, ConditionFunction>),
);

/** NaN is the undefined number. */
export function isDefined(value: Value): boolean {
  return value !== undefined && !Number.isNaN(value);
}

/** A null text, which only exists in tests, counts as empty. */
export function concat(...parts: readonly Value[]): Value {
  let text = '';
  for (const part of parts) {
    if (part !== null && typeof part !== 'string') return undefined;
    text += part ?? '';
    if (text.length > TEXT_CHARS_MAX) return undefined;
  }
  return text;
}

function ofNumber(compute: (value: number) => number): ConditionFunction {
  return {
    signatures: [['number']],
    result: 'number',
    run: (value) => (typeof value === 'number' ? compute(value) : undefined),
  };
}

function ofAny(test: (value: Value) => boolean): ConditionFunction {
  return { signatures: [['any']], result: 'bool', run: test };
}

function ofText(
  result: 'number' | 'string',
  compute: (text: string) => number | string,
): ConditionFunction {
  return {
    signatures: [['string']],
    result,
    run: (text) => (typeof text === 'string' ? compute(text) : undefined),
  };
}

function ofTexts(
  result: 'number' | 'bool',
  compute: (text: string, part: string) => number | boolean,
): ConditionFunction {
  return {
    signatures: [['string', 'string']],
    result,
    run: (text, part) =>
      typeof text === 'string' && typeof part === 'string' ? compute(text, part) : undefined,
  };
}

function onlyIf(kind: 'number', value: Value): Value {
  // oxlint-disable-next-line valid-typeof
  return typeof value === kind ? value : undefined;
}

/** Out of range is undefined, not shortened; places are cut to whole numbers. */
function substring(text: Value, from: Value, count?: Value): Value {
  if (typeof text !== 'string' || typeof from !== 'number') return undefined;
  const start = Math.trunc(from);
  if (count === undefined)
    return start >= 0 && start <= text.length ? text.slice(start) : undefined;
  if (typeof count !== 'number') return undefined;
  const length = Math.trunc(count);
  const fits = start >= 0 && start < text.length && length >= 0 && length <= text.length - start;
  return fits ? text.slice(start, start + length) : undefined;
}

/** .NET's invariant casing: one UTF-16 unit for one, whatever its neighbours. */
function withoutGrowth(text: string, change: (part: string) => string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII is meant.
  // oxlint-disable-next-line no-control-regex
  if (/^[\x00-\x7f]*$/.test(text)) return change(text);
  let changed = '';
  for (const part of text) {
    const other = change(part);
    changed += other.length === part.length ? other : part;
  }
  return changed;
}

const numberShape =
  /^(?<open>\()?(?<lead>[+-]?)\u00a4?(?<lead2>[+-]?)(?<whole>\d[\d,]*)?(?<part>\.\d*)?(?<power>[eE][+-]?\d+)?\u00a4?(?<trail>[+-]?)(?<close>\))?$/;

/** .NET's NumberStyles.Any in the invariant culture (spec/iotedge.md §6.8); NaN where it is no number. */
function parseNumber(text: string): number {
  // Nearly every number is as plain as this, and a message may be asked for ten of them.
  if (/^-?\d+(?:\.\d+)?$/.test(text)) return Number(text);
  const trimmed = text.trim();
  if (/^[+-]?infinity$/i.test(trimmed)) {
    return trimmed.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  }
  const shape = numberShape.exec(trimmed)?.groups;
  if (shape === undefined) return Number.NaN;
  const digits = `${(shape['whole'] ?? '').replaceAll(',', '')}${shape['part'] ?? ''}`;
  const signs = `${shape['lead']}${shape['lead2']}${shape['trail']}`;
  const inParentheses = shape['open'] !== undefined;
  if (!/\d/.test(digits) || inParentheses !== (shape['close'] !== undefined)) return Number.NaN;
  if (signs.length + (inParentheses ? 1 : 0) > 1) return Number.NaN;
  const value = Number(`${digits}${shape['power'] ?? ''}`);
  return signs === '-' || inParentheses ? -value : value;
}
