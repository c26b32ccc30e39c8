/** `EventTarget` of the DOM standard (§2.7). The global object is one, too (install-events.ts). */
import { describeInterface, needArguments, toDictionary } from '../world/webidl.ts';
import { DOMException } from './dom-exception.ts';
import { AT_TARGET, type Event, stateOf } from './event.ts';
import { reportException } from './report.ts';

export type EventListener =
  | ((event: never) => unknown)
  | { readonly handleEvent: (event: never) => unknown };
export type ListenerOptions =
  | boolean
  | {
      readonly capture?: boolean;
      readonly once?: boolean;
      readonly passive?: boolean;
      readonly signal?: object;
    };

type Listener = {
  readonly type: string;
  readonly callback: object;
  readonly capture: boolean;
  readonly once: boolean;
  readonly passive: boolean;
  removed: boolean;
};

/** What abort.ts tells of signals, which are targets themselves. */
type Signals = {
  /** Throws a TypeError when it is no signal. */
  isAborted(signal: unknown): boolean;
  whenAborted(signal: unknown, run: () => void): void;
};
let signals: Signals | undefined;
export function knowSignals(known: Signals): void {
  signals = known;
}

/** A target's list is replaced when it changes, so that one that is gone through stays as it was. */
type Listeners = {
  list: readonly Listener[];
  /** Told of each listener that is added. */
  added?: (type: string) => void;
};
const ofGlobal: Listeners = { list: [] };
let read: (target: object) => Listeners | undefined;

export class EventTarget {
  readonly #listeners: Listeners = { list: [] };

  static {
    read = (target) => (#listeners in target ? target.#listeners : undefined);
  }

  addEventListener(
    type: string,
    callback: EventListener | null,
    options: ListenerOptions = {},
  ): void {
    const listeners = listenersOf(this);
    needArguments(arguments.length, 2, 'addEventListener');
    const name = `${type}`;
    const taker = toCallback(callback);
    const capture = captureOf(options);
    const more = typeof options === 'object' || typeof options === 'function' ? options : null;
    const once = Boolean(more?.once);
    const passive = Boolean(more?.passive);
    const signal = more?.signal;
    if (signal !== undefined) {
      if (signals === undefined) throw new TypeError('The "signal" must be an AbortSignal');
      if (signals.isAborted(signal)) return;
    }
    if (taker === null || find(listeners.list, name, taker, capture) !== undefined) return;
    const listener = { type: name, callback: taker, capture, once, passive, removed: false };
    listeners.list = [...listeners.list, listener];
    listeners.added?.(name);
    if (signal !== undefined) signals?.whenAborted(signal, () => remove(listeners, listener));
  }

  removeEventListener(
    type: string,
    callback: EventListener | null,
    options: ListenerOptions = {},
  ): void {
    const listeners = listenersOf(this);
    needArguments(arguments.length, 2, 'removeEventListener');
    const name = `${type}`;
    const taker = toCallback(callback);
    const capture = captureOf(options);
    const listener = taker === null ? undefined : find(listeners.list, name, taker, capture);
    if (listener !== undefined) remove(listeners, listener);
  }

  dispatchEvent(event: Event): boolean {
    listenersOf(this);
    needArguments(arguments.length, 1, 'dispatchEvent');
    const state = stateOf(event);
    if (state.dispatching) {
      throw new DOMException('The event is being dispatched already', 'InvalidStateError');
    }
    state.trusted = false;
    return dispatch(this, event);
  }

  static {
    describeInterface(this);
  }
}

/** Dispatches an event as it is; false = it was cancelled. */
export function dispatch(receiver: object | undefined | null, event: Event): boolean {
  const target = receiver ?? globalThis;
  const listeners = listenersOf(target);
  const state = stateOf(event);
  state.dispatching = true;
  state.target = target;
  state.currentTarget = target;
  state.phase = AT_TARGET;
  invoke(listeners, target, event, true);
  invoke(listeners, target, event, false);
  state.phase = 0;
  state.currentTarget = null;
  state.dispatching = false;
  state.stopped = false;
  state.stoppedAtOnce = false;
  return !state.canceled;
}

function invoke(listeners: Listeners, target: object, event: Event, capture: boolean): void {
  const state = stateOf(event);
  if (state.stopped) return;
  for (const listener of listeners.list) {
    if (listener.removed || listener.type !== state.type || listener.capture !== capture) continue;
    if (listener.once) remove(listeners, listener);
    state.inPassive = listener.passive;
    try {
      call(listener.callback, target, event);
    } catch (error) {
      reportException(error);
    }
    state.inPassive = false;
    if (state.stoppedAtOnce) return;
  }
}

function call(callback: object, target: object, event: Event): void {
  if (typeof callback === 'function') {
    Reflect.apply(callback as () => void, target, [event]);
    return;
  }
  const { handleEvent } = callback as { readonly handleEvent: unknown };
  if (typeof handleEvent !== 'function') {
    throw new TypeError('The "handleEvent" of a listener must be a function');
  }
  Reflect.apply(handleEvent as () => void, callback, [event]);
}

/** Has it listeners for events of this type? */
export function hasListeners(target: object, type: string): boolean {
  return listenersOf(target).list.some((listener) => listener.type === type);
}

/** `run` is told the type of each listener that is added to this target. */
export function onListener(target: object, run: (type: string) => void): void {
  listenersOf(target).added = run;
}

/** A call without a target means the global object, as WebIDL has it. */
function listenersOf(target: unknown): Listeners {
  if (target === undefined || target === null || target === globalThis) return ofGlobal;
  const listeners = typeof target === 'object' ? read(target) : undefined;
  if (listeners === undefined) throw new TypeError('Illegal invocation: this is no EventTarget');
  return listeners;
}

function toCallback(callback: unknown): object | null {
  if (callback === undefined || callback === null) return null;
  if (typeof callback === 'object' || typeof callback === 'function') return callback;
  throw new TypeError('A listener must be a function, or an object with "handleEvent"');
}

function captureOf(options: unknown): boolean {
  if (typeof options !== 'object' && typeof options !== 'function') return Boolean(options);
  return Boolean(toDictionary(options, 'The options')['capture']);
}

function find(
  list: readonly Listener[],
  type: string,
  callback: object,
  capture: boolean,
): Listener | undefined {
  return list.find(
    (each) => each.callback === callback && each.type === type && each.capture === capture,
  );
}

function remove(listeners: Listeners, listener: Listener): void {
  listener.removed = true;
  listeners.list = listeners.list.filter((each) => each !== listener);
}
