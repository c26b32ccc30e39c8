/** How each version of the database becomes the next. `PRAGMA user_version` says which one a file has. */
import type Database from 'better-sqlite3';
import { Fault } from '../core/fault.ts';
import { schema001 } from './schema-001.ts';
import { schema002 } from './schema-002.ts';
import { schema003 } from './schema-003.ts';

const migrations: readonly string[] = [schema001, schema002, schema003];

/** No program has so many versions: a file that says so is damaged, not new. */
const PLAUSIBLE_VERSION_MAX = 1_000;

/**
 * Brings the database to the last version, in one transaction. Throws DATA_FOLDER_UNUSABLE for a file
 * of a newer program: it is left as it is.
 */
export function migrate(
  database: Database.Database,
  file: string,
  steps: readonly string[] = migrations,
): void {
  const run = database.transaction(() => {
    const version = database.pragma('user_version', { simple: true }) as number;
    if (version < 0 || version > PLAUSIBLE_VERSION_MAX) {
      throw new Fault('STORE_DAMAGED', `${file} says its schema has version ${version}`);
    }
    if (version > steps.length) {
      throw new Fault(
        'DATA_FOLDER_UNUSABLE',
        `${file} was written by a newer Isolet (schema ${version}, this one knows ${steps.length}): update this one, or use another data folder`,
      );
    }
    if (version === steps.length) return;
    for (const sql of steps.slice(version)) database.exec(sql);
    database.pragma(`user_version = ${steps.length}`);
  });
  run.immediate();
}
