/** Copies what can still be read of a damaged database into a fresh one, table by table. */
import Database from 'better-sqlite3';

const tables = ['message', 'delivery', 'twin', 'statistics', 'document'] as const;

/** Returns rows saved by table; a table that cannot be read further ends there, not the whole. */
export function salvage(
  damagedFile: string,
  into: Database.Database,
): Readonly<Record<string, number>> {
  const saved: Record<string, number> = {};
  let damaged: Database.Database;
  try {
    damaged = new Database(damagedFile, { readonly: true, fileMustExist: true });
  } catch {
    return saved; // Not even the header is left.
  }
  for (const table of tables) {
    saved[table] = 0;
    try {
      for (const row of damaged.prepare(`SELECT * FROM ${table}`).iterate()) {
        const columns = Object.keys(row as object);
        const marks = columns.map(() => '?').join(', ');
        into
          .prepare(`INSERT OR IGNORE INTO ${table} (${columns.join(', ')}) VALUES (${marks})`)
          .run(...Object.values(row as object));
        saved[table]++;
      }
    } catch {
      // The next page of this table is gone; what came before it is saved.
    }
  }
  // A delivery without its message has nothing to deliver, and the other way round.
  into.exec('DELETE FROM delivery WHERE seq NOT IN (SELECT seq FROM message)');
  into.exec('DELETE FROM message WHERE seq NOT IN (SELECT seq FROM delivery)');
  damaged.close();
  return saved;
}
