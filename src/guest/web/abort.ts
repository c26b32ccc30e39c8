/** `AbortController` and `AbortSignal` of the DOM standard, without its general `EventTarget`. */
import { DOMException } from './dom-exception.ts';

type AbortEvent = { readonly type: 'abort'; readonly target: AbortSignal };
type Listener = ((event: AbortEvent) => unknown) | { handleEvent(event: AbortEvent): unknown };

/** The only way to make one: the standard gives signals no constructor. */
const inside = Symbol('inside');
let fire: (signal: AbortSignal, reason: unknown) => void;

export class AbortSignal {
  #aborted = false;
  #reason: unknown;
  readonly #listeners = new Map<Listener, boolean>();
  onabort: ((event: AbortEvent) => unknown) | null = null;

  static {
    fire = (signal, reason) => signal.#fire(reason);
  }

  constructor(key?: unknown) {
    if (key !== inside) throw new TypeError('Illegal constructor: use an AbortController');
  }

  static abort(reason?: unknown): AbortSignal {
    const signal = new AbortSignal(inside);
    fire(signal, reason);
    return signal;
  }
  static timeout(delayMs: number): AbortSignal {
    const signal = new AbortSignal(inside);
    const timedOut = new DOMException('The operation was aborted due to timeout', 'TimeoutError');
    setTimeout(() => fire(signal, timedOut), delayMs);
    return signal;
  }
  static any(signals: Iterable<AbortSignal>): AbortSignal {
    const sources = [...signals];
    const signal = new AbortSignal(inside);
    const aborted = sources.find((source) => source.aborted);
    if (aborted !== undefined) {
      fire(signal, aborted.reason);
      return signal;
    }
    for (const source of sources) {
      source.addEventListener('abort', () => fire(signal, source.reason), { once: true });
    }
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
  addEventListener(type: string, listener: Listener, options?: { readonly once?: boolean }): void {
    if (type === 'abort' && !this.#listeners.has(listener)) {
      this.#listeners.set(listener, options?.once === true);
    }
  }
  removeEventListener(type: string, listener: Listener): void {
    if (type === 'abort') this.#listeners.delete(listener);
  }

  #fire(reason: unknown): void {
    if (this.#aborted) return;
    this.#aborted = true;
    this.#reason =
      reason === undefined ? new DOMException('This operation was aborted', 'AbortError') : reason;
    const event: AbortEvent = { type: 'abort', target: this };
    const listeners = [...this.#listeners.keys()];
    this.#listeners.clear();
    if (this.onabort !== null) guarded(() => this.onabort?.(event));
    for (const listener of listeners) {
      guarded(() =>
        typeof listener === 'function' ? listener.call(this, event) : listener.handleEvent(event),
      );
    }
  }
}

export class AbortController {
  readonly signal: AbortSignal = new AbortSignal(inside);
  abort(reason?: unknown): void {
    fire(this.signal, reason);
  }
}

/** What a listener throws is an uncaught error of its own, and the others are told all the same. */
function guarded(run: () => unknown): void {
  try {
    run();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
