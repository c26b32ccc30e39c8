/** Stands in for `node:querystring`. */

type Value = string | number | bigint | boolean;
type Pairs = Readonly<Record<string, unknown>>;

function escapeText(text: unknown): string {
  const whole = typeof text === 'string' ? text : String(text);
  try {
    return encodeURIComponent(whole);
  } catch {
    throw Object.assign(new URIError('URI malformed'), { code: 'ERR_INVALID_URI' });
  }
}

/** Bytes of a text with `%xx`; what is no escape stays. */
export function unescapeBuffer(text: string, decodeSpaces = false): Buffer {
  const spaced = decodeSpaces ? text.replaceAll('+', ' ') : text;
  const bytes: number[] = [];
  const all = Buffer.from(spaced);
  for (let i = 0; i < all.length; i++) {
    const hex = all[i] === 0x25 ? String.fromCharCode(all[i + 1] ?? 0, all[i + 2] ?? 0) : '';
    if (/^[\da-f]{2}$/i.test(hex)) {
      bytes.push(Number.parseInt(hex, 16));
      i += 2;
    } else {
      bytes.push(all[i] as number);
    }
  }
  return Buffer.from(bytes);
}

function unescapeText(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return unescapeBuffer(text).toString();
  }
}

export { escapeText as escape, unescapeText as unescape };

function primitive(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return value;
    case 'number':
      return Number.isFinite(value) ? `${value}` : '';
    case 'bigint':
    case 'boolean':
      return `${value as Value}`;
    default:
      return '';
  }
}

type StringifyOptions = { readonly encodeURIComponent?: (text: string) => string };

export function stringify(
  pairs: Pairs,
  separator = '&',
  equals = '=',
  options: StringifyOptions = {},
): string {
  const encode = options.encodeURIComponent ?? querystring.escape;
  if (typeof pairs !== 'object' || pairs === null) return '';
  return Object.entries(pairs)
    .flatMap(([name, value]) =>
      (Array.isArray(value) ? (value as unknown[]) : [value]).map(
        (one) => `${encode(primitive(name))}${equals || '='}${encode(primitive(one))}`,
      ),
    )
    .join(separator || '&');
}

type ParseOptions = {
  /** 0 = all. */
  readonly maxKeys?: number;
  readonly decodeURIComponent?: (text: string) => string;
};

const KEYS_MAX = 1000;

export function parse(
  text: string,
  separator = '&',
  equals = '=',
  options: ParseOptions = {},
): Record<string, string | string[]> {
  const found = Object.create(null) as Record<string, string | string[]>;
  if (typeof text !== 'string' || text === '') return found;
  const { maxKeys = KEYS_MAX, decodeURIComponent: own } = options;
  const decode = (part: string): string => {
    const plain = part.replaceAll('+', ' ');
    try {
      return (own ?? querystring.unescape)(plain);
    } catch {
      return unescapeText(plain);
    }
  };
  const parts = text.split(separator || '&');
  for (const part of maxKeys > 0 ? parts.slice(0, maxKeys) : parts) {
    if (part === '') continue;
    const at = part.indexOf(equals || '=');
    const name = decode(at < 0 ? part : part.slice(0, at));
    const value = at < 0 ? '' : decode(part.slice(at + (equals || '=').length));
    const old = found[name];
    if (old === undefined) found[name] = value;
    else found[name] = typeof old === 'string' ? [old, value] : [...old, value];
  }
  return found;
}

export { parse as decode, stringify as encode };

const querystring = {
  decode: parse,
  encode: stringify,
  escape: escapeText,
  parse,
  stringify,
  unescape: unescapeText,
  unescapeBuffer,
};
// oxlint-disable-next-line import/no-default-export -- modules write `import querystring from`
export default querystring;
