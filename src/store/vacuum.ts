/** Gives the space of messages that have left back to the file system, a little at a time. */
import type Database from 'better-sqlite3';

/** One step: a few ms of work and one fsync, and at worst 1 MB of log. */
const STEP_PAGES = 256;
/** Kept for what comes next: 1 MB. */
const KEEP_PAGES = 256;
/** Moving pages wears the card, so it must be worth it. */
const WORTH_SHARE = 0.25;

/** One step; true when there is more to give back. */
export function giveBackPages(database: Database.Database): boolean {
  const free = (): number => database.pragma('freelist_count', { simple: true }) as number;
  const worth = (): boolean =>
    free() > KEEP_PAGES &&
    free() > WORTH_SHARE * (database.pragma('page_count', { simple: true }) as number);
  if (!worth()) return false;
  database.exec(`PRAGMA incremental_vacuum(${STEP_PAGES})`);
  if (worth()) return true;
  // Only a checkpoint makes the file itself shorter.
  database.pragma('wal_checkpoint(TRUNCATE)');
  return false;
}
