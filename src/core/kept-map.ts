/** Kept values in memory: for a desk, where nothing must survive, and for tests of those who use a store. */
import {
  compareKeys,
  KEPT_LIMITS,
  type KeptChange,
  type KeptPage,
  type KeptRange,
  type KeptSum,
} from './kept.ts';
import { utf8Length } from './twin-limits.ts';

export interface KeptMap {
  get(module: string, keys: readonly string[]): readonly (string | null)[];
  list(module: string, range: KeptRange): KeptPage;
  change(module: string, changes: readonly KeptChange[]): void;
  sum(module: string, keys: readonly string[]): { readonly all: KeptSum; readonly these: KeptSum };
  keepers(): Readonly<Record<string, KeptSum>>;
  forget(module: string): void;
}

export function createKeptMap(): KeptMap {
  const modules = new Map<string, Map<string, string>>();
  const of = (module: string): ReadonlyMap<string, string> => modules.get(module) ?? new Map();

  function sumOf(entries: Iterable<readonly [string, string]>): KeptSum {
    let count = 0;
    let bytes = 0;
    for (const [key, value] of entries) {
      count++;
      bytes += utf8Length(key) + utf8Length(value);
    }
    return { count, bytes };
  }

  return {
    get: (module, keys) => keys.map((key) => of(module).get(key) ?? null),
    list(module, { from, to, limit, reverse }) {
      const found = [...of(module)]
        .filter(([key]) => compareKeys(key, from) >= 0 && (to === null || compareKeys(key, to) < 0))
        .sort(([one], [other]) => compareKeys(one, other) * (reverse ? -1 : 1))
        .slice(0, limit);
      return cutPage(found);
    },
    change(module, changes) {
      const kept = modules.get(module) ?? new Map<string, string>();
      modules.set(module, kept);
      for (const [key, value] of changes) {
        if (value === null) kept.delete(key);
        else kept.set(key, value);
      }
      if (kept.size === 0) modules.delete(module);
    },
    sum: (module, keys) => ({
      all: sumOf(of(module)),
      these: sumOf([...of(module)].filter(([key]) => keys.includes(key))),
    }),
    keepers: () =>
      Object.fromEntries([...modules].map(([module, kept]) => [module, sumOf(kept)] as const)),
    forget: (module) => void modules.delete(module),
  };
}

/** As much as one page may hold, and at least one entry. */
export function cutPage(entries: Iterable<readonly [key: string, value: string]>): KeptPage {
  const page: (readonly [string, string])[] = [];
  let length = 0;
  for (const entry of entries) {
    length += entry[1].length;
    if (page.length > 0 && length > KEPT_LIMITS.pageLengthMax) return { entries: page, more: true };
    page.push(entry);
  }
  return { entries: page, more: false };
}
