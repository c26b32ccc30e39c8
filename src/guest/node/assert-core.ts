/** Node's `assert`, for both of its forms. */
import { inspect } from '../world/inspect.ts';
import { AssertionError } from './assertion-error.ts';
import { isDeepEqual } from './deep-equal.ts';
import { checkFunction, invalidType, invalidValue, withCode } from './node-errors.ts';

type Message = string | Error | undefined;
// oxlint-disable-next-line typescript/no-explicit-any -- any function or class
type Expected = RegExp | ((...args: any[]) => unknown) | object | Error | undefined;
type Comparison = (actual: unknown, expected: unknown, message?: Message) => void;

function fail(
  operator: string,
  actual: unknown,
  expected: unknown,
  message: Message,
  above: unknown,
): never {
  if (message instanceof Error) throw message;
  throw new AssertionError({ message, actual, expected, operator, stackStartFn: above });
}

/** An assertion that holds when `holds` says so. */
function comparison(
  operator: string,
  holds: (actual: unknown, expected: unknown) => boolean,
): Comparison {
  const compare = function (actual: unknown, expected: unknown, message?: Message): void {
    // oxlint-disable-next-line prefer-rest-params -- `undefined` given is another thing than nothing given
    if (arguments.length < 2) {
      throw withCode(
        new TypeError('The "actual" and "expected" arguments must be specified'),
        'ERR_MISSING_ARGS',
      );
    }
    if (!holds(actual, expected)) fail(operator, actual, expected, message, compare);
  };
  Object.defineProperty(compare, 'name', { value: operator });
  return compare;
}

/* oxlint-disable eqeqeq -- what the loose comparisons are */
const looseEqual = (one: unknown, other: unknown): boolean =>
  one == other || (Number.isNaN(one) && Number.isNaN(other));
/* oxlint-enable eqeqeq */
const strictly = (one: unknown, other: unknown): boolean =>
  isDeepEqual(one, other, { strict: true });
const loosely = (one: unknown, other: unknown): boolean =>
  isDeepEqual(one, other, { strict: false });
const partially = (one: unknown, other: unknown): boolean =>
  isDeepEqual(one, other, { strict: true, partial: true });

export const equal = comparison('==', looseEqual);
export const notEqual = comparison('!=', (one, other) => !looseEqual(one, other));
export const strictEqual = comparison('strictEqual', Object.is);
export const notStrictEqual = comparison('notStrictEqual', (one, other) => !Object.is(one, other));
export const deepEqual = comparison('deepEqual', loosely);
export const notDeepEqual = comparison('notDeepEqual', (one, other) => !loosely(one, other));
export const deepStrictEqual = comparison('deepStrictEqual', strictly);
export const notDeepStrictEqual = comparison(
  'notDeepStrictEqual',
  (one, other) => !strictly(one, other),
);
export const partialDeepStrictEqual = comparison('partialDeepStrictEqual', partially);

export function ok(...given: readonly unknown[]): void {
  const [value, message] = given;
  if (given.length === 0) {
    fail('==', value, true, 'No value argument passed to `assert.ok()`', ok);
  }
  if (value) return;
  if (message !== undefined) fail('==', value, true, message as Message, ok);
  const error = new AssertionError({
    message: `The expression evaluated to a falsy value:\n\n  assert.ok(${inspect(value)})\n`,
    actual: value,
    expected: true,
    operator: '==',
    stackStartFn: ok,
  });
  throw Object.assign(error, { generatedMessage: true });
}

export function failNow(message: Message = 'Failed'): never {
  fail('fail', undefined, undefined, message, failNow);
}

export function match(text: unknown, expression: RegExp, message?: Message): void {
  checkExpression(expression);
  if (typeof text !== 'string') {
    fail(
      'match',
      text,
      expression,
      message ?? invalidType('string', 'of type string', text).message,
      match,
    );
  }
  if (expression.test(text)) return;
  const said = `The input did not match the regular expression ${inspect(expression)}. Input:\n\n${inspect(text)}\n`;
  fail('match', text, expression, message ?? said, match);
}

export function doesNotMatch(text: unknown, expression: RegExp, message?: Message): void {
  checkExpression(expression);
  if (typeof text !== 'string') {
    fail(
      'doesNotMatch',
      text,
      expression,
      message ?? invalidType('string', 'of type string', text).message,
      doesNotMatch,
    );
  }
  if (!expression.test(text)) return;
  const said = `The input was expected to not match the regular expression ${inspect(expression)}. Input:\n\n${inspect(text)}\n`;
  fail('doesNotMatch', text, expression, message ?? said, doesNotMatch);
}

function checkExpression(value: unknown): void {
  if (!(value instanceof RegExp)) throw invalidType('regexp', 'an instance of RegExp', value);
}

export function ifError(value: unknown): void {
  if (value === null || value === undefined) return;
  const text = value instanceof Error ? value.message || value.name : inspect(value);
  fail('ifError', value, null, `ifError got unwanted exception: ${text}`, ifError);
}

type Thrown = { readonly error: unknown } | undefined;

function thrownBy(run: () => unknown): Thrown {
  checkFunction('fn', run);
  try {
    run();
  } catch (error) {
    return { error };
  }
  return undefined;
}

async function rejectedBy(run: unknown): Promise<Thrown> {
  let promise = run;
  if (typeof run === 'function') {
    promise = (run as () => unknown)();
    if (typeof (promise as PromiseLike<unknown> | null)?.then !== 'function') {
      throw withCode(
        new TypeError(
          `Expected instance of Promise to be returned from the "promiseFn" function but got ${typeof promise}.`,
        ),
        'ERR_INVALID_RETURN_VALUE',
      );
    }
  } else if (typeof (run as PromiseLike<unknown> | null)?.then !== 'function') {
    throw invalidType('promiseFn', 'of type function or an instance of Promise', run);
  }
  try {
    await (promise as Promise<unknown>);
  } catch (error) {
    return { error };
  }
  return undefined;
}

