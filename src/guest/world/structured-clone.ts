/** `structuredClone` (HTML §2.7): a copy of data, cycles included; what is transferred moves. */
import { DOMException } from './dom-exception.ts';
import { CLONE, needArguments, TRANSFER, toDictionary, toSequence } from './webidl.ts';

/** Stands for what is transferred, and for views of it, until all of the value has been copied. */
class Later {
  readonly #make: () => unknown;
  #made: { readonly value: unknown } | undefined;
  constructor(make: () => unknown) {
    this.#make = make;
  }
  get value(): unknown {
    this.#made ??= { value: this.#make() };
    return this.#made.value;
  }
}

type Cloning = {
  readonly copies: Map<object, unknown>;
  /** Run once everything has been transferred. */
  readonly last: (() => void)[];
};

export function structuredClone<T>(
  value: T,
  options: { readonly transfer?: readonly object[] } = {},
): T {
  needArguments(arguments.length, 1, 'structuredClone');
  const { transfer = [] } = toDictionary(options, 'The options of structuredClone');
  const list = toSequence(transfer, 'What is transferred').map(checkedObject);
  const cloning: Cloning = { copies: new Map(), last: [] };
  const laters = list.map((item) => {
    if (cloning.copies.has(item)) throw cannot(item, 'transferred twice');
    if (!isBuffer(item) && !(TRANSFER in item)) throw cannot(item, 'transferred');
    const later = new Later(() => move(item));
    cloning.copies.set(item, later);
    return later;
  });
  const copy = clone(value, cloning);
  for (const item of list) if (isBuffer(item) && item.detached) throw cannot(item, 'transferred');
  for (const later of laters) void later.value;
  for (const run of cloning.last) run();
  return (copy instanceof Later ? copy.value : copy) as T;
}

function checkedObject(item: unknown): object {
  if ((typeof item === 'object' || typeof item === 'function') && item !== null) return item;
  throw new TypeError('Only objects can be transferred');
}

function move(item: object): unknown {
  return isBuffer(item) ? item.transfer() : (item as { [TRANSFER](): object })[TRANSFER]();
}

function clone(value: unknown, cloning: Cloning): unknown {
  if (typeof value !== 'object' || value === null) {
    if (typeof value === 'function' || typeof value === 'symbol') throw cannot(value);
    return value;
  }
  const known = cloning.copies.get(value);
  if (known !== undefined) return known;
  const keep = <Copy>(copy: Copy): Copy => {
    cloning.copies.set(value, copy);
    return copy;
  };

  if (Array.isArray(value)) {
    const copy = keep([] as unknown[]);
    copy.length = value.length;
    return copyProperties(value, copy, cloning);
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) {
    return copyProperties(value, keep({}), cloning);
  }
  if (CLONE in value) {
    const own = value[CLONE] as ((each: (item: unknown) => unknown) => object) | null;
    if (own === null) throw cannot(value);
    return keep(own.call(value, (item) => clone(item, cloning)));
  }
  if (ArrayBuffer.isView(value)) return keep(cloneView(value, cloning));
  if (isBuffer(value)) {
    if (value.detached) throw cannot(value);
    return keep(copyBuffer(value));
  }
  if (isError(value)) return cloneError(value, keep, cloning);
  const time = tried(getTime, value);
  if (time !== undefined) return keep(new Date(time));
  if (tried(getSource, value) !== undefined) {
    const { source, flags } = value as RegExp;
    return keep(new RegExp(source, flags));
  }
  if (tried(mapSize, value) !== undefined) {
    return cloneMap(value as Map<unknown, unknown>, keep(new Map()), cloning);
  }
  if (tried(setSize, value) !== undefined) {
    return cloneSet(value as Set<unknown>, keep(new Set()), cloning);
  }
  for (const unbox of boxes) {
    const primitive = tried(unbox, value);
    if (primitive !== undefined) return keep(Object(primitive) as object);
  }
  if (holdsMore(value)) throw cannot(value);
  return copyProperties(value, keep({}), cloning);
}

