/** What SQLite and the file system say, as faults of ours. */
import { Fault } from '../core/fault.ts';

/** SQLite's extended codes for a medium that can no longer be read: as good as damaged. */
const unreadable = new Set([
  'SQLITE_NOTADB',
  'SQLITE_IOERR_READ',
  'SQLITE_IOERR_SHORT_READ',
  'SQLITE_IOERR_CORRUPTFS',
]);
const fullDisk = new Set(['SQLITE_FULL', 'ENOSPC', 'EDQUOT', 'EIO']);
const forbidden = new Set([
  'SQLITE_CANTOPEN',
  'EACCES',
  'EPERM',
  'EROFS',
  'ENOTDIR',
  'ENOENT',
  'EEXIST',
]);

/** The fault for a failure at `path`; what is no failure of the world or the operator stays as it is. */
export function asFault(cause: unknown, path: string): unknown {
  if (cause instanceof Fault) return cause;
  const code = String((cause as { code?: unknown } | undefined)?.code ?? '');
  const say = (...[kind, sentence]: ConstructorParameters<typeof Fault>): Fault =>
    new Fault(kind, sentence, { cause });
  if (code.startsWith('SQLITE_CORRUPT') || unreadable.has(code)) {
    return say('STORE_DAMAGED', `${path} is damaged (${code})`);
  }
  if (fullDisk.has(code)) {
    return say('DISK_FULL', `${path} cannot be written (${code}): free some space on its disk`);
  }
  if (code.startsWith('SQLITE_IOERR')) {
    return say(
      'DISK_FULL',
      `${path} cannot be written (${code}): free some space on its disk, and see the kernel's log if there is enough`,
    );
  }
  if (code.startsWith('SQLITE_BUSY')) {
    return say(
      'DATA_FOLDER_UNUSABLE',
      `${path} is in use by another process: stop that one, or use another data folder`,
    );
  }
  if (
    forbidden.has(code) ||
    code.startsWith('SQLITE_CANTOPEN') ||
    code.startsWith('SQLITE_READONLY')
  ) {
    return say(
      'DATA_FOLDER_UNUSABLE',
      `${path} cannot be used (${code}): give the user Isolet runs as the right to write there, or use another data folder`,
    );
  }
  return cause;
}

/** True when only setting the file aside helps. */
export function isDamage(cause: unknown): cause is Fault {
  return cause instanceof Fault && cause.code === 'STORE_DAMAGED';
}
