/** Opens the database file: pragmas, migrations, and what to do with one that is damaged. */
import { chmodSync, existsSync, renameSync } from 'node:fs';
import Database from 'better-sqlite3';
import { Fault } from '../core/fault.ts';
import { migrations } from './schema.ts';

/** WAL pages until SQLite checkpoints by itself: about 4 MB. */
const CHECKPOINT_PAGES = 1_000;
const WAL_BYTES_MAX = 8_388_608;
const CACHE_KB = 2_000;
/** Whoever holds the file holds it for good: waiting longer would not help. */
const BUSY_MS = 500;

/** Opens or makes the file. Throws STORE_DAMAGED, DATA_FOLDER_UNUSABLE or DISK_FULL. */
export function openDatabase(file: string): Database.Database {
  let database: Database.Database | undefined;
  try {
    database = new Database(file, { timeout: BUSY_MS });
    chmodSync(file, 0o600);
    // Ours alone: a second process is refused at its first read, and the lock dies with us.
    database.pragma('locking_mode = EXCLUSIVE');
    // Before the journal: only an empty file takes it.
    database.pragma('auto_vacuum = INCREMENTAL');
    database.pragma('journal_mode = WAL');
    database.pragma('synchronous = FULL');
    database.pragma(`wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
    database.pragma(`journal_size_limit = ${WAL_BYTES_MAX}`);
    database.pragma(`cache_size = -${CACHE_KB}`);
    migrate(database, file);
    return database;
  } catch (cause) {
    database?.close();
    throw asFault(cause, file);
  }
}

function migrate(database: Database.Database, file: string): void {
  database.exec('BEGIN IMMEDIATE');
  const version = database.pragma('user_version', { simple: true }) as number;
  if (version > migrations.length) {
    database.exec('ROLLBACK');
    throw new Fault(
      'DATA_FOLDER_UNUSABLE',
      `${file} was written by a newer Isolet (schema ${version}, this one knows ${migrations.length}): update this one, or use another data folder`,
    );
  }
  for (const sql of migrations.slice(version)) database.exec(sql);
  database.pragma(`user_version = ${migrations.length}`);
  database.exec('COMMIT');
  // A cheap look at every table's root: a damaged header or root page shows here, not in a week.
  for (const table of ['message', 'delivery', 'twin', 'statistics', 'document']) {
    database.prepare(`SELECT * FROM ${table} LIMIT 1`).all();
  }
}

/** Puts a damaged file (and its WAL) aside; returns its new name. */
export function setAside(file: string, nowMs: number): string {
  const aside = `${file}.damaged-${new Date(nowMs).toISOString().replaceAll(':', '-')}`;
  for (const end of ['', '-wal', '-shm']) {
    if (existsSync(file + end)) renameSync(file + end, aside + end);
  }
  return aside;
}

/** SQLite's errors as ours. */
export function asFault(cause: unknown, file: string): unknown {
  const code = String((cause as { code?: unknown }).code ?? '');
  if (cause instanceof Fault) return cause;
  if (code === 'SQLITE_BUSY') {
    return new Fault(
      'DATA_FOLDER_UNUSABLE',
      `${file} is in use by another process: stop that one, or use another data folder`,
      { cause },
    );
  }
  if (code === 'SQLITE_FULL' || code === 'ENOSPC' || code.startsWith('SQLITE_IOERR')) {
    return new Fault('DISK_FULL', `${file} cannot be written (${code}): free some space`, {
      cause,
    });
  }
  if (code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB') {
    return new Fault('STORE_DAMAGED', `${file} is damaged (${code})`, { cause });
  }
  if (code === 'SQLITE_CANTOPEN' || code.startsWith('SQLITE_READONLY') || code === 'EACCES') {
    return new Fault(
      'DATA_FOLDER_UNUSABLE',
      `${file} cannot be opened (${code}): give this user the right to write there`,
      { cause },
    );
  }
  return cause;
}
