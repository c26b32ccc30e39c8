/** Which module a host that had to be killed is blamed on. */
import type { ModulePulse } from './host-protocol.ts';

export type Suspect = {
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
