/** Files and folders of a control group file system, which answer in their own way (cgroups(7)). */
import { mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';

/** What changes something throws as Node does: EBUSY, EACCES, EROFS, ENOENT. */
export type ControlFiles = {
  /** Undefined when it is not there, or not ours to read. */
  read(file: string): string | undefined;
  write(file: string, text: string): void;
  makeFolder(folder: string): void;
  /** EBUSY while there are processes or groups in it. */
  removeFolder(folder: string): void;
  /** Names of the folders in it. */
  folders(folder: string): readonly string[];
};

export const kernelFiles: ControlFiles = {
  read(file) {
    try {
      return readFileSync(file, 'latin1');
    } catch {
      return undefined;
    }
  },
  write: (file, text) => writeFileSync(file, text, { flag: 'r+' }),
  makeFolder: (folder) => mkdirSync(folder),
  removeFolder: (folder) => rmdirSync(folder),
  folders: (folder) =>
    readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
      entry.isDirectory() ? [entry.name] : [],
    ),
};
