/** Stands in for `node:util`. */
import { format } from '../world/format.ts';
import { type InspectOptions, inspectCustom, inspect as inspectValue } from '../world/inspect.ts';
import { promisifyCustom } from '../world/timers.ts';
import { isDeepEqual } from './deep-equal.ts';
import {
  checkFunction,
  checkString,
  invalidType,
  invalidValue,
  type Signal,
  whenAborted,
  withCode,
} from './node-errors.ts';
import { parseArgs } from './parse-args.ts';
import types from './util-types.ts';

export { format } from '../world/format.ts';
export { parseArgs } from './parse-args.ts';
export { default as types } from './util-types.ts';

const Decoder = TextDecoder;
const Encoder = TextEncoder;

export { Decoder as TextDecoder, Encoder as TextEncoder };

/** Codes of terminals, as `styleText` and `inspect.colors` name them. */
const colors: Readonly<Record<string, readonly [number, number]>> = {
  reset: [0, 0],
  bold: [1, 22],
  dim: [2, 22],
  italic: [3, 23],
  underline: [4, 24],
  blink: [5, 25],
  inverse: [7, 27],
  hidden: [8, 28],
  strikethrough: [9, 29],
  black: [30, 39],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  blue: [34, 39],
  magenta: [35, 39],
  cyan: [36, 39],
  white: [37, 39],
  gray: [90, 39],
  grey: [90, 39],
  redBright: [91, 39],
  greenBright: [92, 39],
  yellowBright: [93, 39],
  blueBright: [94, 39],
  magentaBright: [95, 39],
  cyanBright: [96, 39],
  whiteBright: [97, 39],
  bgBlack: [40, 49],
  bgRed: [41, 49],
  bgGreen: [42, 49],
  bgYellow: [43, 49],
  bgBlue: [44, 49],
  bgMagenta: [45, 49],
  bgCyan: [46, 49],
  bgWhite: [47, 49],
};

export const inspect = Object.assign(inspectValue, {
  custom: inspectCustom,
  colors,
  styles: {},
  defaultOptions: {} as InspectOptions,
});

type AnyFunction = (...args: never[]) => unknown;

/** A function with the callback last as one that returns a promise. */
function promisifyFunction(original: AnyFunction): AnyFunction {
  checkFunction('original', original);
  const own = (original as { [promisifyCustom]?: AnyFunction })[promisifyCustom];
  if (own !== undefined) {
    checkFunction('util.promisify.custom', own);
    return own;
  }
  const promisifiedFunction = function (this: unknown, ...args: unknown[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const done = (error: unknown, value: unknown): void =>
        error ? reject(error) : resolve(value);
      Reflect.apply(original, this, [...args, done]);
    });
  };
  return likeOriginal(promisifiedFunction, original);
}

/** With its prototype and its properties, as Node copies them. */
function likeOriginal<Made extends AnyFunction>(made: Made, original: AnyFunction): Made {
  Object.setPrototypeOf(made, Object.getPrototypeOf(original) as object | null);
  return Object.defineProperties(made, Object.getOwnPropertyDescriptors(original)) as Made;
}
export const promisify = Object.assign(promisifyFunction, { custom: promisifyCustom });

/** The other way round. What the callback throws is an uncaught error, not a rejection. */
export function callbackify(original: (...args: never[]) => PromiseLike<unknown>): AnyFunction {
  checkFunction('original', original);
  const callbackified = function (this: unknown, ...args: unknown[]): void {
    const done = args.pop() as (error: unknown, value?: unknown) => void;
    checkFunction('last argument', done);
    const result = Reflect.apply(original, this, args) as PromiseLike<unknown>;
    result.then(
      (value) => process.nextTick(() => done(null, value)),
      (reason: unknown) => process.nextTick(() => done(reason || falsy(reason))),
    );
  };
  Object.defineProperty(callbackified, 'name', { value: `${original.name}Callbackified` });
  return callbackified;
}

function falsy(reason: unknown): Error {
  const error = new Error('Promise was rejected with falsy value');
  return Object.assign(withCode(error, 'ERR_FALSY_VALUE_REJECTION'), { reason });
}

export function inherits(
  child: { prototype: object; super_?: unknown },
  parent: { readonly prototype: object },
): void {
  checkFunction('ctor', child);
  if (parent?.prototype === undefined) {
    throw invalidType('"superCtor.prototype" property', 'of type object', parent?.prototype);
  }
  Object.defineProperty(child, 'super_', { value: parent, writable: true, configurable: true });
  Object.setPrototypeOf(child.prototype, parent.prototype);
}

const warnedCodes = new Set<string>();

