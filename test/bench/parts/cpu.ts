/** Time a process spent on the processor, user and system together, as Linux counts it, s. */
import { readFileSync } from 'node:fs';

/** The kernel's clock for these figures, on every architecture Node runs on. */
const TICKS_PER_S = 100;

export function cpuSeconds(who: number | 'self'): number {
  const stat = readFileSync(`/proc/${who}/stat`, 'utf8');
  // The second field is the program's name in brackets, and may hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_S;
}
