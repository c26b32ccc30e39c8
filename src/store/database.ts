/** Opens the database file and sets SQLite up for a small board with an SD card. */
import {
  accessSync,
  chmodSync,
  closeSync,
  constants,
  existsSync,
  openSync,
  statSync,
} from 'node:fs';
import Database from 'better-sqlite3';
import { Fault } from '../core/fault.ts';
import { migrate } from './migrations.ts';
import { asFault } from './store-fault.ts';
import type { StoreSettings } from './store-settings.ts';

/** Only a person with a tool of their own can hold the file now: the data folder is locked. */
const BUSY_MS = 2_000;

/** Opens or makes the file. Throws STORE_DAMAGED, DATA_FOLDER_UNUSABLE or DISK_FULL. */
export function openDatabase(file: string, settings: StoreSettings): Database.Database {
  let database: Database.Database | undefined;
  try {
    makePrivate(file);
    database = new Database(file, { timeout: BUSY_MS });
    // One process, one connection: no shared memory file is needed.
    database.pragma('locking_mode = EXCLUSIVE');
    // Before the journal: only an empty file takes it.
    database.pragma('auto_vacuum = INCREMENTAL');
    database.pragma('journal_mode = WAL');
    // With NORMAL a power cut takes back what was acknowledged.
    database.pragma('synchronous = FULL');
    database.pragma(`wal_autocheckpoint = ${settings.checkpointPages}`);
    database.pragma(`journal_size_limit = ${settings.logBytesMax}`);
    database.pragma(`cache_size = -${settings.cacheKb}`);
    database.pragma(`max_page_count = ${settings.pagesMax}`);
    database.pragma('cell_size_check = ON');
    database.pragma('temp_store = MEMORY');
    migrate(database, file);
    return database;
  } catch (cause) {
    database?.close();
    throw asDamage(asFault(cause, file), file);
  }
}

/** Made before SQLite makes it, so that nobody else may read it at any time; the log takes its rights. */
export function makePrivate(file: string): void {
  if (!existsSync(file)) {
    closeSync(openSync(file, 'wx', 0o600));
    return;
  }
  accessSync(file, constants.R_OK | constants.W_OK);
  if ((statSync(file).mode & 0o077) !== 0) chmodSync(file, 0o600);
}

/**
 * A file we may write and SQLite calls read-only, or our own SQL does not fit, has a damaged header or
 * schema: to SQLite it is merely another database.
 */
function asDamage(cause: unknown, file: string): unknown {
  const { code } = ((cause as Error).cause ?? cause) as { code?: unknown };
  if (code !== 'SQLITE_READONLY' && code !== 'SQLITE_ERROR') return cause;
  return new Fault('STORE_DAMAGED', `${file} is not the database it was (${code})`, { cause });
}
