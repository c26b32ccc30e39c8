/** Which module a host that had to be killed is blamed on. */
import type { ModulePulse } from './host-protocol.ts';

export type Suspect = {
  readonly pulse: ModulePulse;
  /** The heap it was allowed. */
  readonly heapMb: number;
};

const MB = 1_048_576;
/** Less than this is the noise of garbage collection. */
const NOTICEABLE_BYTES = 8 * MB;

/**
 * The culprit among what modules last told, or undefined when nobody stands out: one V8 gave up but
 * could not stop; else the one the host grew for most beyond its limit; else the one longest at work;
 * else the one it grew for at all.
 */
export function blame<S extends Suspect>(suspects: readonly S[]): S | undefined {
  const most = (measure: (suspect: S) => number): S | undefined => {
    const worst = suspects.toSorted((a, b) => measure(b) - measure(a))[0];
    return worst !== undefined && measure(worst) > 0 ? worst : undefined;
  };
  const used = ({ pulse }: S): number => Math.max(pulse.grownBytes, pulse.heapBytes);
  return (
    suspects.find(({ pulse }) => pulse.overLimit) ??
    most((suspect) => used(suspect) - suspect.heapMb * MB) ??
    most(({ pulse }) => pulse.turnMs) ??
    most((suspect) => used(suspect) - NOTICEABLE_BYTES)
  );
}
