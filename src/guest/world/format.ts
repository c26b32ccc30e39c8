/** `util.format`: printf's placeholders as Node knows them, the other values behind. */
import { inspect } from './inspect.ts';

export function format(...values: readonly unknown[]): string {
  const [first, ...rest] = values;
  if (typeof first !== 'string') return values.map(plain).join(' ');
  if (rest.length === 0) return first;
  let next = 0;
  const text = first.replace(/%[sdifjoOc%]/g, (placeholder) => {
    if (placeholder === '%%') return '%';
    if (next >= rest.length) return placeholder;
    return fill(placeholder, rest[next++]);
  });
  return [text, ...rest.slice(next).map(plain)].join(' ');
}

function plain(value: unknown): string {
  return typeof value === 'string' ? value : inspect(value);
}

function fill(placeholder: string, value: unknown): string {
  switch (placeholder) {
    case '%s':
      return asString(value);
    case '%d':
      return typeof value === 'object' ? 'NaN' : asNumber(value, Number);
    case '%i':
      return typeof value === 'object' ? 'NaN' : asNumber(value, Number.parseInt);
    case '%f':
      return asNumber(value, Number.parseFloat);
    case '%j':
      return asJson(value);
    case '%o':
      return inspect(value, { depth: 4 });
    case '%O':
      return inspect(value);
    default:
      return ''; // %c: style for browsers
  }
}

/** What a class of the language prints is for `inspect`; a class of the module's own may have its say. */
const builtinTexts: readonly unknown[] = [Object, Array, Error, Date, RegExp, Map].map(
  (Class) => Class.prototype.toString,
);

function asString(value: unknown): string {
  if (typeof value === 'bigint' || typeof value === 'number') return inspect(value);
  if (typeof value !== 'object' || value === null) return String(value);
  const { toString } = value as { toString?: unknown };
  if (typeof toString !== 'function' || builtinTexts.includes(toString)) {
    return inspect(value, { depth: 0 });
  }
  return String(Reflect.apply(toString, value, []));
}

function asNumber(value: unknown, convert: (text: string) => number): string {
  if (typeof value === 'bigint') return inspect(value);
  return typeof value === 'symbol' ? 'NaN' : inspect(convert(value as string));
}

function asJson(value: unknown): string {
  try {
    return JSON.stringify(value) ?? 'undefined';
  } catch (error) {
    if (error instanceof TypeError && error.message.includes('circular')) return '[Circular]';
    throw error;
  }
}
