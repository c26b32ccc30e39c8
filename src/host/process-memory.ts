/** How much memory a process takes, as the kernel counts it. Read when somebody asks: it costs milliseconds. */
import { readFileSync } from 'node:fs';

const KB = 1_024;

/** Undefined when the process is gone. The proportional size is null where the kernel does not tell it. */
export function processMemory(
  pid: number,
): { readonly residentBytes: number; readonly proportionalBytes: number | null } | undefined {
  const rollup = read(`/proc/${pid}/smaps_rollup`);
  const resident = kilobytes(rollup, 'Rss') ?? kilobytes(read(`/proc/${pid}/status`), 'VmRSS');
  if (resident === undefined) return undefined;
  const proportional = kilobytes(rollup, 'Pss');
  return {
    residentBytes: resident * KB,
    proportionalBytes: proportional === undefined ? null : proportional * KB,
  };
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    // It is gone, or another user's.
    return '';
  }
}

function kilobytes(text: string, name: string): number | undefined {
  const found = new RegExp(`^${name}: +(\\d+) kB`, 'm').exec(text);
  return found === null ? undefined : Number(found[1]);
}
