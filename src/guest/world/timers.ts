/**
 * Node's timers over one timer of the host: a heap of due times in the guest, of which the host is
 * told the earliest. Between two callbacks due in the same turn promise reactions run, as in Node; one
 * difference: of a longer chain of them the rest comes after the next callback.
 */
import { TIMERS_MAX } from '../limits.ts';
import type { GuestClock } from './guest-clock.ts';
import { createTimerHeap, type HeapEntry } from './timer-heap.ts';

const DELAY_MAX_MS = 2 ** 31 - 1;
/** The host's clock may run ahead of ours by the rounding of both. */
const EARLY_MS = 1;
/** Microtasks in a row that a callback's promise reactions may take before the next callback. */
const REACTION_HOPS = 8;

/** Where `util.promisify` looks for a function's own promise form. */
export const promisifyCustom = Symbol.for('nodejs.util.promisify.custom');

type Callback = (...args: never[]) => unknown;
type Entry = HeapEntry & {
  readonly id: number;
  /** What the module holds, and `this` of its callback. */
  readonly timer: object;
  readonly callback: Callback;
  readonly args: readonly unknown[];
  readonly delayMs: number;
  readonly repeats: boolean;
  cleared: boolean;
};

export type Timers = {
  /** ms to the earliest timer, 0 when something is due, -1 without any: what the host is to be told. */
  readonly wakeMs: () => number;
  /** Runs all that is due. What callbacks set now is for the next time. */
  readonly run: () => Promise<void>;
  /** setTimeout … clearImmediate, for the global object. */
  readonly globals: Readonly<Record<string, unknown>>;
};

