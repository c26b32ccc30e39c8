/** How often this machine's kernel has killed a process because memory ran out, see proc_vmstat(5). */
import { readFileSync } from 'node:fs';

/** Since the machine started, its containers included; 0 where the kernel does not tell. */
export function countOomKills(): number {
  try {
    return Number(/^oom_kill (\d+)$/m.exec(readFileSync('/proc/vmstat', 'latin1'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}
