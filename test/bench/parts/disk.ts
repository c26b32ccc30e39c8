/** Folders on a real disk, and what was written to it. */
import { mkdtempSync, readFileSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { atExit } from './at-exit.ts';

/** linux/magic.h: writes to it never reach a disk, and fsync is free. */
const TMPFS = 0x01021994;

/** A new folder that lies on a disk; it is gone when the process ends. */
export function diskFolder(name: string): string {
  const candidates = [tmpdir(), '/var/tmp', process.cwd()];
  const parent = candidates.find((folder) => statfsSync(folder).type !== TMPFS);
  if (parent === undefined) {
    throw new Error(
      `${candidates.join(', ')} all lie in memory: set TMPDIR to a folder on a disk, or nothing is measured`,
    );
  }
  const folder = mkdtempSync(join(parent, `isolet-${name}-`));
  atExit(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** What this process, its threads included, has given to the disk so far, bytes. */
export function writtenBytes(): number {
  const text = readFileSync('/proc/self/io', 'utf8');
  return Number(/^write_bytes: (\d+)/m.exec(text)?.[1]);
}
