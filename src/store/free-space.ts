/** Keeps the last free space of the disk for removes: what our own messages filled must be able to drain. */
import { statfsSync } from 'node:fs';
import type Database from 'better-sqlite3';
import { Fault } from '../core/fault.ts';
import type { Packed } from './packed.ts';

/** What a message takes beside its body, roughly. */
const ROW_BYTES = 300;

/**
 * Throws DISK_FULL when these writes append and would leave less than `freeBytesMin`. Without a reserve
 * a full disk stays full: a remove, too, is written to the log first.
 * A dead letter only moves what is there, and is let through.
 */
export function checkFreeSpace(
  database: Database.Database,
  dataDir: string,
  freeBytesMin: number,
  batches: readonly Packed[],
): void {
  let bytes = 0;
  // Once in the log and once in the database.
  for (const { appends, appendedBytes } of batches) {
    bytes += 2 * (ROW_BYTES * appends + appendedBytes);
  }
  if (bytes === 0) return;
  const { bavail, bsize } = statfsSync(dataDir);
  const onDisk = bavail * bsize;
  if (onDisk >= freeBytesMin + bytes) return;
  // Pages of messages that have left are as good.
  const pages = database.pragma('freelist_count', { simple: true }) as number;
  const inside = pages * (database.pragma('page_size', { simple: true }) as number);
  if (onDisk + inside >= freeBytesMin + bytes) return;
  throw new Fault(
    'DISK_FULL',
    `the disk of ${dataDir} has ${onDisk} bytes free, and the last ${freeBytesMin} are kept so that waiting messages can leave: free some space`,
  );
}
