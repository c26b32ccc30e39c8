/** What the device knows about a file, as the guest gets it. */
import type { Dirent, Stats } from 'node:fs';
import type { JsonObject } from '../core/json.ts';

type Kind = Pick<Stats, 'isDirectory' | 'isFile' | 'isSymbolicLink' | 'isFIFO' | 'isSocket'>;

/** A letter, as `ls` shows it. */
export function typeOf(entry: Kind | Dirent): string {
  if (entry.isFile()) return '-';
  if (entry.isDirectory()) return 'd';
  if (entry.isSymbolicLink()) return 'l';
  if (entry.isFIFO()) return 'p';
  return entry.isSocket() ? 's' : '?';
}

/** Times in ms since 1970. */
export function statOf(stats: Stats): JsonObject {
  const { dev, ino, mode, nlink, uid, gid, rdev, size, blksize, blocks } = stats;
  const { atimeMs, mtimeMs, ctimeMs, birthtimeMs } = stats;
  return {
    type: typeOf(stats),
    isDirectory: stats.isDirectory(),
    dev,
    ino,
    mode,
    nlink,
    uid,
    gid,
    rdev,
    size,
    blksize,
    blocks,
    atimeMs,
    mtimeMs,
    ctimeMs,
    birthtimeMs,
  };
}