/** `expected` may be left out: the message comes then in its place. */
function sorted(expected: unknown, message: unknown): [Expected, Message] {
  return typeof expected === 'string'
    ? [undefined, expected]
    : [expected as Expected, message as Message];
}

function expectThrown(
  what: string,
  thrown: Thrown,
  given: [unknown, unknown],
  above: unknown,
): void {
  const [expected, message] = sorted(...given);
  if (thrown === undefined) {
    const name = typeof expected === 'function' && expected.name ? ` (${expected.name})` : '';
    const kind = what === 'rejects' ? 'rejection' : 'exception';
    const said = `Missing expected ${kind}${name}${typeof message === 'string' ? `: ${message}` : '.'}`;
    fail(what, undefined, expected, message instanceof Error ? message : said, above);
  }
  if (expected !== undefined) checkThrown(thrown.error, expected, message, what, above);
}

function checkThrown(
  error: unknown,
  expected: Exclude<Expected, undefined>,
  message: Message,
  what: string,
  above: unknown,
): void {
  if (expected instanceof RegExp) {
    if (expected.test(String(error))) return;
    const said = `The input did not match the regular expression ${inspect(expected)}. Input:\n\n${inspect(String(error))}\n`;
    fail(what, error, expected, message ?? said, above);
  }
  if (typeof expected === 'function') {
    const { prototype } = expected as { prototype?: object };
    if (prototype !== undefined && error instanceof (expected as never)) return;
    const isClass = prototype instanceof Error || (expected as unknown) === Error;
    if (!isClass && Reflect.apply(expected as () => unknown, {}, [error]) === true) return;
    if (isClass) {
      const kind =
        error instanceof Error ? (error.constructor?.name ?? error.name) : inspect(error);
      const text = error instanceof Error ? `\n\nError message:\n\n${error.message}` : '';
      const said = `The error is expected to be an instance of "${expected.name}". Received "${kind}"${text}`;
      fail(what, error, expected, message ?? said, above);
    }
    const said = `The ${expected.name ? `"${expected.name}" ` : ''}validation function is expected to return "true". Caught error:\n\n${inspect(error)}`;
    fail(what, error, expected, message ?? said, above);
  }
  const keys = Object.keys(expected);
  if (expected instanceof Error) keys.push('name', 'message');
  else if (keys.length === 0) throw invalidValue('error', expected, 'may not be an empty object');
  for (const key of keys) {
    const value = (error as Record<string, unknown> | null)?.[key];
    const wanted = (expected as Record<string, unknown>)[key];
    if (typeof value === 'string' && wanted instanceof RegExp && wanted.test(value)) continue;
    if (!isDeepEqual(value, wanted, { strict: true })) {
      const pick = (from: unknown): object =>
        Object.fromEntries(keys.map((name) => [name, (from as Record<string, unknown>)?.[name]]));
      const said = new AssertionError({
        actual: pick(error),
        expected: pick(expected),
        operator: 'deepStrictEqual',
      }).message;
      fail(what, error, expected, message ?? said, above);
    }
  }
}

function expectNothing(
  what: string,
  thrown: Thrown,
  given: [unknown, unknown],
  above: unknown,
): void {
  if (thrown === undefined) return;
  const [expected, message] = sorted(...given);
  const fits =
    expected === undefined ||
    (expected instanceof RegExp
      ? expected.test(String(thrown.error))
      : typeof expected === 'function' && thrown.error instanceof (expected as never));
  if (!fits) throw thrown.error;
  const kind = what === 'doesNotReject' ? 'rejection' : 'exception';
  const text = (thrown.error as Error | null)?.message;
  const said = `Got unwanted ${kind}${typeof message === 'string' ? `: ${message}` : '.'}\nActual message: "${text}"`;
  fail(what, thrown.error, expected, message instanceof Error ? message : said, above);
}

export function throws(run: () => unknown, expected?: unknown, message?: unknown): void {
  expectThrown('throws', thrownBy(run), [expected, message], throws);
}

export function doesNotThrow(run: () => unknown, expected?: unknown, message?: unknown): void {
  expectNothing('doesNotThrow', thrownBy(run), [expected, message], doesNotThrow);
}

export async function rejects(run: unknown, expected?: unknown, message?: unknown): Promise<void> {
  expectThrown('rejects', await rejectedBy(run), [expected, message], rejects);
}

export async function doesNotReject(
  run: unknown,
  expected?: unknown,
  message?: unknown,
): Promise<void> {
  expectNothing('doesNotReject', await rejectedBy(run), [expected, message], doesNotReject);
}

Object.defineProperty(failNow, 'name', { value: 'fail' });

const shared = {
  AssertionError,
  doesNotMatch,
  doesNotReject,
  doesNotThrow,
  fail: failNow,
  ifError,
  match,
  ok,
  partialDeepStrictEqual,
  rejects,
  throws,
  deepStrictEqual,
  notDeepStrictEqual,
  notStrictEqual,
  strictEqual,
};

/** A function that is `ok`, with all the others upon it. */
function assertion(more: object): typeof ok {
  const assert = (...given: readonly unknown[]): void => ok(...given);
  return Object.assign(assert, shared, more);
}

export const strict = assertion({
  equal: strictEqual,
  notEqual: notStrictEqual,
  deepEqual: deepStrictEqual,
  notDeepEqual: notDeepStrictEqual,
});
Object.assign(strict, { strict });
export const assert = assertion({ deepEqual, equal, notDeepEqual, notEqual, strict });
