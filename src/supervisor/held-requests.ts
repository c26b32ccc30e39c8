/**
 * What a module asks for while it stands beside the version it shall replace: kept in order until that
 * one has ended, so that the world never sees two of them.
 */
import type { GuestRequest } from '../core/guest-protocol.ts';

export interface HeldRequests {
  /** Carries it out now, or later. */
  take(request: GuestRequest, body: Uint8Array | undefined): void;
  /** How many wait. */
  count(): number;
  /** Carries out all that wait, and from now on each at once. */
  release(): void;
}

/** Requests that change nothing outside: what it listens to, and what it says. */
const harmless: ReadonlySet<GuestRequest['t']> = new Set(['listen', 'unlisten', 'log']);

/**
 * @param holding false = nothing is ever held.
 * @param held called after each one that is.
 */
export function createHeldRequests(
  holding: boolean,
  carryOut: (request: GuestRequest, body: Uint8Array | undefined) => void,
  held: () => void,
): HeldRequests {
  let waiting: (readonly [GuestRequest, Uint8Array | undefined])[] | undefined = holding
    ? []
    : undefined;

  return {
    take(request, body) {
      // A twin may be read before anything was changed, never before what it should show.
      const reads = request.t === 'twin' && waiting?.length === 0;
      if (waiting === undefined || reads || harmless.has(request.t)) {
        return carryOut(request, body);
      }
      waiting.push([request, body]);
      held();
    },
    count: () => waiting?.length ?? 0,
    release() {
      const all = waiting ?? [];
      waiting = undefined;
      for (const [request, body] of all) carryOut(request, body);
    },
  };
}
