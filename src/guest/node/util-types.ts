/** Stands in for `node:util/types`. By tags and brands, so that subclasses and other realms count. */

const tagOf = (value: unknown): string => Object.prototype.toString.call(value).slice(8, -1);
const arrayTag = Object.getOwnPropertyDescriptor(
  Object.getPrototypeOf(Uint8Array.prototype) as object,
  Symbol.toStringTag,
)?.get as () => string | undefined;
const arrayKind = (value: unknown): string | undefined =>
  Reflect.apply(arrayTag, value, []) as string | undefined;

/** Whether `method`, a getter or a function that needs its own kind, takes the value. */
function takes(method: unknown, value: unknown, ...args: readonly unknown[]): boolean {
  try {
    Reflect.apply(method as () => unknown, value, args);
    return true;
  } catch {
    return false;
  }
}
const getter = (prototype: object, name: PropertyKey): unknown =>
  Object.getOwnPropertyDescriptor(prototype, name)?.get;
const is =
  (method: unknown, ...args: readonly unknown[]) =>
  (value: unknown): boolean =>
    takes(method, value, ...args);
const isArray =
  (name: string) =>
  (value: unknown): boolean =>
    arrayKind(value) === name;
const isTagged =
  (...tags: readonly string[]) =>
  (value: unknown): boolean =>
    typeof value === 'function' && tags.includes(tagOf(value));
const isIterator =
  (name: string) =>
  (value: unknown): boolean =>
    typeof value === 'object' && value !== null && tagOf(value) === `${name} Iterator`;
const noSymbol = Symbol('none');

/* oxlint-disable typescript/unbound-method -- called with the value in question */
export const isAnyArrayBuffer = (value: unknown): boolean =>
  isArrayBuffer(value) || isSharedArrayBuffer(value);
export const isArrayBuffer = is(getter(ArrayBuffer.prototype, 'byteLength'));
export const isSharedArrayBuffer = (value: unknown): boolean =>
  typeof SharedArrayBuffer !== 'undefined' &&
  takes(getter(SharedArrayBuffer.prototype, 'byteLength'), value);
export const isArrayBufferView = (value: unknown): boolean => ArrayBuffer.isView(value);
export const isTypedArray = (value: unknown): boolean => arrayKind(value) !== undefined;
export const isUint8Array = isArray('Uint8Array');
export const isUint8ClampedArray = isArray('Uint8ClampedArray');
export const isUint16Array = isArray('Uint16Array');
export const isUint32Array = isArray('Uint32Array');
export const isInt8Array = isArray('Int8Array');
export const isInt16Array = isArray('Int16Array');
export const isInt32Array = isArray('Int32Array');
export const isFloat16Array = isArray('Float16Array');
export const isFloat32Array = isArray('Float32Array');
export const isFloat64Array = isArray('Float64Array');
export const isBigInt64Array = isArray('BigInt64Array');
export const isBigUint64Array = isArray('BigUint64Array');
export const isDataView = is(getter(DataView.prototype, 'byteLength'));
export const isDate = is(Date.prototype.getTime);
export const isRegExp = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== RegExp.prototype &&
  takes(getter(RegExp.prototype, 'flags'), value) &&
  tagOf(value) === 'RegExp';
export const isMap = is(getter(Map.prototype, 'size'));
export const isSet = is(getter(Set.prototype, 'size'));
export const isWeakMap = is(WeakMap.prototype.has, noSymbol);
export const isWeakSet = is(WeakSet.prototype.has, noSymbol);
export const isMapIterator = isIterator('Map');
export const isSetIterator = isIterator('Set');
export const isPromise = (value: unknown): boolean => value instanceof Promise;
export const isNativeError = (value: unknown): boolean =>
  (Error as unknown as { isError?(value: unknown): boolean }).isError?.(value) ??
  value instanceof Error;
export const isAsyncFunction = isTagged('AsyncFunction', 'AsyncGeneratorFunction');
export const isGeneratorFunction = isTagged('GeneratorFunction', 'AsyncGeneratorFunction');
export const isGeneratorObject = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && /^(Async)?Generator$/.test(tagOf(value));
export const isNumberObject = isBoxed(Number.prototype.valueOf);
export const isStringObject = isBoxed(String.prototype.valueOf);
export const isBooleanObject = isBoxed(Boolean.prototype.valueOf);
export const isBigIntObject = isBoxed(BigInt.prototype.valueOf);
export const isSymbolObject = isBoxed(Symbol.prototype.valueOf);
/* oxlint-enable typescript/unbound-method */
export const isBoxedPrimitive = (value: unknown): boolean =>
  [isNumberObject, isStringObject, isBooleanObject, isBigIntObject, isSymbolObject].some((one) =>
    one(value),
  );
export const isArgumentsObject = (value: unknown): boolean =>
  typeof value === 'object' && tagOf(value) === 'Arguments';
export const isModuleNamespaceObject = (value: unknown): boolean =>
  typeof value === 'object' && tagOf(value) === 'Module';
/** Nothing of these can be seen from here. */
export const isProxy = (): boolean => false;
export const isExternal = (): boolean => false;

function isBoxed(valueOf: unknown): (value: unknown) => boolean {
  return (value) => typeof value === 'object' && takes(valueOf, value);
}

// oxlint-disable-next-line import/no-default-export -- modules write `import types from`
export default {
  isAnyArrayBuffer,
  isArgumentsObject,
  isArrayBuffer,
  isArrayBufferView,
  isAsyncFunction,
  isBigInt64Array,
  isBigIntObject,
  isBigUint64Array,
  isBooleanObject,
  isBoxedPrimitive,
  isDataView,
  isDate,
  isExternal,
  isFloat16Array,
  isFloat32Array,
  isFloat64Array,
  isGeneratorFunction,
  isGeneratorObject,
  isInt16Array,
  isInt32Array,
  isInt8Array,
  isMap,
  isMapIterator,
  isModuleNamespaceObject,
  isNativeError,
  isNumberObject,
  isPromise,
  isProxy,
  isRegExp,
  isSet,
  isSetIterator,
  isSharedArrayBuffer,
  isStringObject,
  isSymbolObject,
  isTypedArray,
  isUint16Array,
  isUint32Array,
  isUint8Array,
  isUint8ClampedArray,
  isWeakMap,
  isWeakSet,
};
