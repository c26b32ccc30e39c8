/** Event handler attributes (HTML §8.1.8.1): `target.onabort = run`. */
import type { Event } from './event.ts';
import { EventTarget } from './event-target.ts';

type Handler = { value: object | null };

const { addEventListener } = EventTarget.prototype;
const ofTarget = new WeakMap<object, Map<string, Handler>>();

/**
 * Defines `on<type>` for each of the types on a prototype, or on the global object. `check` throws when
 * `this` is no instance. Whatever is no object counts as null, and `return false` cancels the event.
 */
export function defineHandlers(
  holder: object,
  types: readonly string[],
  check: (target: object) => void = () => {},
): void {
  for (const type of types) {
    const name = `on${type}`;
    const accessors = {
      get [name](): object | null {
        const target = (this as object | undefined) ?? globalThis;
        check(target);
        return ofTarget.get(target)?.get(type)?.value ?? null;
      },
      set [name](value: unknown) {
        const target = (this as object | undefined) ?? globalThis;
        check(target);
        setHandler(target, type, value);
      },
    };
    Object.defineProperty(holder, name, {
      ...Object.getOwnPropertyDescriptor(accessors, name),
      enumerable: true,
      configurable: true,
    });
  }
}

function setHandler(target: object, type: string, value: unknown): void {
  const isTaker = typeof value === 'function' || (typeof value === 'object' && value !== null);
  let handlers = ofTarget.get(target);
  const handler = handlers?.get(type);
  // It keeps its place among the listeners while it is replaced, and loses it with null.
  if (handler !== undefined && isTaker && handler.value !== null) {
    handler.value = value;
    return;
  }
  if (handler !== undefined) {
    handler.value = null;
    handlers?.delete(type);
  }
  if (!isTaker) return;
  if (handlers === undefined) {
    handlers = new Map();
    ofTarget.set(target, handlers);
  }
  const added: Handler = { value };
  handlers.set(type, added);
  addEventListener.call(target, type, (event: Event) => run(added, target, event));
}

/** The `onerror` of the global object gets an error's parts, and its `return true` is what cancels. */
function run(handler: Handler, target: object, event: Event): void {
  const { value } = handler;
  if (typeof value !== 'function') return;
  const ofGlobal = target === globalThis && event.type === 'error' && 'lineno' in event;
  const parts = event as unknown as Readonly<Record<string, unknown>>;
  const args = ofGlobal
    ? [parts['message'], parts['filename'], parts['lineno'], parts['colno'], parts['error']]
    : [event];
  const answer: unknown = Reflect.apply(value as () => unknown, target, args);
  if (answer === ofGlobal) event.preventDefault();
}
