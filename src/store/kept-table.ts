/** What modules keep by key, in the order of keys. */
import type Database from 'better-sqlite3';
import type { KeptChange, KeptPage, KeptRange, KeptSum } from '../core/kept.ts';
import { cutPage } from '../core/kept-map.ts';

export interface KeptTable {
  change(module: string, changes: readonly KeptChange[]): void;
  forget(module: string): void;
  get(module: string, keys: readonly string[]): readonly (string | null)[];
  list(module: string, range: KeptRange): KeptPage;
  sum(module: string, keys: readonly string[]): { readonly all: KeptSum; readonly these: KeptSum };
  keepers(): Readonly<Record<string, KeptSum>>;
}

const NOTHING: KeptSum = { count: 0, bytes: 0 };

export function createKeptTable(database: Database.Database): KeptTable {
  const put = database.prepare(
    `INSERT INTO kept (module, key, value) VALUES (?, ?, ?)
     ON CONFLICT (module, key) DO UPDATE SET value = excluded.value`,
  );
  const remove = database.prepare('DELETE FROM kept WHERE module = ? AND key = ?');
  const removeAll = database.prepare('DELETE FROM kept WHERE module = ?');
  const read = database.prepare('SELECT value FROM kept WHERE module = ? AND key = ?').pluck();
  const sumAll = database.prepare('SELECT count, bytes FROM kept_sum WHERE module = ?');
  const sumOne = database
    .prepare(
      'SELECT OCTET_LENGTH(key) + OCTET_LENGTH(value) FROM kept WHERE module = ? AND key = ?',
    )
    .pluck();
  const sums = database.prepare('SELECT module, count, bytes FROM kept_sum');
  const select = (end: string, order: string) =>
    database
      .prepare(
        `SELECT key, value FROM kept WHERE module = ? AND key >= ? ${end} ORDER BY key ${order} LIMIT ?`,
      )
      .raw();
  const lists = {
    forward: { open: select('', 'ASC'), closed: select('AND key < ?', 'ASC') },
    backward: { open: select('', 'DESC'), closed: select('AND key < ?', 'DESC') },
  };

  return {
    change(module, changes) {
      for (const [key, value] of changes) {
        if (value === null) remove.run(module, key);
        else put.run(module, key, value);
      }
    },
    forget: (module) => void removeAll.run(module),
    get: (module, keys) => keys.map((key) => (read.get(module, key) ?? null) as string | null),
    list(module, { from, to, limit, reverse }) {
      const { open, closed } = reverse ? lists.backward : lists.forward;
      const rows =
        to === null ? open.iterate(module, from, limit) : closed.iterate(module, from, to, limit);
      return cutPage(rows as IterableIterator<[string, string]>);
    },
    sum(module, keys) {
      let count = 0;
      let bytes = 0;
      for (const key of keys) {
        const size = sumOne.get(module, key) as number | undefined;
        if (size === undefined) continue;
        count++;
        bytes += size;
      }
      return {
        all: (sumAll.get(module) as KeptSum | undefined) ?? NOTHING,
        these: { count, bytes },
      };
    },
    keepers: () =>
      Object.fromEntries(
        (sums.all() as (KeptSum & { readonly module: string })[]).map(
          ({ module, count, bytes }) => [module, { count, bytes }] as const,
        ),
      ),
  };
}