function copyProperties<Copy extends object>(from: object, to: Copy, cloning: Cloning): Copy {
  const source = from as Record<string, unknown>;
  const target = to as Record<string, unknown>;
  for (const key of Object.keys(from)) {
    // A getter before may have taken it away.
    if (!Object.hasOwn(from, key)) continue;
    const item = clone(source[key], cloning);
    // Not by assignment: `__proto__` may be a name like any other.
    if (key in target) {
      const value = { value: item, writable: true, enumerable: true, configurable: true };
      Object.defineProperty(target, key, value);
    } else {
      target[key] = item;
    }
    if (item instanceof Later) cloning.last.push(() => void (target[key] = item.value));
  }
  return to;
}

function cloneMap(
  from: Map<unknown, unknown>,
  to: Map<unknown, unknown>,
  cloning: Cloning,
): Map<unknown, unknown> {
  const items: [unknown, unknown][] = [];
  forEachOfMap.call(from, (value, key) => void items.push([key, value]));
  for (const [key, value] of items) to.set(clone(key, cloning), clone(value, cloning));
  const waits = ([key, value]: readonly unknown[]): boolean =>
    key instanceof Later || value instanceof Later;
  if (![...to].some(waits)) return to;
  cloning.last.push(() => {
    const all = [...to];
    to.clear();
    for (const [key, value] of all) to.set(now(key), now(value));
  });
  return to;
}

function cloneSet(from: Set<unknown>, to: Set<unknown>, cloning: Cloning): Set<unknown> {
  const items: unknown[] = [];
  forEachOfSet.call(from, (item) => void items.push(item));
  for (const item of items) to.add(clone(item, cloning));
  if (![...to].some((item) => item instanceof Later)) return to;
  cloning.last.push(() => {
    const all = [...to];
    to.clear();
    for (const item of all) to.add(now(item));
  });
  return to;
}

const now = (item: unknown): unknown => (item instanceof Later ? item.value : item);

function copyBuffer(buffer: ArrayBuffer): ArrayBuffer {
  if (!buffer.resizable) return buffer.slice(0);
  const { byteLength, maxByteLength } = buffer;
  const copy = new ArrayBuffer(byteLength, { maxByteLength });
  new Uint8Array(copy).set(new Uint8Array(buffer));
  return copy;
}

type ViewMaker = new (buffer: ArrayBuffer, offset: number, length?: number) => ArrayBufferView;

function cloneView(view: ArrayBufferView, cloning: Cloning): unknown {
  const { buffer: own } = view as { readonly buffer: ArrayBuffer };
  if (own.detached || isOutOfBounds(view)) throw cannot(view);
  const tag = typedArrayTag.call(view);
  const Maker = tag === undefined ? DataView : (views[tag] as unknown as ViewMaker);
  const { byteOffset } = view;
  const size = (): number => (tag === undefined ? view.byteLength : (view as Uint8Array).length);
  const length = followsItsBuffer(own, size) ? undefined : size();
  const buffer = clone(view.buffer, cloning);
  const make = (bytes: unknown): ArrayBufferView =>
    new Maker(bytes as ArrayBuffer, byteOffset, length);
  return buffer instanceof Later ? new Later(() => make(buffer.value)) : make(buffer);
}

/** A resizable buffer has become too short for it. */
function isOutOfBounds(view: ArrayBufferView): boolean {
  try {
    if (typedArrayTag.call(view) === undefined) void view.byteLength;
    else typedArrayAt.call(view as Uint8Array, 0);
    return false;
  } catch {
    return true;
  }
}

/** A view without a length of its own grows with its buffer; nothing else tells. */
function followsItsBuffer(buffer: ArrayBuffer, size: () => number): boolean {
  const { byteLength, maxByteLength, resizable } = buffer;
  if (!resizable || maxByteLength - byteLength < ELEMENT_BYTES_MAX) return false;
  const before = size();
  buffer.resize(byteLength + ELEMENT_BYTES_MAX);
  const after = size();
  buffer.resize(byteLength);
  return after !== before;
}
const ELEMENT_BYTES_MAX = 8;

