/**
 * The global object as a target of events (HTML §8.1.8.2): `error` and `unhandledrejection` come here before they
 * end the module, and a listener that cancels them keeps it alive.
 */
import { type ErrorOrigin, SEAM, type Seam } from '../seam.ts';
import { needArguments } from '../world/webidl.ts';
import { trusted } from './event.ts';
import { defineHandlers } from './event-handler.ts';
import { ErrorEvent, PromiseRejectionEvent } from './event-kinds.ts';
import { dispatch, EventTarget, hasListeners } from './event-target.ts';
import { reportException } from './report.ts';

function reportError(error: unknown): void {
  needArguments(arguments.length, 1, 'reportError');
  reportException(error);
}

/** What a listener throws meanwhile is not told to it again. */
let isTelling = false;

function tell(error: unknown, origin: ErrorOrigin): boolean {
  const type = origin === 'unhandledRejection' ? 'unhandledrejection' : 'error';
  if (isTelling || !hasListeners(globalThis, type)) return false;
  isTelling = true;
  try {
    const event = type === 'error' ? errorEvent(error) : rejectionEvent(error);
    return !dispatch(globalThis, trusted(event));
  } finally {
    isTelling = false;
  }
}

function errorEvent(error: unknown): ErrorEvent {
  // What is no error has nothing of its own to ask for: where this is has to do.
  const { stack } = isError(error) ? error : new Error();
  const [, filename = '', lineno = 0, colno = 0] =
    /(\w+:\/\/\S+):(\d+):(\d+)\)?$/m.exec(`${stack}`) ?? [];
  return new ErrorEvent('error', {
    cancelable: true,
    message: `Uncaught ${textOf(error)}`,
    filename,
    lineno: Number(lineno),
    colno: Number(colno),
    error,
  });
}

function textOf(error: unknown): string {
  if (typeof error === 'object' && error !== null && !isError(error)) return 'exception';
  try {
    return String(error);
  } catch {
    return 'exception';
  }
}

/** V8 has it; the compiler's library does not know it yet. */
const { isError } = Error as unknown as { isError(value: unknown): value is Error };

/** The promise itself is not known any more: one with the same reason stands for it. */
function rejectionEvent(reason: unknown): PromiseRejectionEvent {
  const promise = Promise.reject(reason);
  promise.catch(() => {});
  return new PromiseRejectionEvent('unhandledrejection', { cancelable: true, promise, reason });
}

/** Puts all of it on the global object. */
export function becomeEventTarget(): void {
  const { addEventListener, dispatchEvent, removeEventListener } = EventTarget.prototype;
  for (const method of [addEventListener, dispatchEvent, removeEventListener, reportError]) {
    Object.defineProperty(globalThis, method.name, {
      value: method,
      writable: true,
      configurable: true,
    });
  }
  defineHandlers(globalThis, ['error', 'unhandledrejection', 'rejectionhandled']);
  (globalThis as unknown as { readonly [SEAM]?: Seam })[SEAM]?.onUncaught?.(tell);
}
