/** Can the store be opened? Looked at without a change, while no supervisor runs. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';

/** What was found, and whether it is as it should be. */
export type StoreLook = { readonly state: 'ok' | 'warn' | 'fail'; readonly sentence: string };

/** Throws when SQLite itself cannot be loaded. */
export function sqliteVersion(): string {
  const database = new Database(':memory:');
  try {
    return String(database.prepare('SELECT sqlite_version()').pluck().get());
  } finally {
    database.close();
  }
}

export function lookAtStore(dataDir: string): StoreLook {
  const file = join(dataDir, 'isolet.db');
  if (!existsSync(file)) return { state: 'ok', sentence: 'none yet, the first start makes it' };
  let database: Database.Database | undefined;
  try {
    database = new Database(file, { readonly: true, fileMustExist: true, timeout: 0 });
    database.prepare('SELECT count(*) FROM sqlite_master').get();
    return { state: 'ok', sentence: `${file} opens` };
  } catch (cause) {
    const code = (cause as { code?: string }).code ?? String(cause);
    if (code.startsWith('SQLITE_BUSY')) {
      return {
        state: 'warn',
        sentence: `${file} is in use, by an Isolet that does not answer: look at what holds it (fuser)`,
      };
    }
    if (code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB') {
      return {
        state: 'fail',
        sentence: `${file} is damaged (${code}): the next start saves what can be read, and keeps the file beside it`,
      };
    }
    return {
      state: 'fail',
      sentence: `${file} cannot be opened (${code}): run this as the user isolet runs as (sudo)`,
    };
  } finally {
    database?.close();
  }
}