const errorClasses: Readonly<Record<string, ErrorConstructor>> = {
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
};

function cloneError(error: Error, keep: <Copy>(copy: Copy) => Copy, cloning: Cloning): Error {
  const name = `${error.name}`;
  const Maker = Object.hasOwn(errorClasses, name) ? errorClasses[name] : Error;
  const message = Object.getOwnPropertyDescriptor(error, 'message');
  const copy = keep(new (Maker ?? Error)());
  const define = (key: string, value: unknown): unknown =>
    Object.defineProperty(copy, key, { value, writable: true, configurable: true });
  define('stack', `${error.stack}`);
  if (message !== undefined && 'value' in message) define('message', `${message.value as string}`);
  if (Object.hasOwn(error, 'cause')) {
    const cause = clone(error.cause, cloning);
    define('cause', cause);
    if (cause instanceof Later) cloning.last.push(() => define('cause', cause.value));
  }
  return copy;
}

/** They have what no copy could have. */
function holdsMore(value: object): boolean {
  return (
    value instanceof Promise ||
    value instanceof WeakMap ||
    value instanceof WeakSet ||
    value instanceof WeakRef ||
    value instanceof FinalizationRegistry ||
    tried(toSymbol, value) !== undefined ||
    // Generators, iterators of builtins, Intl's and Temporal's objects.
    /^\[object (?:.* Iterator|Generator|AsyncGenerator|Intl\..*|Temporal\..*)\]$/.test(
      toText.call(value),
    )
  );
}

function cannot(value: unknown, what = 'cloned'): DOMException {
  let text = '#<Object>';
  try {
    text = typeof value === 'object' ? toText.call(value) : String(value);
  } catch {
    // It has a `toString` of its own.
  }
  return new DOMException(`${text} could not be ${what}.`, 'DataCloneError');
}

// What an object is, its builtin methods know, whatever its prototype says.

function tried<Result>(method: (this: never) => Result, value: object): Result | undefined {
  try {
    return method.call(value as never);
  } catch {
    return undefined;
  }
}
const getterOf = <Result>(prototype: object, name: PropertyKey): ((this: never) => Result) =>
  Object.getOwnPropertyDescriptor(prototype, name)?.get as (this: never) => Result;

const byteLength = getterOf<number>(ArrayBuffer.prototype, 'byteLength');
const isBuffer = (value: object): value is ArrayBuffer =>
  value instanceof ArrayBuffer || tried(byteLength, value) !== undefined;
const { getTime } = Date.prototype as unknown as { getTime: (this: never) => number };
const getSource = getterOf<string>(RegExp.prototype, 'source');
const mapSize = getterOf<number>(Map.prototype, 'size');
const setSize = getterOf<number>(Set.prototype, 'size');
const forEachOfMap = Map.prototype.forEach;
const forEachOfSet = Set.prototype.forEach;
/** V8 has it; the compiler's library does not know it yet. */
const { isError } = Error as unknown as { isError(value: unknown): value is Error };
const toText = Object.prototype.toString;
const toSymbol = Symbol.prototype.valueOf as (this: never) => symbol;
const boxes = [Number, String, Boolean, BigInt].map(
  (Box) => Box.prototype.valueOf as (this: never) => unknown,
);
const typedArrayTag = getterOf<string | undefined>(
  Object.getPrototypeOf(Uint8Array.prototype) as object,
  Symbol.toStringTag,
) as (this: unknown) => string | undefined;
const typedArrayAt = (Object.getPrototypeOf(Uint8Array.prototype) as Uint8Array).at;
const views: Readonly<Record<string, unknown>> = Object.fromEntries(
  'Int8 Uint8 Uint8Clamped Int16 Uint16 Int32 Uint32 Float16 Float32 Float64 BigInt64 BigUint64'
    .split(' ')
    .map((name) => [`${name}Array`, (globalThis as Record<string, unknown>)[`${name}Array`]]),
);
