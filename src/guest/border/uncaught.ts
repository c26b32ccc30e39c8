/**
 * What becomes of an error nobody caught. Listeners of the global object may cancel it. Without a handler
 * on `process` it is then raised again as the
 * rejection of a promise nobody holds: isolated-vm then rejects the host's running call with it, and
 * the rest of the turn, its acks and nacks included, still happens.
 */

import type { ErrorOrigin, UncaughtTaker } from '../seam.ts';
import { inspect } from '../world/inspect.ts';

type Handlers = {
  listenerCount(name: string): number;
  emit(name: string, ...values: unknown[]): boolean;
};

export type Uncaught = (error: unknown, origin: ErrorOrigin) => void;

export function createUncaught(
  handlers: () => Handlers,
  first: () => UncaughtTaker | undefined,
): Uncaught {
  return (error, origin) => {
    const taker = handlers();
    try {
      if (first()?.(error, origin) === true) return;
      if (origin === 'unhandledRejection' && taker.listenerCount('unhandledRejection') > 0) {
        taker.emit('unhandledRejection', error, undefined);
      } else if (taker.listenerCount('uncaughtException') > 0) {
        taker.emit('uncaughtException', error, origin);
      } else {
        raise(error);
      }
    } catch (another) {
      raise(another);
    }
  };
}

/** An async function's rejection needs no Promise the module could have replaced. */
function raise(error: unknown): void {
  const reason =
    error instanceof Error ? error : new Error(`Uncaught ${inspect(error)} (not an Error)`);
  void (async () => {
    throw reason;
  })();
}
