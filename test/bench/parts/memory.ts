/** Memory of a process, as Linux counts it, MB. */
import { readFileSync } from 'node:fs';

type Who = number | 'self';

/** Its own and its part of what it shares. */
export function pssMb(who: Who): number {
  return mb(`/proc/${who}/smaps_rollup`, 'Pss');
}

/** What it alone has written to: the least that ending it would free. */
export function ownMb(who: Who): number {
  return mb(`/proc/${who}/smaps_rollup`, 'Private_Dirty');
}

export function rssMb(who: Who): number {
  return mb(`/proc/${who}/status`, 'VmRSS');
}

/** The most it ever held. */
export function peakRssMb(who: Who): number {
  return mb(`/proc/${who}/status`, 'VmHWM');
}

function mb(file: string, name: string): number {
  const found = new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(readFileSync(file, 'utf8'));
  return Number(found?.[1]) / 1024;
}
