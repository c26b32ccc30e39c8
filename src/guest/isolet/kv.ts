/** What a module keeps over its restarts and updates: `import { kv } from 'isolet'` (docs/modules-api.md). */
import {
  compareKeys,
  KEPT_LIMITS,
  type KeptChange,
  type KeptPage,
  type KeptRange,
} from '../../core/kept.ts';
import { utf8Length } from '../../core/twin-limits.ts';
import { askKept } from './kept-calls.ts';
import { type KvValue, readValue, writeValue } from './kept-value.ts';

export type KvEntry<Value> = { readonly key: string; readonly value: Value };

/** Keys are in the order of their UTF-8 bytes. */
export type KvRange = {
  /** Only keys that begin with it. */
  readonly prefix?: string;
  /** The first key that may be in it, and the first that is not. */
  readonly start?: string;
  readonly end?: string;
  /** 1000 when not given. */
  readonly limit?: number;
  /** From the last to the first. */
  readonly reverse?: boolean;
};

export type KvReader = {
  /** Undefined when there is none. */
  get<Value = KvValue>(key: string): Promise<Value | undefined>;
  list<Value = KvValue>(range?: KvRange): Promise<KvEntry<Value>[]>;
};

/** What is set and deleted is seen by its own reads, and by nobody else before all of it is kept. */
export type KvTransaction = KvReader & {
  set(key: string, value: KvValue): void;
  delete(key: string): void;
};

export type Kv = KvReader & {
  /** When it resolves the value is on the disk. */
  set(key: string, value: KvValue): Promise<void>;
  delete(key: string): Promise<void>;
  /**
   * All changes of `run` or, when it throws, none. `run` is run again when something it read was changed
   * meanwhile by somebody else in the module.
   */
  transaction<Result>(
    run: (transaction: KvTransaction) => Result | Promise<Result>,
  ): Promise<Result>;
};

/** Keys of our own begin with this, and modules' keys do not. */
const RESERVED = '\0';
const FIRST_KEY = '\u0001';
/** Behind every key with the prefix before it. */
const LAST_CHARACTER = '\u{10ffff}';
const LIST_MAX = 1_000;
const TRIES_MAX = 32;
const TURN_MS = 5_000;

type Range = Omit<KeptRange, 'limit' | 'reverse'>;

/** One run of a transaction. */
type Attempt = {
  readonly changes: Map<string, string | null>;
  readonly keys: Set<string>;
  readonly ranges: Range[];
  stale: boolean;
  over: boolean;
};

const attempts = new Set<Attempt>();
/** Transactions that must run again do so one after the other, and so come to an end. */
let line: Promise<unknown> = Promise.resolve();

function commit(changes: readonly KeptChange[], by?: Attempt): Promise<unknown> {
  for (const attempt of attempts) {
    if (attempt !== by && changes.some(([key]) => hasRead(attempt, key))) attempt.stale = true;
  }
  return askKept({ what: 'write', changes });
}

function hasRead({ keys, ranges }: Attempt, key: string): boolean {
  return keys.has(key) || ranges.some((range) => isIn(key, range));
}

function isIn(key: string, { from, to }: Range): boolean {
  return compareKeys(key, from) >= 0 && (to === null || compareKeys(key, to) < 0);
}

async function read(key: string): Promise<string | null> {
  const [text] = (await askKept({ what: 'get', keys: [key] })) as readonly (string | null)[];
  return text ?? null;
}

/** Page by page, until there are enough. */
async function readRange(range: Range, limit: number, reverse: boolean) {
  const entries: (readonly [string, string])[] = [];
  let { from, to } = range;
  while (entries.length < limit) {
    const wanted = Math.min(limit - entries.length, KEPT_LIMITS.pageMax);
    const page = (await askKept({ what: 'list', from, to, limit: wanted, reverse })) as KeptPage;
    entries.push(...page.entries);
    const last = page.entries.at(-1)?.[0];
    if (last === undefined || (!page.more && page.entries.length < wanted)) break;
    if (reverse) to = last;
    // The next key there can be.
    else from = `${last}\0`;
  }
  return entries;
}

function rangeOf({ prefix = '', start, end }: KvRange): Range {
  const from = [prefix, start ?? '', FIRST_KEY].sort(compareKeys).at(-1) as string;
  const ends = [prefix === '' ? undefined : prefix + LAST_CHARACTER, end].filter(
    (one) => one !== undefined,
  );
  return { from, to: ends.sort(compareKeys)[0] ?? null };
}

function limitOf({ limit = LIST_MAX }: KvRange): number {
  if (Number.isSafeInteger(limit) && limit > 0) return limit;
  throw new RangeError(`The limit of a list must be a whole number above 0, it is ${limit}.`);
}

