/** Twins, one row per module. */
import type Database from 'better-sqlite3';
import type { JsonObject } from '../core/json.ts';
import type { TwinRow } from '../core/ports.ts';
import { parseStored } from './stored-json.ts';

export interface TwinTable {
  /** null removes it. */
  put(module: string, twin: TwinRow | null): void;
  all(): Readonly<Record<string, TwinRow>>;
}

type Row = {
  readonly module: string;
  readonly desired: string;
  readonly reported: string;
  readonly pending: string | null;
  readonly synced_ms: number | null;
};

export function createTwinTable(database: Database.Database): TwinTable {
  const put = database.prepare(
    'INSERT OR REPLACE INTO twin (module, desired, reported, pending, synced_ms) VALUES (?, ?, ?, ?, ?)',
  );
  const remove = database.prepare('DELETE FROM twin WHERE module = ?');
  const readAll = database.prepare('SELECT * FROM twin');

  return {
    put(module, twin) {
      if (twin === null) {
        remove.run(module);
        return;
      }
      const [desired, reported] = [JSON.stringify(twin.desired), JSON.stringify(twin.reported)];
      const pending = twin.pending === null ? null : JSON.stringify(twin.pending);
      put.run(module, desired, reported, pending, twin.syncedAtMs);
    },
    all: () =>
      Object.fromEntries((readAll.all() as Row[]).map((row) => [row.module, toTwin(row)] as const)),
  };
}

function toTwin(row: Row): TwinRow {
  const parse = (text: string): JsonObject => parseStored(text, `the twin of ${row.module}`);
  return {
    desired: parse(row.desired),
    reported: parse(row.reported),
    pending: row.pending === null ? null : parse(row.pending),
    syncedAtMs: row.synced_ms,
  };
}
