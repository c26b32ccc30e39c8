/** Stands in for `node:util`: what modules use of it. */
import { format } from '../world/format.ts';
import { inspectCustom, inspect as inspectValue } from '../world/inspect.ts';
import { promisifyCustom } from '../world/timers.ts';

export { format } from '../world/format.ts';

export const inspect = Object.assign(inspectValue, { custom: inspectCustom });
const Decoder = TextDecoder;
const Encoder = TextEncoder;

export { Decoder as TextDecoder, Encoder as TextEncoder };

type AnyFunction = (...args: never[]) => unknown;

/** A function with the callback last as one that returns a promise. */
function promisifyFunction(original: AnyFunction): AnyFunction {
  if (typeof original !== 'function') {
    throw Object.assign(new TypeError('The "original" argument must be of type function'), {
      code: 'ERR_INVALID_ARG_TYPE',
    });
  }
  const own = (original as { [promisifyCustom]?: AnyFunction })[promisifyCustom];
  if (own !== undefined) return own;
  return function promisified(this: unknown, ...args: unknown[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const done = (error: unknown, value: unknown): void =>
        error ? reject(error) : resolve(value);
      Reflect.apply(original, this, [...args, done]);
    });
  };
}
export const promisify = Object.assign(promisifyFunction, { custom: promisifyCustom });

/** The other way round. What the callback throws is an uncaught error, not a rejection. */
export function callbackify(original: (...args: never[]) => PromiseLike<unknown>): AnyFunction {
  return function callbackified(this: unknown, ...args: unknown[]): void {
    const done = args.pop() as (error: unknown, value?: unknown) => void;
    const result = Reflect.apply(original, this, args) as PromiseLike<unknown>;
    result.then(
      (value) => queueMicrotask(() => done(null, value)),
      (error: unknown) =>
        queueMicrotask(() => done(error ?? new Error('Rejected without a reason'))),
    );
  };
}

export function inherits(
  child: { prototype: object; super_?: unknown },
  parent: { readonly prototype: object },
): void {
  child.super_ = parent;
  Object.setPrototypeOf(child.prototype, parent.prototype);
}

export function deprecate<Deprecated extends AnyFunction>(
  original: Deprecated,
  message: string,
): Deprecated {
  let warned = false;
  const deprecated = function (this: unknown, ...args: never[]): unknown {
    if (!warned) process.emitWarning(`DeprecationWarning: ${message}`);
    warned = true;
    return Reflect.apply(original, this, args);
  };
  return deprecated as Deprecated;
}

/** For plain data, dates, bytes, maps and sets of plain keys. */
export function isDeepStrictEqual(one: unknown, other: unknown): boolean {
  if (Object.is(one, other)) return true;
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) {
    return false;
  }
  if (Object.getPrototypeOf(one) !== Object.getPrototypeOf(other)) return false;
  if (one instanceof Date) return one.getTime() === (other as Date).getTime();
  if (one instanceof RegExp) return String(one) === String(other as RegExp);
  if (one instanceof Set) {
    const set = other as Set<unknown>;
    return one.size === set.size && [...one].every((item) => set.has(item));
  }
  if (one instanceof Map) {
    const map = other as Map<unknown, unknown>;
    return (
      one.size === map.size &&
      [...one].every(([key, item]) => map.has(key) && isDeepStrictEqual(item, map.get(key)))
    );
  }
  if (one instanceof Error && one.message !== (other as Error).message) return false;
  const keys = Object.keys(one);
  return (
    keys.length === Object.keys(other).length &&
    keys.every(
      (key) =>
        Object.hasOwn(other, key) && isDeepStrictEqual(one[key as never], other[key as never]),
    )
  );
}

export const types = {
  isArrayBuffer: (value: unknown): boolean => value instanceof ArrayBuffer,
  isAsyncFunction: (value: unknown): boolean => tagOf(value) === 'AsyncFunction',
  isDate: (value: unknown): boolean => value instanceof Date,
  isGeneratorFunction: (value: unknown): boolean => tagOf(value) === 'GeneratorFunction',
  isMap: (value: unknown): boolean => value instanceof Map,
  isNativeError: (value: unknown): boolean => value instanceof Error,
  isPromise: (value: unknown): boolean => value instanceof Promise,
  isRegExp: (value: unknown): boolean => value instanceof RegExp,
  isSet: (value: unknown): boolean => value instanceof Set,
  isTypedArray: (value: unknown): boolean =>
    ArrayBuffer.isView(value) && !(value instanceof DataView),
  isUint8Array: (value: unknown): boolean => value instanceof Uint8Array,
};

export const isArray = Array.isArray;

function tagOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}

// oxlint-disable-next-line import/no-default-export -- modules write `import util from`
export default {
  callbackify,
  deprecate,
  format,
  inherits,
  inspect,
  isArray,
  isDeepStrictEqual,
  promisify,
  TextDecoder: Decoder,
  TextEncoder: Encoder,
  types,
};
