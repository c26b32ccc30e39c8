/** How a module's end is told, by what brought it about inside the host. */
import type { Ending } from '../core/ports.ts';
import { REASON_LENGTH_MAX } from './host-protocol.ts';

/** isolated-vm's own words. */
const CUT_SHORT = 'Script execution timed out.';
/** `docker run` ends so when the container could not be made. */
const REFUSED = 125;

export const stopped: Ending = { cause: 'stopped', exitCode: 0, reason: 'It was stopped.' };

export function refused(problems: readonly string[]): Ending {
  return { cause: 'refused', exitCode: REFUSED, reason: `${problems.join('; ')}.` };
}

export function brokeTreaty(problem: string): Ending {
  return { cause: 'error', exitCode: 1, reason: `It broke the treaty: ${problem}.` };
}

/** V8 has cut its code short, and tells where that was. */
export function isCutShort(cause: unknown): cause is Error {
  return cause instanceof Error && cause.message === CUT_SHORT;
}

export function threw(cause: unknown, limitMs: number): Ending {
  if (isCutShort(cause)) {
    const [, ...frames] = ownStack(cause).split('\n');
    return outOfTime([`Its code was still running after ${limitMs} ms.`, ...frames].join('\n'));
  }
  const text = cause instanceof Error ? ownStack(cause) : `Uncaught ${String(cause)}`;
  return { cause: 'error', exitCode: 1, reason: text.slice(0, REASON_LENGTH_MAX) };
}

/**
 * What the isolate threw arrives as an Error rebuilt on our side; its stack ends with frames of the host, which
 * are nobody's business (spec/isolates.md §1.4).
 */
export function ownStack({ stack, message }: Error): string {
  const text = stack ?? message;
  const end = text.indexOf('\n    at (<isolated-vm boundary>)');
  return end === -1 ? text : text.slice(0, end);
}

export function outOfTime(reason: string): Ending {
  return { cause: 'out of time', exitCode: 137, reason };
}

export function outOfMemory(heapMb: number): Ending {
  return {
    cause: 'out of memory',
    exitCode: 137,
    reason: `It used more than its ${heapMb} MB of memory.`,
  };
}
