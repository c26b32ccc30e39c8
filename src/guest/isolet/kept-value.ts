/**
 * Values as they are kept: JSON, with bytes as `{"$bytes": base64}`, a Date as `{"$date": ms}`, and one more `$`
 * before a name that begins with it. What would come back as something else is refused.
 */
export type KvValue =
  | null
  | boolean
  | number
  | string
  | Date
  | Uint8Array
  | readonly KvValue[]
  | { readonly [name: string]: KvValue | undefined };

type WithBase64 = { toBase64(): string };
type FromBase64 = { fromBase64(text: string): Uint8Array };

const DEPTH_MAX = 64;

/** Throws a TypeError that names the place of what cannot be kept. */
export function writeValue(value: unknown): string {
  return JSON.stringify(toPlain(value, 'value', 0));
}

export function readValue(text: string): KvValue {
  return JSON.parse(text, text.includes('"$') ? revive : undefined) as KvValue;
}

function toPlain(value: unknown, at: string, depth: number): unknown {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value;
  if (typeof value === 'number') {
    return Number.isFinite(value) ? value : refuse(at, `is ${value}`);
  }
  if (typeof value !== 'object') return refuse(at, `is of type ${typeof value}`);
  if (depth >= DEPTH_MAX) return refuse(at, `is nested more than ${DEPTH_MAX} deep, or in itself`);
  if (value instanceof Uint8Array) {
    return bare({ $bytes: (value as unknown as WithBase64).toBase64() });
  }
  if (value instanceof Date) {
    const ms = value.getTime();
    return Number.isNaN(ms) ? refuse(at, 'is no valid date') : bare({ $date: ms });
  }
  if (Array.isArray(value)) {
    return Array.from(value, (one, index) => toPlain(one, `${at}[${index}]`, depth + 1));
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    const { name = 'a class' } =
      (prototype as { constructor?: { name?: string } }).constructor ?? {};
    return refuse(at, `is an object of ${name}`);
  }
  const plain = bare({});
  for (const [name, one] of Object.entries(value)) {
    if (one === undefined) continue;
    plain[name.startsWith('$') ? `$${name}` : name] = toPlain(one, `${at}.${name}`, depth + 1);
  }
  return plain;
}

/** Without a prototype: neither a `toJSON` there nor a name like `__proto__` can do anything. */
function bare(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.assign(Object.create(null) as Record<string, unknown>, fields);
}

function refuse(at: string, what: string): never {
  throw Object.assign(
    new TypeError(
      `${at} ${what}: null, booleans, finite numbers, texts, dates, Uint8Arrays, and plain objects and arrays of them can be kept`,
    ),
    { code: 'ERR_INVALID_ARG_TYPE' },
  );
}

function revive(_name: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const names = Object.keys(value);
  if (!names.some((name) => name.startsWith('$'))) return value;
  const { $bytes: bytes, $date: ms } = value as { $bytes?: unknown; $date?: unknown };
  if (typeof bytes === 'string') return (Uint8Array as unknown as FromBase64).fromBase64(bytes);
  if (typeof ms === 'number') return new Date(ms);
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [name.startsWith('$$') ? name.slice(1) : name, one]),
  );
}