/** `guard` runs a callback and takes its error; `touch` says the host must be told a new due time. */
export function createTimers(
  clock: GuestClock,
  guard: (run: () => unknown) => void,
  touch: () => void,
): Timers {
  const heap = createTimerHeap<Entry>();
  /** Timers whose number the module has asked for. */
  const numbered = new Map<number, Entry>();
  let immediates: Immediate[] = [];
  let lastOrder = 0;
  let toldAt = Number.POSITIVE_INFINITY;
  let entryOf: (timer: unknown) => Entry | undefined;
  let callImmediate: (immediate: Immediate) => void;

  class Timeout {
    readonly #entry: Entry;
    #hasRef = true;
    static {
      entryOf = (timer) =>
        typeof timer === 'object' && timer !== null && #entry in timer ? timer.#entry : undefined;
    }
    constructor(callback: Callback, delayMs: unknown, args: readonly unknown[], repeats: boolean) {
      const delay = Number(delayMs);
      this.#entry = {
        id: lastOrder + 1,
        timer: this,
        callback,
        args,
        // As in Node: what it cannot wait for is 1 ms.
        delayMs: delay >= 1 && delay <= DELAY_MAX_MS ? Math.trunc(delay) : 1,
        repeats,
        cleared: false,
        dueAt: 0,
        order: 0,
        place: -1,
      };
      start(this.#entry);
    }
    ref(): this {
      this.#hasRef = true;
      return this;
    }
    unref(): this {
      this.#hasRef = false;
      return this;
    }
    hasRef(): boolean {
      return this.#hasRef;
    }
    refresh(): this {
      heap.remove(this.#entry);
      start(this.#entry);
      return this;
    }
    close(): this {
      clear(this);
      return this;
    }
    [Symbol.toPrimitive](): number {
      if (this.#entry.place >= 0) numbered.set(this.#entry.id, this.#entry);
      return this.#entry.id;
    }
    [Symbol.dispose](): void {
      clear(this);
    }
  }

  class Immediate {
    readonly #callback: Callback;
    readonly #args: readonly unknown[];
    #hasRef = true;
    #cleared = false;
    static {
      callImmediate = (immediate) => {
        if (!immediate.#cleared) Reflect.apply(immediate.#callback, immediate, immediate.#args);
      };
    }
    constructor(callback: Callback, args: readonly unknown[]) {
      this.#callback = callback;
      this.#args = args;
    }
    ref(): this {
      this.#hasRef = true;
      return this;
    }
    unref(): this {
      this.#hasRef = false;
      return this;
    }
    hasRef(): boolean {
      return this.#hasRef;
    }
    [Symbol.dispose](): void {
      this.#cleared = true;
    }
  }

  function start(entry: Entry): void {
    entry.cleared = false;
    entry.dueAt = clock.elapsed() + entry.delayMs;
    entry.order = ++lastOrder;
    heap.insert(entry);
    if (entry.dueAt < toldAt) touch();
  }

  function clear(timer: unknown): void {
    const byNumber = typeof timer === 'number' || typeof timer === 'string';
    const entry = byNumber ? numbered.get(Number(timer)) : entryOf(timer);
    if (entry === undefined) return;
    entry.cleared = true;
    numbered.delete(entry.id);
    heap.remove(entry);
    // Nothing to wake up for any more.
    if (heap.size() === 0 && toldAt < Number.POSITIVE_INFINITY) touch();
  }

  /** `await` of no promise is the one way to a microtask that a module cannot have patched. */
  async function reactions(): Promise<void> {
    // The turn goes on: what is sent in it goes out together.
    touch();
    for (let hops = 0; hops < REACTION_HOPS; hops++) {
      // oxlint-disable-next-line typescript/await-thenable, no-await-in-loop -- a microtask, see above
      await undefined;
    }
  }

  function admit(name: string, callback: unknown): asserts callback is Callback {
    if (typeof callback !== 'function') {
      throw Object.assign(
        new TypeError(
          `The "callback" argument of ${name} must be of type function. Received ${typeof callback}`,
        ),
        { code: 'ERR_INVALID_ARG_TYPE' },
      );
    }
    if (heap.size() + immediates.length >= TIMERS_MAX) {
      throw new RangeError(
        `This module has ${TIMERS_MAX} timers set; clear some, or wait, before setting more.`,
      );
    }
  }

  const globals = {
    setTimeout: function setTimeout(
      this: void,
      callback: unknown,
      ...[delayMs, ...args]: readonly unknown[]
    ): Timeout {
      admit('setTimeout', callback);
      return new Timeout(callback, delayMs, args, false);
    },
    setInterval(callback: unknown, ...[delayMs, ...args]: readonly unknown[]): Timeout {
      admit('setInterval', callback);
      return new Timeout(callback, delayMs, args, true);
    },
    setImmediate: function setImmediate(
      this: void,
      callback: unknown,
      ...args: unknown[]
    ): Immediate {
      admit('setImmediate', callback);
      const immediate = new Immediate(callback, args);
      immediates.push(immediate);
      if (toldAt > 0) touch();
      return immediate;
    },
    clearTimeout: (...[timer]: readonly unknown[]): void => clear(timer),
    clearInterval: (...[timer]: readonly unknown[]): void => clear(timer),
    clearImmediate(immediate?: unknown): void {
      if (immediate instanceof Immediate) immediate[Symbol.dispose]();
    },
  };
  // What makes `util.promisify(setTimeout)` a sleep.
  Object.defineProperty(globals.setTimeout, promisifyCustom, {
    value: (delayMs: number, value: unknown) =>
      new Promise((resolve) => globals.setTimeout(() => resolve(value), delayMs)),
  });
  Object.defineProperty(globals.setImmediate, promisifyCustom, {
    value: (value: unknown) => new Promise((resolve) => globals.setImmediate(() => resolve(value))),
  });

  return {
    globals,
    wakeMs() {
      const first = heap.first()?.dueAt ?? Number.POSITIVE_INFINITY;
      toldAt = immediates.length > 0 ? 0 : first;
      clock.expectWake(immediates.length > 0 ? clock.elapsed() : first);
      if (toldAt === Number.POSITIVE_INFINITY) return -1;
      return Math.max(0, toldAt - clock.elapsed());
    },
    async run() {
      const now = clock.elapsed() + EARLY_MS;
      const newest = lastOrder;
      const due = (): Entry | undefined => {
        const entry = heap.first();
        return entry === undefined || entry.dueAt > now || entry.order > newest ? undefined : entry;
      };
      for (let entry = due(); entry !== undefined; entry = due()) {
        const { callback, timer, args } = entry;
        heap.remove(entry);
        guard(() => Reflect.apply(callback, timer, args));
        // Refreshed by its own callback, it is in the heap already.
        if (entry.repeats && !entry.cleared && entry.place < 0) start(entry);
        else if (entry.place < 0) numbered.delete(entry.id);
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        if (due() !== undefined || immediates.length > 0) await reactions();
      }
      const taken = immediates;
      immediates = [];
      for (const [at, immediate] of taken.entries()) {
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        if (at > 0) await reactions();
        guard(() => callImmediate(immediate));
      }
      // The host's timer is spent: tell it what is left.
      toldAt = Number.POSITIVE_INFINITY;
      if (heap.first() !== undefined || immediates.length > 0) touch();
    },
  };
}
