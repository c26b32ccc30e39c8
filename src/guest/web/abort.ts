/** `AbortController` and `AbortSignal` of the DOM standard (§3). */
import { describeInterface, needArguments, toCount, toSequence } from '../world/webidl.ts';
import { DOMException } from './dom-exception.ts';
import { Event, trusted } from './event.ts';
import { defineHandlers } from './event-handler.ts';
import { dispatch, EventTarget, hasListeners, knowSignals, onListener } from './event-target.ts';

/** The only way to make one: the standard gives signals no constructor. */
const inside = Symbol('inside');

type Run = () => void;
let abort: (signal: AbortSignal, reason: unknown) => void;
let when: (signal: AbortSignal, run: Run) => void;
let forget: (signal: AbortSignal, run: Run) => void;
let isSignal: (value: object) => value is AbortSignal;

export class AbortSignal extends EventTarget {
  declare onabort: ((event: Event) => unknown) | null;
  #aborted = false;
  #reason: unknown;
  readonly #algorithms = new Set<Run>();
  /** Of one made by `any`: those it follows, none of which follows another. */
  #sources: Set<AbortSignal> | undefined;
  /** Those that follow it: held only while somebody listens to them. */
  readonly #followers: WeakRef<AbortSignal>[] = [];
  readonly #heard = new Set<AbortSignal>();
  #sweepAt = 16;

  static {
    isSignal = (value) => #aborted in value;
    abort = (signal, reason) => signal.#abort(reason);
    when = (signal, run) => {
      if (signal.#aborted) return;
      signal.#algorithms.add(run);
      signal.#keep();
    };
    forget = (signal, run) => {
      signal.#algorithms.delete(run);
      // Else a signal of many fetches would hold all of them.
      if (signal.#algorithms.size > 0 || hasListeners(signal, 'abort')) return;
      for (const source of signal.#sources ?? []) source.#heard.delete(signal);
    };
  }

  constructor(...[key]: readonly unknown[]) {
    if (key !== inside) throw new TypeError('Illegal constructor: use an AbortController');
    super();
  }

  static abort(...[reason]: readonly [reason?: unknown]): AbortSignal {
    const signal = new AbortSignal(inside);
    signal.#aborted = true;
    signal.#reason = orAbortError(reason);
    return signal;
  }

  static timeout(delayMs: number): AbortSignal {
    needArguments(arguments.length, 1, 'AbortSignal.timeout');
    const leftMs = toCount(delayMs, 'The delay of AbortSignal.timeout');
    const signal = new AbortSignal(inside);
    const wait = (remainingMs: number): void => {
      const partMs = Math.min(remainingMs, DELAY_MAX_MS);
      setTimeout(() => {
        if (remainingMs > partMs) return wait(remainingMs - partMs);
        signal.#abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError'));
      }, partMs);
    };
    wait(leftMs);
    return signal;
  }

  static any(signals: Iterable<AbortSignal>): AbortSignal {
    needArguments(arguments.length, 1, 'AbortSignal.any');
    const list = toSequence(signals, 'The argument of AbortSignal.any');
    const all = list.map((each) => checked(each));
    const signal = new AbortSignal(inside);
    const aborted = all.find((each) => each.#aborted);
    if (aborted !== undefined) {
      signal.#aborted = true;
      signal.#reason = aborted.#reason;
      return signal;
    }
    const sources = new Set(all.flatMap((each) => [...(each.#sources ?? [each])]));
    signal.#sources = sources;
    for (const source of sources) source.#follow(signal);
    onListener(signal, () => signal.#keep());
    return signal;
  }

  get aborted(): boolean {
    return this.#aborted;
  }
  get reason(): unknown {
    return this.#reason;
  }
  throwIfAborted(): void {
    if (this.#aborted) throw this.#reason;
  }

  #follow(follower: AbortSignal): void {
    this.#followers.push(new WeakRef(follower));
    if (this.#followers.length < this.#sweepAt) return;
    const alive = this.#followers.filter((each) => each.deref() !== undefined);
    this.#followers.splice(0, this.#followers.length, ...alive);
    this.#sweepAt = Math.max(16, 2 * alive.length);
  }

  #keep(): void {
    for (const source of this.#sources ?? []) source.#heard.add(this);
  }

  #abort(reason: unknown): void {
    if (this.#aborted) return;
    this.#aborted = true;
    this.#reason = orAbortError(reason);
    // All of them know before any listener runs.
    const followers: AbortSignal[] = [];
    for (const each of this.#followers) {
      const follower = each.deref();
      if (follower === undefined || follower.#aborted) continue;
      follower.#aborted = true;
      follower.#reason = this.#reason;
      followers.push(follower);
    }
    this.#followers.length = 0;
    this.#heard.clear();
    this.#tell();
    for (const follower of followers) {
      for (const source of follower.#sources ?? []) source.#heard.delete(follower);
      follower.#tell();
    }
  }

  #tell(): void {
    const algorithms = [...this.#algorithms];
    this.#algorithms.clear();
    for (const run of algorithms) run();
    if (hasListeners(this, 'abort')) dispatch(this, trusted(new Event('abort')));
  }

  static {
    describeInterface(this);
    defineHandlers(this.prototype, ['abort'], checked);
  }
}

export class AbortController {
  readonly #signal = new AbortSignal(inside);
  get signal(): AbortSignal {
    return this.#signal;
  }
  abort(...[reason]: readonly [reason?: unknown]): void {
    abort(this.#signal, reason);
  }
  static {
    describeInterface(this);
  }
}

/** Longer ones Node's timers cannot wait for at once. */
const DELAY_MAX_MS = 2 ** 31 - 1;

function orAbortError(reason: unknown): unknown {
  if (reason !== undefined) return reason;
  return new DOMException('This operation was aborted', 'AbortError');
}

/** By what it is, not by its prototype. */
export function isAbortSignal(value: unknown): value is AbortSignal {
  return typeof value === 'object' && value !== null && isSignal(value);
}

/**
 * Runs when it is aborted, before its listeners, and never when it is aborted already. Returns a function
 * that takes it back.
 */
export function whenAborted(signal: AbortSignal, run: Run): () => void {
  when(signal, run);
  return () => forget(signal, run);
}

function checked(value: unknown): AbortSignal {
  if (isAbortSignal(value)) return value;
  throw new TypeError('This must be an AbortSignal');
}

knowSignals({
  isAborted: (signal) => checked(signal).aborted,
  whenAborted: (signal, run) => when(signal as AbortSignal, run),
});
