/** JSON as it lies in the database. SQLite has no checksums: a flipped bit shows here first. */
import { Fault } from '../core/fault.ts';

/** Throws STORE_DAMAGED, naming the row, never its content. */
export function parseStored<T>(text: unknown, row: string): T {
  try {
    return JSON.parse(text as string) as T;
  } catch (cause) {
    throw new Fault('STORE_DAMAGED', `${row} is no JSON any more`, { cause });
  }
}
