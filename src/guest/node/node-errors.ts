/** Errors with Node's codes, and the signals that abort what Node's functions wait for. */
import { inspect } from '../world/inspect.ts';

/** An AbortSignal, by what is used of it: the class comes with the bundles that name it. */
export type Signal = {
  readonly aborted: boolean;
  readonly reason?: unknown;
  addEventListener(name: 'abort', listener: () => void, options?: { once: boolean }): void;
  removeEventListener(name: 'abort', listener: () => void): void;
};

export function withCode<Made extends Error>(error: Made, code: string): Made {
  // As Node's own print it.
  const stack = error.stack?.replace(error.name, `${error.name} [${code}]`);
  if (stack !== undefined) {
    Object.defineProperty(error, 'stack', { value: stack, writable: true, configurable: true });
  }
  return Object.assign(error, { code });
}

/** `expected`: `of type string`, `an instance of Buffer`. */
export function invalidType(name: string, expected: string, value: unknown): TypeError {
  const what = / argument| property/.test(name) ? name : `"${name}" argument`;
  return withCode(
    new TypeError(`The ${what} must be ${expected}. Received ${received(value)}`),
    'ERR_INVALID_ARG_TYPE',
  );
}

export function invalidValue(name: string, value: unknown, why = 'is invalid'): TypeError {
  return withCode(
    new TypeError(`The argument '${name}' ${why}. Received ${inspect(value)}`),
    'ERR_INVALID_ARG_VALUE',
  );
}

function received(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === 'function') return `function ${value.name}`.trimEnd();
  if (typeof value === 'object') {
    const name = (value as { constructor?: { name?: string } }).constructor?.name;
    return name ? `an instance of ${name}` : inspect(value, { depth: -1 });
  }
  const text = inspect(value);
  return `type ${typeof value} (${text.length > 28 ? `${text.slice(0, 25)}...` : text})`;
}

export function checkFunction(name: string, value: unknown): void {
  if (typeof value !== 'function') throw invalidType(name, 'of type function', value);
}

export function checkString(name: string, value: unknown): asserts value is string {
  if (typeof value !== 'string') throw invalidType(name, 'of type string', value);
}

/** What Node rejects with when a signal aborts. */
export function abortReason(signal: Signal): Error {
  const error = new Error('The operation was aborted', { cause: signal.reason });
  return Object.assign(error, { name: 'AbortError', code: 'ABORT_ERR' });
}

/** Gives back what stops the wait. */
export function whenAborted(signal: Signal | undefined, listener: () => void): () => void {
  if (signal === undefined) return () => {};
  signal.addEventListener('abort', listener, { once: true });
  return () => signal.removeEventListener('abort', listener);
}
