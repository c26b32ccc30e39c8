/** Whether two values are the same all the way down, as `assert` and `util` ask. */

type Pairs = readonly (readonly [unknown, unknown])[];
type Rules = {
  /** Prototypes and types count: `===` instead of `==`. */
  readonly strict: boolean;
  /** `one` may have more than `other`. */
  readonly partial?: boolean;
};

export function isDeepEqual(one: unknown, other: unknown, rules: Rules): boolean {
  return same(one, other, rules, []);
}

function same(one: unknown, other: unknown, rules: Rules, above: Pairs): boolean {
  if (Object.is(one, other)) return true;
  const bothObjects =
    typeof one === 'object' && typeof other === 'object' && one !== null && other !== null;
  if (!bothObjects) {
    if (rules.strict) return false;
    // oxlint-disable-next-line eqeqeq -- what the loose comparison is
    return one == other || (Number.isNaN(one) && Number.isNaN(other));
  }
  if (above.some(([a, b]) => a === one && b === other)) return true;
  return sameObjects(one, other, rules, [...above, [one, other]]);
}

function sameObjects(one: object, other: object, rules: Rules, above: Pairs): boolean {
  if (rules.strict && Object.getPrototypeOf(one) !== Object.getPrototypeOf(other)) return false;
  const tag = tagOf(one);
  if (tag !== tagOf(other)) return false;
  if (Array.isArray(one) !== Array.isArray(other)) return false;
  if (Array.isArray(one) && !rules.partial && one.length !== (other as unknown[]).length) {
    return false;
  }
  if (Array.isArray(one) && rules.partial === true) {
    return isSubsequence(one, other as unknown[], rules, above);
  }
  if (!sameWithin(one, other, tag, rules, above)) return false;
  return sameProperties(one, other, rules, above);
}

/** What is not in the properties. */
function sameWithin(one: object, other: object, tag: string, rules: Rules, above: Pairs): boolean {
  if (one instanceof Date) return Object.is(one.getTime(), (other as Date).getTime());
  if (one instanceof RegExp) {
    const expression = other as RegExp;
    return String(one) === String(expression) && one.lastIndex === expression.lastIndex;
  }
  if (one instanceof Error) {
    const error = other as Error;
    return (
      one.message === error.message &&
      one.name === error.name &&
      same(one.cause, error.cause, rules, above) &&
      same((one as AggregateError).errors, (error as AggregateError).errors, rules, above)
    );
  }
  if (one instanceof Set) return sameSets(one, other as Set<unknown>, rules, above);
  if (one instanceof Map) return sameMaps(one, other as Map<unknown, unknown>, rules, above);
  if (one instanceof ArrayBuffer) {
    return sameBytes(new Uint8Array(one), new Uint8Array(other as ArrayBuffer));
  }
  if (one instanceof DataView) return sameBytes(bytesOf(one), bytesOf(other as DataView));
  if (ArrayBuffer.isView(one)) {
    const list = one as unknown as ArrayLike<unknown>;
    const others = other as unknown as ArrayLike<unknown>;
    return (
      list.length === others.length &&
      Array.from(list).every((item, index) =>
        rules.strict ? Object.is(item, others[index]) : item === others[index],
      )
    );
  }
  if (['Number', 'String', 'Boolean', 'BigInt', 'Symbol'].includes(tag)) {
    return Object.is((one as { valueOf(): unknown }).valueOf(), other.valueOf());
  }
  // Nobody can look into these.
  return !(one instanceof WeakMap || one instanceof WeakSet || one instanceof Promise);
}

function sameProperties(one: object, other: object, rules: Rules, above: Pairs): boolean {
  const keys = keysOf(one, rules);
  const others = keysOf(other, rules);
  if (!rules.partial && keys.length !== others.length) return false;
  return others.every(
    (key) =>
      Object.prototype.propertyIsEnumerable.call(one, key) &&
      same(one[key as never], other[key as never], rules, above),
  );
}

function keysOf(value: object, { strict }: Rules): PropertyKey[] {
  const isList = ArrayBuffer.isView(value);
  const names = isList
    ? Object.keys(value).filter((name) => !/^\d+$/.test(name))
    : Object.keys(value);
  if (!strict) return names;
  const symbols = Object.getOwnPropertySymbols(value).filter((symbol) =>
    Object.prototype.propertyIsEnumerable.call(value, symbol),
  );
  return [...names, ...symbols];
}

/** In any order: each of the one is for one of the other. */
function sameSets(one: Set<unknown>, other: Set<unknown>, rules: Rules, above: Pairs): boolean {
  if (rules.partial ? one.size < other.size : one.size !== other.size) return false;
  const left = new Set(one);
  for (const item of other) {
    if (left.delete(item)) continue;
    const match = [...left].find((each) => same(each, item, rules, above));
    if (match === undefined && !left.has(undefined)) return false;
    left.delete(match);
  }
  return true;
}

function sameMaps(
  one: Map<unknown, unknown>,
  other: Map<unknown, unknown>,
  rules: Rules,
  above: Pairs,
): boolean {
  if (rules.partial ? one.size < other.size : one.size !== other.size) return false;
  const left = new Map(one);
  for (const [key, item] of other) {
    if (left.has(key) && same(left.get(key), item, rules, above)) {
      left.delete(key);
      continue;
    }
    const match = [...left].find(
      ([eachKey, each]) => same(eachKey, key, rules, above) && same(each, item, rules, above),
    );
    if (match === undefined) return false;
    left.delete(match[0]);
  }
  return true;
}

/** Each of `others` comes in `list`, in this order. */
function isSubsequence(
  list: readonly unknown[],
  others: readonly unknown[],
  rules: Rules,
  above: Pairs,
): boolean {
  let at = 0;
  for (const item of list) if (at < others.length && same(item, others[at], rules, above)) at++;
  return at === others.length;
}

function bytesOf(view: ArrayBufferView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, index) => byte === other[index]);
}

function tagOf(value: object): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}
