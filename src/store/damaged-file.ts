/**
 * What becomes of a damaged database: what can be read goes into a new file, the damaged one is set
 * aside, the new one takes its place. A power cut at any point leaves either the damaged file, to be
 * salvaged again, or the finished new one, to be put in place.
 */
import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { syncFolder } from './data-folder.ts';
import { openDatabase } from './database.ts';
import { type Salvaged, salvage } from './salvage.ts';
import type { StoreSettings } from './store-settings.ts';

/** The files of one database. SQLite finds the log by its name, so they move together. */
const endings = ['', '-wal', '-shm'];

/** Puts the damaged file aside and a fresh one, with what could be saved, in its place. */
export function replaceDamaged(
  file: string,
  settings: StoreSettings,
  clock: { now(): number; elapsed(): number },
): Salvaged & { readonly aside: string } {
  const unfinished = `${file}.salvaging`;
  dropOldest(file, settings.damagedFilesMax - 1);
  remove(unfinished);
  const fresh = openDatabase(unfinished, settings);
  let salvaged: Salvaged;
  try {
    const endMs = clock.elapsed() + settings.salvageMs;
    salvaged = salvage(file, fresh, () => clock.elapsed() < endMs);
  } finally {
    // Closing works the log into the file: from here it is one file.
    fresh.close();
  }
  renameSync(unfinished, finished(file));
  syncFolder(dirname(file));
  const aside = `${file}.damaged-${new Date(clock.now()).toISOString().replaceAll(':', '-')}`;
  moveIntoPlace(file, aside);
  return { ...salvaged, aside };
}

/** Ends what a power cut interrupted. Harmless when there is nothing to end. */
export function finishReplacement(file: string, nowMs: number): void {
  if (!existsSync(finished(file))) return;
  moveIntoPlace(file, `${file}.damaged-${new Date(nowMs).toISOString().replaceAll(':', '-')}`);
}

function moveIntoPlace(file: string, aside: string): void {
  for (const end of endings) {
    if (existsSync(file + end)) renameSync(file + end, aside + end);
  }
  // The old log must be gone before the new file has its name: SQLite would work it into the new one.
  syncFolder(dirname(file));
  renameSync(finished(file), file);
  syncFolder(dirname(file));
}

const finished = (file: string): string => `${file}.salvaged`;

function remove(file: string): void {
  for (const end of endings) rmSync(file + end, { force: true });
}

/** Their names hold the time, so that the oldest sort first. */
function dropOldest(file: string, keep: number): void {
  const prefix = `${basename(file)}.damaged-`;
  const old = readdirSync(dirname(file)).filter(
    (name) => name.startsWith(prefix) && !endings.slice(1).some((end) => name.endsWith(end)),
  );
  for (const name of old.sort().slice(0, Math.max(0, old.length - keep))) {
    remove(join(dirname(file), name));
  }
}
