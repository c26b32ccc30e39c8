/**
 * The seam between the two halves of the guest: the prelude, which belongs to the runtime, and the
 * SDK and builtins, which are bundled into each module. It is found at `globalThis[SEAM]`. Bundles
 * outlive runtimes, so whatever is here stays for as long as the treaty's version is served.
 */
import type { EventEmitter } from 'events';
import type { GuestBoot, GuestEvent, GuestRequest, HostCall } from '../core/guest-protocol.ts';
import type { Json } from '../core/json.ts';

export const SEAM: unique symbol = Symbol.for('isolet.treaty.1') as never;

type Without<Item, Names extends string> = Item extends unknown ? Omit<Item, Names> : never;

/** Requests without an answer. */
type PlainRequest = Extract<
  GuestRequest,
  { t: 'listen' | 'unlisten' | 'answer' | 'log' | 'metrics' }
>;
/** Requests with an answer, not yet numbered. */
type CallRequest = Without<Extract<GuestRequest, { call: number }>, 'call' | 'b'>;
/** Calls to the module host, not yet numbered. */
type HostRequest = Without<Extract<HostCall, { call: number }>, 'call'>;

export type CallError = { readonly name: string; readonly message: string };
type HostError = { readonly code: string; readonly message: string };

export type EventHandlers = {
  /** `body` is the module's own to change. */
  readonly input: (event: Extract<GuestEvent, { t: 'input' }>, body: string | Uint8Array) => void;
  readonly desired: (event: Extract<GuestEvent, { t: 'desired' }>) => void;
  readonly method: (event: Extract<GuestEvent, { t: 'method' }>) => void;
};

/** News of something the module opened: the number it was given for it, and the news. */
export type SignalHandler = (source: number, value: Json) => void;

export type ErrorOrigin = 'uncaughtException' | 'unhandledRejection';

/** True = taken: nobody else hears of it, and the module goes on. */
export type UncaughtTaker = (error: unknown, origin: ErrorOrigin) => boolean;

/**
 * Callbacks given to the seam run guarded: what they throw is an uncaught error of the module, and
 * the rest of the batch still runs. Values of an item must be strings, numbers, booleans, null,
 * objects without a prototype, or the user's own JSON.
 */
export type Seam = {
  readonly boot: GuestBoot;
  readonly EventEmitter: typeof EventEmitter;
  readonly request: (item: PlainRequest) => void;
  /** `body` is read at once. `done` gets the error or the reply's value. */
  readonly call: (
    item: CallRequest,
    body: string | Uint8Array | undefined,
    done: (error: CallError | undefined, value: Json) => void,
  ) => void;
  readonly hostCall: (
    item: HostRequest,
    done: (error: HostError | undefined, value: Json) => void,
  ) => void;
  /** The acks of one turn leave as one request, after the turn's sends. */
  readonly ack: (id: number) => void;
  readonly nack: (id: number, reason: string) => void;
  /** One handler per type of event; a later one replaces it. */
  on<Type extends keyof EventHandlers>(type: Type, handler: EventHandlers[Type]): void;
  /** One handler per service of the device; a later one replaces it. */
  readonly onSignal: (service: string, handler: SignalHandler) => void;
  /** Runs after the code that runs now, before any later event. */
  readonly nextTick: (run: () => void) => void;
  /** An error no code of the module will catch: ends the module unless `process` has a handler for it. */
  readonly uncaught: (error: unknown, origin: ErrorOrigin) => void;
  /** The bundle's last words: its top level has run, and what fails from now on is not its loading. */
  readonly loaded: () => void;
  /** Who hears of such errors first; a later one replaces it. */
  readonly onUncaught: (taker: UncaughtTaker) => void;
  /** The start's seed for random numbers; it is handed out once. */
  readonly takeSeed: () => Uint8Array;
};

/** The seam the prelude installed; only code that runs after the boot may ask. */
export function takeSeam(): Seam {
  const seam = (globalThis as unknown as { [SEAM]?: Seam })[SEAM];
  if (seam === undefined) {
    throw new Error('This code needs the Isolet runtime: it was bundled for a module of Isolet.');
  }
  return seam;
}
