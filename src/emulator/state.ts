/**
 * The hub's memory: one SQLite file in the data folder. Holding it open is also the lock: SQLite's
 * exclusive mode keeps other processes out, and the kernel lets go of it when this one dies.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { Fault } from '../core/fault.ts';

export type State = Database.Database;

const FILE = 'hub.sqlite';
const SCHEMA_VERSION = 1;

/** Run at every start: a table that came later is made then, and an older emulator passes it over. */
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS policy (
    name TEXT PRIMARY KEY,
    primary_key TEXT NOT NULL,
    secondary_key TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  -- module '' is the device itself, here and below
  CREATE TABLE IF NOT EXISTS identity (
    device TEXT NOT NULL,
    module TEXT NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (device, module)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS twin (
    device TEXT NOT NULL,
    module TEXT NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (device, module)
  ) STRICT, WITHOUT ROWID;
  -- one per clean=false client: a JSON array of its subscriptions
  CREATE TABLE IF NOT EXISTS session (
    device TEXT NOT NULL,
    module TEXT NOT NULL,
    subscriptions TEXT NOT NULL,
    PRIMARY KEY (device, module)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS event (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    enqueued_at_ms INTEGER NOT NULL,
    device TEXT NOT NULL,
    module TEXT NOT NULL,
    envelope TEXT NOT NULL,
    body BLOB NOT NULL,
    size INTEGER NOT NULL
  ) STRICT;
  -- cloud-to-device messages that wait for their device
  CREATE TABLE IF NOT EXISTS device_message (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    device TEXT NOT NULL,
    enqueued_at_ms INTEGER NOT NULL,
    expires_at_ms INTEGER NOT NULL,
    ack TEXT NOT NULL,
    deliveries INTEGER NOT NULL,
    envelope TEXT NOT NULL,
    body BLOB NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS device_message_of ON device_message (device, seq);
  CREATE INDEX IF NOT EXISTS device_message_expiry ON device_message (expires_at_ms);
  -- what became of messages whose sender wanted to know: JSON, as the hub tells it
  CREATE TABLE IF NOT EXISTS feedback (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    record TEXT NOT NULL
  ) STRICT;
  -- authorities whose client certificates the hub trusts
  CREATE TABLE IF NOT EXISTS authority (
    name TEXT PRIMARY KEY,
    pem TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS configuration (
    id TEXT PRIMARY KEY,
    document TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  -- DPS: kind is individual or group; ids in lower case
  CREATE TABLE IF NOT EXISTS enrolment (
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (kind, id)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS registration (
    id TEXT PRIMARY KEY,
    document TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  -- what configurations have done to a twin (configuration-rounds.ts)
  CREATE TABLE IF NOT EXISTS applied_configuration (
    device TEXT NOT NULL,
    module TEXT NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (device, module)
  ) STRICT, WITHOUT ROWID;
`;

/**
 * Opens the state in `dataDir`, making both when they are not there. Throws DATA_FOLDER_UNUSABLE when
 * the folder cannot be written or another emulator uses it, STORE_DAMAGED when the file is no state
 * of ours, DISK_FULL. `reset`: what there is, damaged or not, is deleted first.
 */
export function openState(dataDir: string, reset = false): State {
  makeFolder(dataDir);
  const file = join(dataDir, FILE);
  if (reset) forget(dataDir, file);
  let state: State | undefined;
  try {
    state = new Database(file, { timeout: 0 });
    state.pragma('locking_mode = EXCLUSIVE');
    state.pragma('journal_mode = WAL');
    // NORMAL loses no committed row when this process is killed, only (perhaps) when the power goes:
    // good enough for a hub on a desk, and it spares an fsync per turn.
    state.pragma('synchronous = NORMAL');
    prepareSchema(state, file);
    return state;
  } catch (cause) {
    state?.close();
    throw asFault(cause, dataDir, file);
  }
}

function makeFolder(dataDir: string): void {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw unusable(dataDir, cause);
  }
}

/** Refuses when another emulator holds it; a file that is no database has no holder. */
function forget(dataDir: string, file: string): void {
  try {
    openState(dataDir).close();
  } catch (cause) {
    if (!(cause instanceof Fault) || cause.code !== 'STORE_DAMAGED') throw cause;
  }
  for (const each of [file, `${file}-wal`, `${file}-shm`]) rmSync(each, { force: true });
}

function prepareSchema(state: State, file: string): void {
  // Any write takes the lock, which exclusive mode then keeps until the file is closed.
  state.exec('BEGIN EXCLUSIVE');
  const version = state.pragma('user_version', { simple: true }) as number;
  if (version > SCHEMA_VERSION) {
    throw new Fault(
      'STORE_DAMAGED',
      `the emulator's state ${file} was written by a newer version of Isolet: use that version, or name another folder with --data`,
    );
  }
  state.exec(SCHEMA);
  if (version === 0) state.pragma(`user_version = ${SCHEMA_VERSION}`);
  state.exec('COMMIT');
  if (state.pragma('quick_check(1)', { simple: true }) !== 'ok') throw damaged(file, undefined);
}

const folderErrors: readonly string[] = ['ENOSPC', 'EDQUOT', 'EACCES', 'EROFS'];

/** What went wrong with the data folder, as a Fault; anything else as it is. */
export function asFolderFault(cause: unknown, dataDir: string): unknown {
  const { code } = cause as { code?: unknown };
  if (typeof code !== 'string') return cause;
  if (!code.startsWith('SQLITE_') && !folderErrors.includes(code)) return cause;
  return asFault(cause, dataDir, join(dataDir, FILE));
}

function asFault(cause: unknown, dataDir: string, file: string): Fault {
  if (cause instanceof Fault) return cause;
  const code = (cause as NodeJS.ErrnoException).code ?? '';
  if (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED')) {
    return new Fault(
      'DATA_FOLDER_UNUSABLE',
      `the data folder ${dataDir} is in use by another emulator: stop that one, or name another folder with --data`,
      { cause },
    );
  }
  if (code.startsWith('SQLITE_NOTADB') || code.startsWith('SQLITE_CORRUPT')) {
    return damaged(file, cause);
  }
  if (code.startsWith('SQLITE_FULL') || code === 'ENOSPC' || code === 'EDQUOT') {
    return new Fault('DISK_FULL', `the disk that holds ${dataDir} is full: make room on it`, {
      cause,
    });
  }
  return unusable(dataDir, cause);
}

function damaged(file: string, cause: unknown): Fault {
  return new Fault(
    'STORE_DAMAGED',
    `the emulator's state ${file} is damaged: move it away (devices and twins start anew), or name another folder with --data`,
    { cause },
  );
}

function unusable(dataDir: string, cause: unknown): Fault {
  const code = (cause as NodeJS.ErrnoException).code;
  return new Fault(
    'DATA_FOLDER_UNUSABLE',
    `the data folder ${dataDir} cannot be written (${code ?? String(cause)}): give it to this user, or name another with --data`,
    { cause },
  );
}
