/**
 * Isolates with the prelude run, for modules to start in. Making one takes most of a module's start, so
 * after a start one more is made and kept for a while: whoever is started again, updated or tried out
 * finds it ready. No code of a module has ever run in it.
 */
import ivm from 'isolated-vm';
import { BOOT_NAME } from '../core/guest-protocol.ts';
import type { Cancel, Clock } from '../core/ports.ts';
import type { HostSettings } from './host-settings.ts';
import type { Prelude } from './prelude-script.ts';

/** The GuestBootFunction as it is called from outside: the outbox is a Callback there, the door a Reference. */
type Boot = (...args: unknown[]) => unknown;

type PreparedIsolate = {
  readonly isolate: ivm.Isolate;
  /** Rejects when the isolate is disposed of meanwhile. */
  readonly ready: Promise<{
    readonly context: ivm.Context;
    /** The prelude's boot function; whoever calls it releases it. */
    readonly boot: ivm.Reference<Boot>;
    /** Collects its heap, and gives back what that does not need. */
    readonly collect: ivm.Reference<() => void>;
  }>;
  /** Called when V8 loses control of it; there may be no coming back. */
  onCatastrophe: (message: string) => void;
};

export type Isolates = {
  /** One with this heap limit, MB: the spare one if it fits, or else a new one, ready in some ms. */
  take(heapMb: number): PreparedIsolate;
  /** A module has started: soon there is a spare one for the next that wants the same. */
  refill(heapMb: number): void;
};

/**
 * Takes V8's `gc` out of the guest's reach before any code runs there; its name stays, for V8 lets
 * nobody delete it. The options have no prototype: a getter on the guest's would run in there.
 */
const COLLECTOR = `(() => {
  const { gc } = globalThis;
  Object.defineProperty(globalThis, 'gc', { value: undefined, writable: false });
  const how = { __proto__: null, type: 'major', flavor: 'last-resort' };
  return () => { gc(how); };
})()`;

/** Modules often start together, and none should wait for a spare to be made. */
const CALM_MS = 100;

export function createIsolates(
  prelude: Prelude,
  clock: Clock,
  { spareMs }: HostSettings,
): Isolates {
  let spare: { readonly heapMb: number; readonly prepared: PreparedIsolate } | undefined;
  let cancel: Cancel = () => {};

  function prepare(heapMb: number): PreparedIsolate {
    const isolate = new ivm.Isolate({
      ...prelude.options,
      memoryLimit: heapMb,
      onCatastrophicError: (message) => prepared.onCatastrophe(message),
    });
    const prepared: PreparedIsolate = { isolate, ready: fill(), onCatastrophe: () => {} };
    // Who took it may have ended, and asks no more.
    prepared.ready.catch(() => {});
    return prepared;

    async function fill(): Promise<Awaited<PreparedIsolate['ready']>> {
      const context = await isolate.createContext();
      const collect = await context.eval(COLLECTOR, { reference: true });
      await prelude.run(isolate, context);
      const boot = await context.global.get(BOOT_NAME, { reference: true });
      await context.global.delete(BOOT_NAME);
      return {
        context,
        boot: boot as ivm.Reference<Boot>,
        collect: collect as ivm.Reference<() => void>,
      };
    }
  }

  function drop(): void {
    cancel();
    const { isolate } = spare?.prepared ?? {};
    spare = undefined;
    if (isolate !== undefined && !isolate.isDisposed) isolate.dispose();
  }

  function make(heapMb: number): void {
    if (spare?.heapMb !== heapMb) {
      drop();
      const prepared = prepare(heapMb);
      prepared.onCatastrophe = drop;
      prepared.ready.catch(drop);
      spare = { heapMb, prepared };
    }
    cancel = clock.after(spareMs, drop);
  }

  return {
    take(heapMb) {
      if (spare?.heapMb !== heapMb || spare.prepared.isolate.isDisposed) return prepare(heapMb);
      cancel();
      const { prepared } = spare;
      spare = undefined;
      return prepared;
    },
    refill(heapMb) {
      if (spareMs === 0) return;
      cancel();
      cancel = clock.after(CALM_MS, () => make(heapMb));
    },
  };
}