function checkKey(key: unknown): string {
  if (typeof key !== 'string' || key === '' || key.startsWith(RESERVED) || !key.isWellFormed()) {
    const text =
      'A key must be a text that is not empty, is Unicode, and does not begin with "\\0".';
    throw Object.assign(new TypeError(text), { code: 'ERR_INVALID_ARG_TYPE' });
  }
  if (utf8Length(key) <= KEPT_LIMITS.keyBytesMax) return key;
  throw new RangeError(
    `A key may have ${KEPT_LIMITS.keyBytesMax} bytes; this one has ${utf8Length(key)}.`,
  );
}

function changeOf(key: string, value: KvValue): KeptChange {
  const text = writeValue(value);
  if (text.length <= KEPT_LIMITS.valueLengthMax) return [checkKey(key), text];
  throw new RangeError(
    `The value of "${key}" takes ${text.length} characters, and ${KEPT_LIMITS.valueLengthMax} is the most: keep it as a blob, or in parts.`,
  );
}

const toEntry = <Value>([key, text]: readonly [string, string]): KvEntry<Value> => ({
  key,
  value: readValue(text) as Value,
});

function createTransaction(attempt: Attempt): KvTransaction {
  const { changes, keys, ranges } = attempt;
  const check = (): void => {
    if (attempt.over) throw new Error('This transaction is over.');
  };
  return {
    async get<Value>(key: string) {
      check();
      const own = changes.get(checkKey(key));
      if (own === undefined) keys.add(key);
      const text = own === undefined ? await read(key) : own;
      return text === null ? undefined : (readValue(text) as Value);
    },
    async list<Value>(range: KvRange = {}) {
      check();
      const limit = limitOf(range);
      const reverse = range.reverse === true;
      const wanted = rangeOf(range);
      ranges.push(wanted);
      const own = new Map([...changes].filter(([key]) => isIn(key, wanted)));
      // Each of its own changes can take the place of one that is kept.
      const kept = await readRange(wanted, limit + own.size, reverse);
      const merged = new Map<string, string | null>([...kept, ...own]);
      return [...merged]
        .filter((entry): entry is [string, string] => entry[1] !== null)
        .sort(([one], [other]) => compareKeys(one, other) * (reverse ? -1 : 1))
        .slice(0, limit)
        .map(toEntry<Value>);
    },
    set(key, value) {
      check();
      changes.set(...changeOf(key, value));
      if (changes.size > KEPT_LIMITS.changesMax) {
        throw new RangeError(`A transaction may have ${KEPT_LIMITS.changesMax} changes.`);
      }
    },
    delete(key) {
      check();
      changes.set(checkKey(key), null);
    },
  };
}

type Outcome<Result> = { readonly done: true; readonly result: Result } | { readonly done: false };

async function attemptOnce<Result>(
  run: (transaction: KvTransaction) => Result | Promise<Result>,
): Promise<Outcome<Result>> {
  const attempt: Attempt = {
    changes: new Map(),
    keys: new Set(),
    ranges: [],
    stale: false,
    over: false,
  };
  attempts.add(attempt);
  let result: Result;
  try {
    result = await run(createTransaction(attempt));
  } catch (error) {
    // It may have failed for what it read half before and half after somebody's change.
    if (attempt.stale) return { done: false };
    throw error;
  } finally {
    attempt.over = true;
    attempts.delete(attempt);
  }
  if (attempt.stale) return { done: false };
  if (attempt.changes.size > 0) await commit([...attempt.changes], attempt);
  return { done: true, result };
}

async function again<Result>(
  run: (transaction: KvTransaction) => Result | Promise<Result>,
): Promise<Result> {
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const outcome = await attemptOnce(run);
    if (outcome.done) return outcome.result;
  }
  throw Object.assign(
    new Error(
      `A transaction ran ${TRIES_MAX} times, and each time what it had read was changed meanwhile: change it within transactions, and within this one only by its own set and delete.`,
    ),
    { code: 'EAGAIN' },
  );
}

/** One within another would wait for ever: it waits for its turn, but not longer than this. */
function soon(turn: Promise<unknown>): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, TURN_MS);
    void turn.then(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}

export const kv: Kv = {
  async get<Value>(key: string) {
    const text = await read(checkKey(key));
    return text === null ? undefined : (readValue(text) as Value);
  },
  async list<Value>(range: KvRange = {}) {
    const entries = await readRange(rangeOf(range), limitOf(range), range.reverse === true);
    return entries.map(toEntry<Value>);
  },
  async set(key, value) {
    await commit([changeOf(key, value)]);
  },
  async delete(key) {
    await commit([[checkKey(key), null]]);
  },
  async transaction(run) {
    const first = await attemptOnce(run);
    if (first.done) return first.result;
    const mine = soon(line).then(() => again(run));
    line = mine.catch(() => {});
    return await mine;
  },
};
