/**
 * Node's EventEmitter. A function and no class, because old code calls it: `EventEmitter.call(this)`.
 * What only importers of `events` need is added in node/events.cts.
 */
import { inspect } from './inspect.ts';

type Listener = (...args: unknown[]) => unknown;
type Once = Listener & { readonly listener: Listener };
type Name = string | symbol;
/** Arrays are replaced, never changed: `emit` walks the one it began with. */
type Events = Record<Name, readonly Listener[] | undefined>;

type Emitter = {
  _events: Events;
  _eventsCount: number;
  _maxListeners: number | undefined;
  [capture]?: boolean;
  emit(name: Name, ...args: unknown[]): boolean;
  removeListener(name: Name, listener: Listener): Emitter;
  getMaxListeners(): number;
} & Record<symbol, unknown>;

const errorMonitor = Symbol('events.errorMonitor');
const captureRejection = Symbol.for('nodejs.rejection');
const capture = Symbol('kCapture');
const warned = Symbol('kWarned');

type Options = { readonly captureRejections?: boolean };

function EventEmitter(this: Emitter, options?: Options): void {
  init.call(this, options);
}

const settings = { defaultMaxListeners: 10, captureRejections: false };

function init(this: Emitter, options?: Options): void {
  if (this._events === undefined || !Object.hasOwn(this, '_events')) {
    this._events = Object.create(null) as Events;
    this._eventsCount = 0;
  }
  this._maxListeners ??= undefined;
  if (options?.captureRejections ?? settings.captureRejections) {
    Object.defineProperty(this, capture, { value: true });
  }
}

function eventsOf(emitter: Emitter): Events {
  // Of a class that never called its parent.
  if (!Object.hasOwn(emitter, '_events')) init.call(emitter);
  return emitter._events;
}

function check(listener: unknown): asserts listener is Listener {
  if (typeof listener === 'function') return;
  throw invalid(
    `The "listener" argument must be of type function. Received ${listener === null || listener === undefined ? String(listener) : `type ${typeof listener} (${inspect(listener)})`}`,
  );
}

function invalid(text: string): TypeError {
  return Object.assign(new TypeError(text), { code: 'ERR_INVALID_ARG_TYPE' });
}

function add(emitter: Emitter, name: Name, listener: Listener, first: boolean): Emitter {
  check(listener);
  const events = eventsOf(emitter);
  // Before it is added, or a listener for it would hear of itself.
  if (events['newListener'] !== undefined) {
    emitter.emit('newListener', name, (listener as Partial<Once>).listener ?? listener);
  }
  const old = events[name];
  if (old === undefined) {
    events[name] = [listener];
    emitter._eventsCount++;
    return emitter;
  }
  const all = first ? [listener, ...old] : [...old, listener];
  events[name] = all;
  const max = emitter.getMaxListeners();
  if (max > 0 && all.length > max && !emitter[warned]) {
    Object.defineProperty(emitter, warned, { value: true });
    const kind = (emitter as { constructor?: { name?: string } }).constructor?.name ?? 'object';
    const text = `Possible EventEmitter memory leak detected. ${all.length} ${String(name)} listeners added to [${kind}]. MaxListeners is ${max}. Use emitter.setMaxListeners() to increase limit`;
    process.emitWarning(Object.assign(new Error(text), { name: 'MaxListenersExceededWarning' }));
  }
  return emitter;
}

function once(emitter: Emitter, name: Name, listener: Listener): Once {
  check(listener);
  let fired = false;
  const wrapper = function (this: unknown, ...args: unknown[]): unknown {
    if (fired) return undefined;
    fired = true;
    emitter.removeListener(name, wrapper);
    return Reflect.apply(listener, this, args);
  };
  return Object.assign(wrapper, { listener });
}

function call(emitter: Emitter, name: Name, listener: Listener, args: unknown[]): void {
  const result: unknown = Reflect.apply(listener, emitter, args);
  if (emitter[capture] !== true || result === undefined || result === null) return;
  const { then } = result as { then?: unknown };
  if (typeof then !== 'function') return;
  Reflect.apply(then, result, [
    undefined,
    (error: unknown) => {
      process.nextTick(() => {
        const own = emitter[captureRejection];
        if (typeof own === 'function') Reflect.apply(own, emitter, [error, name, ...args]);
        else emitter.emit('error', error);
      });
    },
  ]);
}

