/** What WebIDL says of every interface and of the conversion of arguments: the same for all classes of the web. */

// oxlint-disable-next-line typescript/no-unsafe-function-type -- any class
type Interface = Function & { readonly prototype: object };

/**
 * How an object of the platform is cloned, and moved, by `structuredClone`: methods of its prototype. `CLONE` gets
 * a function that clones what is inside; null = it cannot be cloned.
 */
export const CLONE: unique symbol = Symbol.for('isolet.clone') as never;
/** Gives the object that takes its place and leaves it detached; throws a DOMException when it is already. */
export const TRANSFER: unique symbol = Symbol.for('isolet.transfer') as never;

/** Gives a class a tag, enumerable members, and constants on itself and its prototype (WebIDL §3.7). */
export function describeInterface(
  Class: Interface,
  constants: Readonly<Record<string, number>> = {},
): void {
  const { prototype, name } = Class;
  for (const holder of [Class, prototype]) {
    for (const key of Object.getOwnPropertyNames(holder)) {
      if (/^(?:constructor|length|name|prototype)$/.test(key) && isOwnOf(holder, key)) continue;
      Object.defineProperty(holder, key, { enumerable: true });
    }
    for (const [key, value] of Object.entries(constants)) {
      Object.defineProperty(holder, key, { value, enumerable: true });
    }
  }
  Object.defineProperty(prototype, Symbol.toStringTag, { value: name, configurable: true });
  if (!(CLONE in prototype)) Object.defineProperty(prototype, CLONE, { value: null });
}

/** Those every class has: `name` and `length` of a class, `constructor` of a prototype. */
function isOwnOf(holder: object, key: string): boolean {
  return (typeof holder === 'function') === (key !== 'constructor');
}

/** `count` is the caller's `arguments.length`; `what` names the operation in the TypeError. */
export function needArguments(count: number, needed: number, what: string): void {
  if (count >= needed) return;
  throw new TypeError(
    `${what} needs ${needed} argument${needed === 1 ? '' : 's'}, and there ${count === 1 ? 'is' : 'are'} ${count}`,
  );
}

/** A dictionary: absent, or any object. */
export function toDictionary(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (value === undefined || value === null) return {};
  if (typeof value !== 'object' && typeof value !== 'function') {
    throw new TypeError(`${what} must be an object`);
  }
  return value as Record<string, unknown>;
}

/** ECMAScript's ToNumber: a BigInt is a TypeError. */
export function toNumber(value: unknown): number {
  return +(value as number);
}

/** `[EnforceRange] unsigned long long`. */
export function toCount(value: unknown, what: string): number {
  const number = Math.trunc(toNumber(value));
  if (number >= 0 && number <= Number.MAX_SAFE_INTEGER) return number + 0;
  throw new TypeError(`${what} must be a whole number from 0 to 2^53 - 1`);
}

/** `unsigned long`: modulo 2^32. */
export function toUnsignedLong(value: unknown): number {
  return toNumber(value) >>> 0;
}

/** `USVString`: lone surrogates become U+FFFD. */
export function toUsv(value: unknown): string {
  return `${value as string}`.toWellFormed();
}

/** `sequence<any>`. */
export function toSequence(value: unknown, what: string): unknown[] {
  const each =
    typeof value === 'object' || typeof value === 'function'
      ? (value as { [Symbol.iterator]?: unknown } | null)?.[Symbol.iterator]
      : undefined;
  if (typeof each !== 'function') throw new TypeError(`${what} must be a sequence`);
  return [...(value as Iterable<unknown>)];
}
