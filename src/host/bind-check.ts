/** Are the files a module was granted there, and may this process use them? Asked before its code runs. */
import { constants, promises } from 'node:fs';
import type { Bind } from '../core/ports.ts';

/** Each problem names the file and the remedy. */
export async function bindProblems(binds: readonly Bind[]): Promise<readonly string[]> {
  const problems = await Promise.all(binds.map(bindProblem));
  return problems.filter((problem) => problem !== undefined);
}

async function bindProblem({ source, writable, at }: Bind): Promise<string | undefined> {
  try {
    await promises.access(source, constants.R_OK | (writable ? constants.W_OK : 0));
    return undefined;
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? String(cause);
    return `${at ?? 'HostConfig.Binds'}: ${describe(source, writable, code)}`;
  }
}

function describe(source: string, writable: boolean, code: string): string {
  const user = `the user the module hosts run as (number ${process.getuid?.()})`;
  const what = writable ? 'read and written' : 'read';
  const orReadOnly = writable ? ', or grant it with ":ro"' : '';
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return `${source} is not on this device: make it, or correct the path`;
    case 'ERR_ACCESS_DENIED': // A link that has led elsewhere since the host got its rights.
    case 'EACCES':
    case 'EPERM':
      return `${source} may not be ${what} by ${user}: give it the right (chown, chmod or setfacl)${orReadOnly}`;
    case 'EROFS':
      return `${source} is on a file system that is read-only: grant it with ":ro"`;
    default:
      return `${source} cannot be used (${code})`;
  }
}
