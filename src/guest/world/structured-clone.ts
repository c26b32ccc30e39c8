/** `structuredClone` for plain data: what JSON has, and Map, Set, Date, RegExp, Error, bytes and cycles. */

export function structuredClone<T>(
  value: T,
  options: { readonly transfer?: readonly ArrayBuffer[] } = {},
): T {
  const copies = new Map<object, unknown>();
  // A transferred buffer moves: the original is empty afterwards.
  for (const buffer of options.transfer ?? []) copies.set(buffer, buffer.transfer());
  return clone(value, copies) as T;
}

function clone(value: unknown, copies: Map<object, unknown>): unknown {
  if (typeof value === 'function' || typeof value === 'symbol') throw cannotClone(value);
  if (typeof value !== 'object' || value === null) return value;
  if (copies.has(value)) return copies.get(value);
  const keep = <Copy>(copy: Copy): Copy => {
    copies.set(value, copy);
    return copy;
  };
  const each = (item: unknown): unknown => clone(item, copies);

  if (Array.isArray(value)) {
    const copy: unknown[] = keep([]);
    copy.length = value.length;
    for (const key of Object.keys(value)) copy[key as never] = each(value[key as never]) as never;
    return copy;
  }
  if (value instanceof Date) return keep(new Date(value.getTime()));
  if (value instanceof RegExp) return keep(new RegExp(value.source, value.flags));
  if (value instanceof Number || value instanceof Boolean || value instanceof String) {
    return keep(Object(value.valueOf()));
  }
  if (value instanceof Map) {
    const copy = keep(new Map<unknown, unknown>());
    for (const [key, item] of value) copy.set(each(key), each(item));
    return copy;
  }
  if (value instanceof Set) {
    const copy = keep(new Set<unknown>());
    for (const item of value) copy.add(each(item));
    return copy;
  }
  if (value instanceof ArrayBuffer) return keep(value.slice(0));
  if (ArrayBuffer.isView(value)) return keep(cloneView(value, each(value.buffer) as ArrayBuffer));
  if (value instanceof Error) return keep(cloneError(value, each));
  if (value instanceof Promise || value instanceof WeakMap || value instanceof WeakSet) {
    throw cannotClone(value);
  }
  const copy: Record<string, unknown> = keep({});
  for (const key of Object.keys(value)) {
    const item = each((value as Record<string, unknown>)[key]);
    // Not by assignment: `__proto__` may be a name like any other.
    Object.defineProperty(copy, key, {
      value: item,
      writable: true,
      enumerable: true,
      configurable: true,
    });
  }
  return copy;
}

type ViewMaker = new (buffer: ArrayBuffer, offset: number, length: number) => ArrayBufferView;

function cloneView(view: ArrayBufferView, buffer: ArrayBuffer): ArrayBufferView {
  if (view instanceof DataView) return new DataView(buffer, view.byteOffset, view.byteLength);
  const tag = (view as Uint8Array)[Symbol.toStringTag] as 'Uint8Array';
  const Maker = globalThis[tag] as unknown as ViewMaker;
  return new Maker(buffer, view.byteOffset, (view as Uint8Array).length);
}

const errorClasses = { EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError };

function cloneError(error: Error, each: (item: unknown) => unknown): Error {
  const Maker = Object.hasOwn(errorClasses, error.name)
    ? errorClasses[error.name as keyof typeof errorClasses]
    : Error;
  const copy = new Maker(error.message);
  Object.defineProperty(copy, 'stack', {
    value: error.stack,
    writable: true,
    configurable: true,
  });
  if (error.cause !== undefined) copy.cause = each(error.cause);
  return copy;
}

function cannotClone(value: unknown): Error {
  const error = new Error(`${String(value)} could not be cloned.`);
  error.name = 'DataCloneError';
  return Object.assign(error, { code: 25 });
}
