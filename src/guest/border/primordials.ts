/**
 * Builtins as they were before the module's code could change them. The border uses only these, and
 * plain loops, so that a module that patches its world (polyfills do) cannot garble its requests.
 */
export const { parse, stringify } = JSON;
export const { keys } = Object;
/** Wall clock in whole ms since 1970. */
export const wallClock = Date.now;

/** As far as it is used here; the compiler does not know it yet. */
declare const Temporal: {
  readonly Now: { instant(): unknown };
  readonly Instant: { readonly prototype: object };
};

/**
 * Wall clock in ms since 1970 with its fractions: `Date.now()` has whole ones only, and this costs
 * 0.7 µs. V8 makes Temporal when it is first named, which takes 1.5 ms: not before somebody needs it.
 */
export function createPreciseClock(): () => number {
  const { instant } = Temporal.Now;
  const nanoseconds = Object.getOwnPropertyDescriptor(
    Temporal.Instant.prototype,
    'epochNanoseconds',
  )?.get as () => bigint;
  const { apply } = Reflect;
  const toNumber = Number;
  return () => toNumber(apply(nanoseconds, instant(), [])) / 1e6;
}

/** A Map whose methods are its own, out of reach of `Map.prototype`. */
export function ownMap<Key, Value>(): Map<Key, Value> {
  const map = new Map<Key, Value>();
  for (const name of ['get', 'set', 'delete'] as const) {
    Object.defineProperty(map, name, { value: Map.prototype[name] });
  }
  return map;
}
