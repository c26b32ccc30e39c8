/** What a module used, as its host's pulses tell it. */
import type { ModuleMetrics } from '../core/ports.ts';
import type { ModulePulse } from './host-protocol.ts';

export function metricsOf(pulse: ModulePulse | undefined): ModuleMetrics {
  const { cpuMs = 0, heapBytes = 0, cpuWaitMs = 0, messageWaitMs = 0 } = pulse ?? {};
  return { cpuMs, heapBytes, cpuWaitMs, messageWaitMs };
}

/** A new version may stand beside the old one: together they are the module. Undefined = there is none. */
export function sumOfMetrics(
  all: readonly (ModuleMetrics | undefined)[],
): ModuleMetrics | undefined {
  const there = all.filter((one) => one !== undefined);
  if (there.length === 0) return undefined;
  const sum = (field: keyof ModuleMetrics): number =>
    there.reduce((total, one) => total + one[field], 0);
  return {
    cpuMs: sum('cpuMs'),
    heapBytes: sum('heapBytes'),
    cpuWaitMs: sum('cpuWaitMs'),
    messageWaitMs: sum('messageWaitMs'),
  };
}