const methods = {
  setMaxListeners(this: Emitter, count: unknown): Emitter {
    if (typeof count !== 'number' || !(count >= 0)) {
      throw Object.assign(
        new RangeError(
          `The value of "setMaxListeners" is out of range. It must be >= 0. Received ${inspect(count)}`,
        ),
        { code: 'ERR_OUT_OF_RANGE' },
      );
    }
    this._maxListeners = count;
    return this;
  },
  getMaxListeners(this: Emitter): number {
    return this._maxListeners ?? settings.defaultMaxListeners;
  },
  emit(this: Emitter, name: Name, ...args: unknown[]): boolean {
    const events = eventsOf(this);
    if (name === 'error') {
      if (events[errorMonitor] !== undefined) this.emit(errorMonitor, ...args);
      if (events['error'] === undefined) throw unhandled(args[0]);
    }
    const listeners = events[name];
    if (listeners === undefined) return false;
    for (let i = 0; i < listeners.length; i++) call(this, name, listeners[i] as Listener, args);
    return true;
  },
  addListener(this: Emitter, name: Name, listener: Listener): Emitter {
    return add(this, name, listener, false);
  },
  on(this: Emitter, name: Name, listener: Listener): Emitter {
    return add(this, name, listener, false);
  },
  prependListener(this: Emitter, name: Name, listener: Listener): Emitter {
    return add(this, name, listener, true);
  },
  once(this: Emitter & { on: Listener }, name: Name, listener: Listener): Emitter {
    return this.on(name, once(this, name, listener)) as Emitter;
  },
  prependOnceListener(
    this: Emitter & { prependListener: Listener },
    name: Name,
    listener: Listener,
  ): Emitter {
    return this.prependListener(name, once(this, name, listener)) as Emitter;
  },
  removeListener(this: Emitter, name: Name, listener: Listener): Emitter {
    check(listener);
    const events = eventsOf(this);
    const old = events[name];
    const at = old?.findLastIndex(
      (one) => one === listener || (one as Partial<Once>).listener === listener,
    );
    if (old === undefined || at === undefined || at < 0) return this;
    if (old.length === 1) {
      delete events[name];
      this._eventsCount--;
    } else {
      events[name] = old.toSpliced(at, 1);
    }
    if (events['removeListener'] !== undefined) this.emit('removeListener', name, listener);
    return this;
  },
  off(this: Emitter, name: Name, listener: Listener): Emitter {
    return this.removeListener(name, listener);
  },
  removeAllListeners(
    this: Emitter & { removeAllListeners: Listener },
    ...names: [] | [Name | undefined]
  ): Emitter {
    const events = eventsOf(this);
    const [name] = names;
    if (name !== undefined) {
      // The last one first; who listens to removals hears of each.
      if (events['removeListener'] !== undefined) {
        for (const one of [...(events[name] ?? [])].reverse()) this.removeListener(name, one);
      } else if (events[name] !== undefined) {
        delete events[name];
        this._eventsCount--;
      }
      return this;
    }
    if (events['removeListener'] !== undefined) {
      for (const one of Reflect.ownKeys(events)) {
        if (one !== 'removeListener') this.removeAllListeners(one);
      }
      this.removeAllListeners('removeListener');
    }
    this._events = Object.create(null) as Events;
    this._eventsCount = 0;
    return this;
  },
  listeners(this: Emitter, name: Name): Listener[] {
    return (eventsOf(this)[name] ?? []).map((one) => (one as Partial<Once>).listener ?? one);
  },
  rawListeners(this: Emitter, name: Name): Listener[] {
    return [...(eventsOf(this)[name] ?? [])];
  },
  listenerCount(this: Emitter, name: Name, listener?: Listener): number {
    const all = eventsOf(this)[name] ?? [];
    if (listener === undefined) return all.length;
    return all.filter((one) => one === listener || (one as Partial<Once>).listener === listener)
      .length;
  },
  eventNames(this: Emitter): Name[] {
    return Reflect.ownKeys(eventsOf(this));
  },
};

function unhandled(error: unknown): unknown {
  if (error instanceof Error) return error;
  return Object.assign(new Error(`Unhandled error. (${inspect(error)})`), {
    code: 'ERR_UNHANDLED_ERROR',
    context: error,
  });
}

for (const [name, value] of Object.entries(methods)) {
  Object.defineProperty(EventEmitter.prototype, name, {
    value,
    writable: true,
    configurable: true,
    enumerable: true,
  });
}
Object.assign(EventEmitter, { EventEmitter, init, errorMonitor });
for (const name of ['defaultMaxListeners', 'captureRejections'] as const) {
  Object.defineProperty(EventEmitter, name, {
    get: () => settings[name],
    set(value: unknown) {
      if (typeof value !== typeof settings[name] || !((value as number) >= 0)) {
        throw invalid(`The value of "${name}" must be a ${typeof settings[name]}.`);
      }
      settings[name] = value as never;
    },
    enumerable: true,
    configurable: true,
  });
}

const Emitter = EventEmitter as unknown as typeof import('events').EventEmitter;

export { Emitter as EventEmitter };
