/** Which module a host that had to be killed is blamed on. */
import type { Ending, EndingCause } from '../core/ports.ts';
import type { ModulePulse } from './host-protocol.ts';

/** The exit code of who was killed, as a container has it. */
export const KILLED = 137;

/** The module a host's end is told as the doing of; the others were its victims. */
export type Culprit = { readonly handle: number; readonly ending: Ending };

export type Suspect = {
  readonly handle: number;
  /** What it last told; undefined in its first moments. */
  readonly pulse: ModulePulse | undefined;
  /** The heap it was allowed. */
  readonly heapMb: number;
  /** How long it has been loading, ms; 0 when it has started. */
  readonly loadingMs: number;
  /** When it last got or said something, if that was after the host's last pulse; else undefined. */
  readonly activeAtMs: number | undefined;
};

const MB = 1_048_576;

/** What a process ends with that did something it cannot: V8 and the C library abort, the rest is the CPU's. */
const CRASHES: ReadonlySet<NodeJS.Signals> = new Set([
  'SIGABRT',
  'SIGSEGV',
  'SIGBUS',
  'SIGILL',
  'SIGTRAP',
  'SIGFPE',
  'SIGSYS',
]);

export function crashed(signal: NodeJS.Signals): boolean {
  return CRASHES.has(signal);
}

/** A host that ended by itself: which module brought that about, as far as anybody can tell. */
export function culpritOf(
  all: readonly Suspect[],
  end: {
    readonly signal: NodeJS.Signals;
    readonly reason: string;
    /** The kernel killed it at its own ceiling; or somebody, while it lived, for want of memory on the device. */
    readonly memoryRanOut: 'host' | 'device' | undefined;
  },
): Culprit | undefined {
  const { signal, reason } = end;
  if (signal === 'SIGKILL') {
    // Who is killed by anybody but the kernel was meant as a whole.
    if (end.memoryRanOut === undefined) return undefined;
    const worst = convict(all) ?? suspectWorking(all) ?? suspectLargest(all);
    const what =
      end.memoryRanOut === 'host' ? 'It used more than it may.' : 'The device had no memory left.';
    return worst && blame(worst, 'out of memory', `${reason} ${what}`);
  }
  if (!crashed(signal)) return undefined;
  const worst = convict(all) ?? suspectWorking(all) ?? suspectLatest(all);
  return worst && blame(worst, 'crashed', `${reason} This module was the one at work.`);
}

function blame({ handle }: Suspect, cause: EndingCause, reason: string): Culprit {
  return { handle, ending: { cause, exitCode: KILLED, reason } };
}

/** Evidence: its isolate was taken away and it still runs, or the host grew for it beyond its limit. */
export function convict<S extends Suspect>(suspects: readonly S[]): S | undefined {
  return (
    suspects.find(({ pulse }) => pulse?.doomed === true) ??
    most(suspects, (suspect) => usedBytes(suspect) - suspect.heapMb * MB)
  );
}

/** No more than a suspicion: the one longest at work. */
export function suspectWorking<S extends Suspect>(suspects: readonly S[]): S | undefined {
  return most(suspects, ({ pulse, loadingMs }) => Math.max(pulse?.turnMs ?? 0, loadingMs));
}

/** Weaker still: a host that stopped between two pulses stopped most likely over what it last did. */
export function suspectLatest<S extends Suspect>(suspects: readonly S[]): S | undefined {
  return most(suspects, ({ activeAtMs }) => activeAtMs ?? 0);
}

/** The last resort, when all rest: the one that uses most. */
export function suspectLargest<S extends Suspect>(suspects: readonly S[]): S | undefined {
  return most(suspects, usedBytes);
}

function usedBytes({ pulse }: Suspect): number {
  return Math.max(pulse?.grownBytes ?? 0, pulse?.heapBytes ?? 0);
}

function most<S>(suspects: readonly S[], measure: (suspect: S) => number): S | undefined {
  const worst = suspects.toSorted((a, b) => measure(b) - measure(a))[0];
  return worst !== undefined && measure(worst) > 0 ? worst : undefined;
}
