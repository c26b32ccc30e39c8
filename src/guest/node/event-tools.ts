/** What `node:events` has besides the class: waiting for events, iterating over them, looking at listeners. */
import type { EventEmitter } from 'events';
import { abortReason, invalidType, type Signal, whenAborted } from './node-errors.ts';

type Name = string | symbol;
type Target = {
  addEventListener(name: Name, listener: unknown, options?: object): void;
  removeEventListener(name: Name, listener: unknown): void;
};
type Source = EventEmitter | Target;
type WithSignal = { readonly signal?: Signal };

/** Listens to either kind; gives back what stops it. */
function listen(source: Source, name: Name, listener: (...args: unknown[]) => void): () => void {
  if ('on' in source && typeof source.on === 'function') {
    source.on(name, listener);
    return () => void source.removeListener(name, listener);
  }
  if ('addEventListener' in source && typeof source.addEventListener === 'function') {
    source.addEventListener(name, listener);
    return () => source.removeEventListener(name, listener);
  }
  throw invalidType('emitter', 'an instance of EventEmitter or EventTarget', source);
}

function once(source: Source, name: Name, options: WithSignal = {}): Promise<unknown[]> {
  return new Promise((resolve, reject) => {
    const { signal } = options;
    if (signal?.aborted === true) {
      reject(abortReason(signal));
      return;
    }
    const stops: (() => void)[] = [];
    const stop = (): void => {
      for (const one of stops) one();
    };
    stops.push(
      listen(source, name, (...args) => {
        stop();
        resolve(args);
      }),
    );
    if (name !== 'error' && 'on' in source) {
      stops.push(
        listen(source, 'error', (error) => {
          stop();
          reject(error as Error);
        }),
      );
    }
    stops.push(
      whenAborted(signal, () => {
        stop();
        reject(abortReason(signal as Signal));
      }),
    );
  });
}

type OnOptions = WithSignal & { readonly close?: readonly Name[] };

/** Each event as the array of its arguments; those that come while nobody waits are kept. */
function on(
  source: Source,
  name: Name,
  options: OnOptions = {},
): AsyncIterableIterator<unknown[]> & { return(): Promise<IteratorResult<unknown[]>> } {
  const { signal, close = [] } = options;
  if (signal?.aborted === true) throw abortReason(signal);
  const events: unknown[][] = [];
  const waiting: PromiseWithResolvers<IteratorResult<unknown[]>>[] = [];
  const stops: (() => void)[] = [];
  let ended = false;
  let failure: { readonly error: unknown } | undefined;
  const end = (): Promise<IteratorResult<unknown[]>> => {
    ended = true;
    for (const stop of stops) stop();
    for (const one of waiting.splice(0)) one.resolve({ done: true, value: undefined });
    return Promise.resolve({ done: true, value: undefined });
  };
  const fail = (error: unknown): void => {
    const first = waiting.shift();
    if (first === undefined) failure = { error };
    else first.reject(error);
    void end();
  };
  stops.push(
    listen(source, name, (...args) => {
      const first = waiting.shift();
      if (first === undefined) events.push(args);
      else first.resolve({ done: false, value: args });
    }),
  );
  if (name !== 'error' && 'on' in source) stops.push(listen(source, 'error', fail));
  for (const one of close) stops.push(listen(source, one, () => void end()));
  stops.push(whenAborted(signal, () => fail(abortReason(signal as Signal))));
  return {
    next() {
      const value = events.shift();
      if (value !== undefined) return Promise.resolve({ done: false, value });
      if (failure !== undefined) {
        const { error } = failure;
        failure = undefined;
        return Promise.reject(error as Error);
      }
      if (ended) return Promise.resolve({ done: true, value: undefined });
      const next = Promise.withResolvers<IteratorResult<unknown[]>>();
      waiting.push(next);
      return next.promise;
    },
    return: end,
    throw(error: unknown) {
      fail(error);
      return Promise.resolve({ done: true, value: undefined });
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

function getEventListeners(source: Source, name: Name): unknown[] {
  if ('listeners' in source) return source.listeners(name);
  throw invalidType('emitter', 'an instance of EventEmitter', source);
}

function getMaxListeners(source: EventEmitter): number {
  return source.getMaxListeners();
}

function setMaxListeners(count: number, ...sources: readonly Source[]): void {
  if (sources.length === 0) defaults().defaultMaxListeners = count;
  for (const source of sources) if ('setMaxListeners' in source) source.setMaxListeners(count);
}

function defaults(): { defaultMaxListeners: number } {
  const symbol = Symbol.for('isolet.treaty.1');
  return (globalThis as unknown as Record<symbol, { EventEmitter: typeof EventEmitter }>)[symbol]
    ?.EventEmitter as typeof EventEmitter;
}

function addAbortListener(signal: Signal, listener: () => void): Disposable {
  if (signal?.aborted === undefined) throw invalidType('signal', 'an AbortSignal', signal);
  if (signal.aborted) queueMicrotask(listener);
  const stop = whenAborted(signal, listener);
  return { [Symbol.dispose]: stop };
}

function listenerCount(source: EventEmitter, name: Name): number {
  return source.listenerCount(name);
}

export const tools = {
  addAbortListener,
  captureRejectionSymbol: Symbol.for('nodejs.rejection'),
  getEventListeners,
  getMaxListeners,
  listenerCount,
  on,
  once,
  setMaxListeners,
  usingDomains: false,
};
