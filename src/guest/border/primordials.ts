/**
 * Builtins as they were before the module's code could change them. The border uses only these, and
 * plain loops, so that a module that patches its world (polyfills do) cannot garble its requests.
 */
export const { parse, stringify } = JSON;
export const { keys } = Object;
export const { now: wallClock } = Date;

/** A Map whose methods are its own, out of reach of `Map.prototype`. */
export function ownMap<Key, Value>(): Map<Key, Value> {
  const map = new Map<Key, Value>();
  for (const name of ['get', 'set', 'delete'] as const) {
    Object.defineProperty(map, name, { value: Map.prototype[name] });
  }
  return map;
}
