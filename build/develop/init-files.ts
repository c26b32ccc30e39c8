/** The files `isolet init` makes: those of `template/`, with the module's name for NAME. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { beside, bundled } from './desk-host.ts';

/** What npm would leave out of a package, by the name it has here. */
const RENAMED: Readonly<Record<string, string>> = { gitignore: '.gitignore' };

/** Text by path. */
export function initFiles(name: string): Readonly<Record<string, string>> {
  const folder = beside(bundled ? '../build/develop/template' : './template');
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  return Object.fromEntries(
    files.map((file) => {
      const path = relative(folder, file);
      return [RENAMED[path] ?? path, readFileSync(file, 'utf8').replaceAll('NAME', name)];
    }),
  );
}
