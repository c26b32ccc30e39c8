/**
 * What a module keeps by key (`kv` of 'isolet'): texts in the order of their keys, each module's its own.
 * Their meaning is the guest's; here they are text.
 */

/** Every limit on one request; what a module may keep in all is in ModuleLimits. */
export const KEPT_LIMITS = {
  /** UTF-8 bytes of a key. */
  keyBytesMax: 512,
  /** Characters of a value as the guest writes it: JSON, bytes as base64. */
  valueLengthMax: 262_144,
  /** Changes of one transaction, and keys of one read. */
  changesMax: 1_000,
  /** Characters of all values of one transaction. */
  changesLengthMax: 4_194_304,
  /** Entries of one page of a list, and characters of their values: at least one entry is given. */
  pageMax: 1_000,
  pageLengthMax: 1_048_576,
} as const;

export type KeptRange = {
  /** The first key that may be in it; '' = from the start. */
  readonly from: string;
  /** The first that is not; null = to the end. */
  readonly to: string | null;
  readonly limit: number;
  /** From the end backwards. */
  readonly reverse: boolean;
};

export type KeptPage = {
  readonly entries: readonly (readonly [key: string, value: string])[];
  /** The page ended before the range did, and before its limit. */
  readonly more: boolean;
};

/** null removes the key. */
export type KeptChange = readonly [key: string, value: string | null];

/** How many keys there are, and the UTF-8 bytes of keys and values. */
export type KeptSum = { readonly count: number; readonly bytes: number };

/** One change of the store (ports.ts). */
export type KeptWrite =
  | { readonly kind: 'keep'; readonly module: string; readonly changes: readonly KeptChange[] }
  | { readonly kind: 'forgetKept'; readonly module: string };

/** How much one module may keep; undefined = `defaultKeepLimits`. */
export type KeepLimits = {
  /** UTF-8 bytes of keys and values. */
  readonly keptBytesMax?: number;
  readonly keptCountMax?: number;
  readonly blobBytesMax?: number;
  readonly blobCountMax?: number;
  /** Combinations of label values of its own metrics. */
  readonly metricSeriesMax?: number;
};

export const defaultKeepLimits = {
  keptBytesMax: 67_108_864,
  keptCountMax: 100_000,
  blobBytesMax: 268_435_456,
  blobCountMax: 1_000,
} as const;

export type KeptAsk =
  | { readonly what: 'get'; readonly keys: readonly string[] }
  | ({ readonly what: 'list' } & KeptRange)
  /** All of them or none, durable when it is answered. */
  | { readonly what: 'write'; readonly changes: readonly KeptChange[] };

/** Where kept values lie. Calls are carried out in the order they were made. */
export interface KeptStore {
  readKept(module: string, keys: readonly string[]): Promise<readonly (string | null)[]>;
  listKept(module: string, range: KeptRange): Promise<KeptPage>;
  /** Of all the module keeps, and of these keys. */
  sumKept(
    module: string,
    keys: readonly string[],
  ): Promise<{ readonly all: KeptSum; readonly these: KeptSum }>;
  /** Every module that keeps something. */
  keepers(): Promise<Readonly<Record<string, KeptSum>>>;
}

/** As SQLite orders UTF-8: by code point, which is not how `<` orders text with characters above U+FFFF. */
export function compareKeys(one: string, other: string): number {
  const length = Math.min(one.length, other.length);
  for (let at = 0; at < length; at++) {
    const a = one.charCodeAt(at);
    const b = other.charCodeAt(at);
    if (a === b) continue;
    // Surrogates stand for what comes after all others.
    return rank(a) - rank(b);
  }
  return one.length - other.length;
}

const SURROGATE_FIRST = 0xd800;
const SURROGATE_LAST = 0xdfff;

function rank(unit: number): number {
  return unit >= SURROGATE_FIRST && unit <= SURROGATE_LAST ? unit + 0x10000 : unit;
}

/** What is wrong with a request that came out of an isolate; undefined = it is what its type says. */
export function keptAskProblem(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return 'ask is no object';
  const ask = value as Readonly<Record<string, unknown>>;
  switch (ask['what']) {
    case 'get':
      return isListOf(ask['keys'], isText) ? undefined : 'keys are no list of texts';
    case 'write':
      return isListOf(ask['changes'], isChange) ? undefined : 'changes are no list of changes';
    case 'list':
      return isText(ask['from']) &&
        (ask['to'] === null || isText(ask['to'])) &&
        Number.isSafeInteger(ask['limit']) &&
        typeof ask['reverse'] === 'boolean'
        ? undefined
        : 'the range is none';
    default:
      return 'ask is none there is';
  }
}

function isListOf(value: unknown, fits: (one: unknown) => boolean): boolean {
  return Array.isArray(value) && value.length <= KEPT_LIMITS.changesMax && value.every(fits);
}

/** Half a surrogate pair has no UTF-8: two such keys would be one on the disk. */
function isText(value: unknown): value is string {
  return typeof value === 'string' && value.isWellFormed();
}

function isChange(value: unknown): boolean {
  return (
    Array.isArray(value) &&
    value.length === 2 &&
    isText(value[0]) &&
    (value[1] === null || isText(value[1]))
  );
}

/** Characters a request holds until it is answered. */
export function keptAskLength(ask: KeptAsk): number {
  if (ask.what === 'list') return ask.from.length + (ask.to?.length ?? 0);
  if (ask.what === 'get') return ask.keys.reduce((sum, key) => sum + key.length, 0);
  return ask.changes.reduce((sum, [key, value]) => sum + key.length + (value?.length ?? 0), 0);
}
