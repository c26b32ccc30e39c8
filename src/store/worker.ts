/** The store's thread: opens the database and does what it is asked, one thing after the other. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import type Database from 'better-sqlite3';
import { Fault } from '../core/fault.ts';
import { asFault, openDatabase, setAside } from './database.ts';
import { salvage } from './salvage.ts';
import type { StoreRequest, WireFault, WorkerData } from './store-protocol.ts';
import { createTables, type Tables } from './tables.ts';

const port = parentPort as MessagePort;
const { dataDir, pagesMax } = workerData as WorkerData;
const file = join(dataDir, 'isolet.db');

let database: Database.Database;
let tables: Tables;

try {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const notes = open();
  port.postMessage({ opened: true, notes });
  port.on('message', serve);
} catch (cause) {
  port.postMessage({ opened: false, fault: wireFault(asFault(cause, file)) });
}

/** A damaged file is set aside and what can be read of it is saved: the device runs on. */
function open(): readonly string[] {
  const notes: string[] = [];
  try {
    database = openDatabase(file);
  } catch (cause) {
    if (!(cause instanceof Fault) || cause.code !== 'STORE_DAMAGED') throw cause;
    const aside = setAside(file, Date.now());
    database = openDatabase(file);
    const saved = JSON.stringify(salvage(aside, database));
    notes.push(`${cause.message}; it is set aside as ${aside}, rows saved: ${saved}`);
  }
  if (pagesMax !== undefined) database.pragma(`max_page_count = ${pagesMax}`);
  tables = createTables(database);
  return notes;
}

function serve(request: StoreRequest): void {
  try {
    port.postMessage({ id: request.id, value: carryOut(request) });
    if (request.kind === 'close') port.close();
  } catch (cause) {
    port.postMessage({ id: request.id, fault: wireFault(asFault(cause, file)) });
  }
}

function carryOut(request: StoreRequest): unknown {
  switch (request.kind) {
    case 'load':
      return tables.load();
    case 'commit':
      return tables.commit(request.writes);
    case 'read':
      return tables.read(request.endpoint, request.priority, request.afterSeq, request.limit);
    case 'close':
      database.close();
      return undefined;
  }
}

function wireFault(cause: unknown): WireFault {
  if (cause instanceof Fault) return { code: cause.code, message: cause.message };
  return { code: undefined, message: cause instanceof Error ? String(cause.stack) : String(cause) };
}
