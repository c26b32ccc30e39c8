/** When a module that has ended may start again (spec/iotedge.md §3.2). */

export type RestartPolicy = 'never' | 'on-failure' | 'on-unhealthy' | 'always';

export const restartPolicies: readonly RestartPolicy[] = [
  'never',
  'on-failure',
  'on-unhealthy',
  'always',
];

/** IoT Edge's MaxRestartCount: from here on a module is called failed. It is still tried again. */
export const RESTARTS_UNTIL_FAILED = 20;
const COOL_OFF_UNIT_MS = 10_000;
const COOL_OFF_MAX_MS = 300_000;
/** Running this long clears the counter (IoT Edge's IntensiveCareTime). */
export const INTENSIVE_CARE_MS = 600_000;

/** Pause after the last exit: 10, 20, 40, 80, 160, then 300 s for ever. */
export function coolOffMs(restartCount: number): number {
  return Math.min(COOL_OFF_UNIT_MS * 2 ** Math.min(restartCount, 30), COOL_OFF_MAX_MS);
}

export type Ended = {
  readonly failed: boolean;
  readonly policy: RestartPolicy;
  readonly restartCount: number;
  readonly lastExitAtMs: number;
};

export type Verdict =
  | { readonly kind: 'leave' }
  | { readonly kind: 'start' }
  | { readonly kind: 'wait'; readonly untilMs: number };

/**
 * May it start now? Differs from IoT Edge in two points users asked for (docs/differences.md): it is
 * never given up for good, and a clean exit restarts only under `always`.
 */
export function restartVerdict(ended: Ended, nowMs: number): Verdict {
  const wanted = ended.policy === 'always' || (ended.failed && ended.policy !== 'never');
  if (!wanted) return { kind: 'leave' };
  const untilMs = ended.lastExitAtMs + coolOffMs(ended.restartCount);
  // A clock that jumped back must not hold a module for years.
  return nowMs >= untilMs || nowMs < ended.lastExitAtMs
    ? { kind: 'start' }
    : { kind: 'wait', untilMs };
}
