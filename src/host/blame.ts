/** Which module a host that had to be killed is blamed on. */
import type { ModulePulse } from './host-protocol.ts';

/**
 * The culprit among what modules last told, or undefined when nobody stands out: one V8 gave up but
 * could not stop, else the one the host grew most for, else the one longest at work.
 */
export function blame(pulses: readonly ModulePulse[]): ModulePulse | undefined {
  const most = (measure: (pulse: ModulePulse) => number): ModulePulse | undefined => {
    const worst = pulses.toSorted((a, b) => measure(b) - measure(a))[0];
    return worst !== undefined && measure(worst) > 0 ? worst : undefined;
  };
  return (
    pulses.find((pulse) => pulse.overLimit) ??
    most((pulse) => Math.floor((pulse.grownBytes + pulse.heapBytes) / NOTICEABLE_BYTES)) ??
    most((pulse) => pulse.turnMs)
  );
}

/** Less than this is the noise of garbage collection. */
const NOTICEABLE_BYTES = 16 * 1_048_576;
