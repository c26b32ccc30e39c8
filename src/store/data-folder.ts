/**
 * The data folder: made, checked, and ours alone. `isolet.lock` is an empty SQLite file that is locked
 * and never written, so the lock dies with the process; `isolet.pid` only says whose it is.
 */
import {
  accessSync,
  closeSync,
  constants,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import { Fault } from '../core/fault.ts';
import { makePrivate } from './database.ts';
import { asFault } from './store-fault.ts';

export type Release = () => void;

/** Throws DATA_FOLDER_UNUSABLE, naming the process that uses it, or DISK_FULL. */
export function takeDataFolder(dataDir: string, waitMs: number): Release {
  try {
    // The parent holds the new name: it too must reach the disk.
    if (mkdirSync(dataDir, { recursive: true, mode: 0o700 }) !== undefined) {
      syncFolder(dirname(dataDir));
    }
    accessSync(dataDir, constants.R_OK | constants.W_OK | constants.X_OK);
    return lock(dataDir, waitMs);
  } catch (cause) {
    throw asFault(cause, dataDir);
  }
}

/** Makes new, renamed and removed names in a folder durable. */
export function syncFolder(folder: string): void {
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function lock(dataDir: string, waitMs: number): Release {
  const file = join(dataDir, 'isolet.lock');
  const pidFile = join(dataDir, 'isolet.pid');
  const held = lockFile(file, pidFile, waitMs) ?? lockFile(file, pidFile, waitMs);
  if (held === undefined)
    throw new Fault('DATA_FOLDER_UNUSABLE', `${file} cannot be locked: remove it`);
  try {
    writeFileSync(pidFile, `${process.pid}\n`, { mode: 0o600 });
  } catch {
    // A full disk: the next one is refused without a name.
  }
  return () => {
    rmSync(pidFile, { force: true });
    held.close();
  };
}

/** Undefined when the file was rubbish, and so locked by nobody: it is gone now. */
function lockFile(file: string, pidFile: string, waitMs: number): Database.Database | undefined {
  makePrivate(file);
  const database = new Database(file, { timeout: waitMs });
  try {
    database.exec('BEGIN EXCLUSIVE');
    return database;
  } catch (cause) {
    database.close();
    const { code } = cause as { code?: string };
    if (code === 'SQLITE_NOTADB' || code?.startsWith('SQLITE_CORRUPT')) {
      rmSync(file, { force: true });
      return undefined;
    }
    if (!code?.startsWith('SQLITE_BUSY')) throw cause;
    throw new Fault(
      'DATA_FOLDER_UNUSABLE',
      `${dirname(file)} is in use by ${holder(pidFile)}: stop that one, or use another data folder`,
    );
  }
}

function holder(pidFile: string): string {
  try {
    const pid = Number(readFileSync(pidFile, 'utf8'));
    return Number.isInteger(pid) && pid > 0 ? `process ${pid}` : 'another process';
  } catch {
    return 'another process';
  }
}