export function deprecate<Deprecated extends AnyFunction>(
  original: Deprecated,
  message: string,
  code?: string,
): Deprecated {
  let warned = false;
  const deprecated = function (this: unknown, ...args: never[]): unknown {
    if (!warned && !(code !== undefined && warnedCodes.has(code))) {
      if (code !== undefined) warnedCodes.add(code);
      const name = 'DeprecationWarning';
      const more = code === undefined ? {} : { code };
      process.emitWarning(Object.assign(new Error(message), { name, ...more }));
    }
    warned = true;
    return new.target === undefined
      ? Reflect.apply(original, this, args)
      : (Reflect.construct(original, args, new.target) as unknown);
  };
  return likeOriginal(deprecated, original) as unknown as Deprecated;
}

export function isDeepStrictEqual(one: unknown, other: unknown): boolean {
  return isDeepEqual(one, other, { strict: true });
}

/** With options for what is shown by `inspect`. */
export function formatWithOptions(options: InspectOptions, ...values: readonly unknown[]): string {
  const shown = values.map((value, index) =>
    typeof value === 'object' && value !== null && (index > 0 || typeof values[0] !== 'string')
      ? { [inspectCustom]: () => inspectValue(value, options) }
      : value,
  );
  return format(...shown);
}

/** Escape sequences of terminals: colours, movements, links. */
const CONTROL =
  // oxlint-disable-next-line no-control-regex -- these are what is looked for
  /[\u001b\u009b](?:\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[[\]()#;?]*(?:\d{1,4}(?:;\d{0,4})*)?[\dA-PR-TZcf-nq-uy=><~])/g;

export function stripVTControlCharacters(text: string): string {
  checkString('str', text);
  return text.replace(CONTROL, '');
}

/** A module's log is no terminal: without `validateStream: false` the text comes back as it is. */
export function styleText(
  style: string | readonly string[],
  text: string,
  options: { readonly validateStream?: boolean } = {},
): string {
  checkString('text', text);
  const styles = typeof style === 'string' ? [style] : style;
  for (const name of styles) {
    if (name !== 'none' && !Object.hasOwn(colors, name)) {
      throw invalidValue('format', name, `must be one of: ${Object.keys(colors).join(', ')}`);
    }
  }
  if (options.validateStream !== false) return text;
  return styles
    .filter((name) => name !== 'none')
    .reduceRight((inner, name) => {
      const [on, off] = colors[name] as readonly [number, number];
      return `\u001b[${on}m${inner}\u001b[${off}m`;
    }, text);
}

type DebugLog = ((...values: unknown[]) => void) & { readonly enabled: boolean };

/** Lines for who asks by `NODE_DEBUG=name,other*`. */
export function debuglog(name: string): DebugLog {
  const wanted = (process.env['NODE_DEBUG'] ?? '').split(/[\s,]+/).filter(Boolean);
  const enabled = wanted.some((one) =>
    new RegExp(`^${one.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')}$`, 'i').test(
      name,
    ),
  );
  const log = (...values: unknown[]): void => {
    if (enabled) console.error(`${name.toUpperCase()} ${process.pid}: ${format(...values)}`);
  };
  return Object.assign(log, { enabled });
}
export { debuglog as debug };

export function toUSVString(text: unknown): string {
  return String(text).toWellFormed();
}

/** Resolves when the signal aborts. `resource` is only held. */
export function aborted(signal: Signal, resource: object): Promise<void> {
  if (signal?.aborted === undefined) throw invalidType('signal', 'an AbortSignal', signal);
  if (typeof resource !== 'object' || resource === null) {
    throw invalidType('resource', 'an object', resource);
  }
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else whenAborted(signal, resolve);
  });
}

/** The text of a `.env` file as an object. */
export function parseEnv(text: string): Record<string, string> {
  checkString('content', text);
  const found = Object.create(null) as Record<string, string>;
  const line =
    /^[ \t]*(?:export[ \t]+)?([\w.-]+)[ \t]*=[ \t]*(?:"((?:\\.|[^"\\])*)"|'([^']*)'|`([^`]*)`|([^\n#]*))/gm;
  for (const [, name, double, single, back, plain] of text
    .replaceAll('\r\n', '\n')
    .matchAll(line)) {
    found[name as string] =
      double?.replaceAll('\\n', '\n') ?? single ?? back ?? (plain ?? '').trim();
  }
  return found;
}

export const { isArray } = Array;
export const _extend = Object.assign;

// oxlint-disable-next-line import/no-default-export -- modules write `import util from`
export default {
  _extend,
  aborted,
  callbackify,
  debug: debuglog,
  debuglog,
  deprecate,
  format,
  formatWithOptions,
  inherits,
  inspect,
  isArray,
  isDeepStrictEqual,
  parseArgs,
  parseEnv,
  promisify,
  stripVTControlCharacters,
  styleText,
  TextDecoder: Decoder,
  TextEncoder: Encoder,
  toUSVString,
  types,
};
