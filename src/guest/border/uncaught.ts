/**
 * What becomes of an error nobody caught. Listeners of the global object may cancel it. Without a handler
 * on `process` it is then raised again as the
 * rejection of a promise nobody holds: isolated-vm then rejects the host's running call with it, and
 * the rest of the turn, its acks and nacks included, still happens.
 *
 * A promise's own rejection nobody handles only the host hears of. It comes back as an event, the reason an
 * error with the same name, text and stack.
 */

import type { HostEvent } from '../../core/guest-protocol.ts';
import type { ErrorOrigin, UncaughtTaker } from '../seam.ts';
import { inspect } from '../world/inspect.ts';

type Handlers = {
  listenerCount(name: string): number;
  emit(name: string, ...values: unknown[]): boolean;
};

export type Uncaught = {
  readonly report: (error: unknown, origin: ErrorOrigin) => void;
  /** True = a handler has taken it. */
  readonly rejected: (event: Extract<HostEvent, { t: 'rejected' }>) => boolean;
};

export function createUncaught(
  handlers: () => Handlers,
  first: () => UncaughtTaker | undefined,
  isLoaded: () => boolean,
): Uncaught {
  /** One was raised here: the handlers have had their turn. */
  let isRaised = false;

  function isTaken(error: unknown, origin: ErrorOrigin): boolean {
    const taker = handlers();
    if (first()?.(error, origin) === true) return true;
    if (origin === 'unhandledRejection' && taker.listenerCount('unhandledRejection') > 0) {
      taker.emit('unhandledRejection', error, rejectedWith(error));
      return true;
    }
    if (taker.listenerCount('uncaughtException') === 0) return false;
    taker.emit('uncaughtException', error, origin);
    return true;
  }

  return {
    report(error, origin) {
      let left = error;
      try {
        if (isTaken(error, origin)) return;
      } catch (another) {
        left = another;
      }
      isRaised = true;
      raise(left);
    },
    rejected(event) {
      // The loading's own error ends the module: nothing of it could go on.
      if (isRaised || (event.loading && !isLoaded())) return false;
      try {
        return isTaken(reasonOf(event), 'unhandledRejection');
      } catch (another) {
        isRaised = true;
        raise(another);
        return false;
      }
    },
  };
}

/** The promise itself is not known any more: one with the same reason stands for it. */
function rejectedWith(reason: unknown): Promise<never> {
  const promise = Promise.reject(reason);
  promise.catch(() => {});
  return promise;
}

const errors = { Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError };

function reasonOf({ thrown, value }: Extract<HostEvent, { t: 'rejected' }>): unknown {
  if (thrown === undefined) return value;
  const { name, message, stack } = thrown;
  const known = Object.hasOwn(errors, name);
  const made = new (known ? errors[name as keyof typeof errors] : Error)(message);
  const own = { writable: true, configurable: true, enumerable: false };
  if (!known) Object.defineProperty(made, 'name', { value: name, ...own });
  return Object.defineProperty(made, 'stack', { value: stack, ...own });
}

/** An async function's rejection needs no Promise the module could have replaced. */
function raise(error: unknown): void {
  const reason =
    error instanceof Error ? error : new Error(`Uncaught ${inspect(error)} (not an Error)`);
  void (async () => {
    throw reason;
  })();
}
