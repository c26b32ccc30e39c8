/** A table of JSON values by name: restart statistics by module, documents by name. */
import type Database from 'better-sqlite3';
import { parseStored } from './stored-json.ts';

export interface JsonTable<T> {
  /** null removes it. */
  put(name: string, value: T | null): void;
  all(): Readonly<Record<string, T>>;
}

export function createJsonTable<T>(
  database: Database.Database,
  table: 'statistics' | 'document',
  key: 'module' | 'name',
): JsonTable<T> {
  const put = database.prepare(`INSERT OR REPLACE INTO ${table} (${key}, value) VALUES (?, ?)`);
  const remove = database.prepare(`DELETE FROM ${table} WHERE ${key} = ?`);
  const readAll = database.prepare(`SELECT ${key}, value FROM ${table}`).raw();

  return {
    put(name, value) {
      if (value === null) remove.run(name);
      else put.run(name, JSON.stringify(value));
    },
    all: () =>
      Object.fromEntries(
        (readAll.all() as [string, string][]).map(
          ([name, text]) => [name, parseStored<T>(text, `${table} ${name}`)] as const,
        ),
      ),
  };
}
