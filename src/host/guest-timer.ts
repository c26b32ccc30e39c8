/** The one timer a module has at its host: for the earliest of its own. */
import type { Cancel, Clock } from '../core/ports.ts';

/** Node's timers take no more. */
export const TIMER_MS_MAX = 2_147_483_647;

export type GuestTimer = {
  /** In the place of the one before; -1 = none. */
  set(timerMs: number): void;
  isSet(): boolean;
};

export function createGuestTimer(clock: Clock, due: () => void): GuestTimer {
  let cancel: Cancel | undefined;
  return {
    set(timerMs) {
      cancel?.();
      cancel = undefined;
      if (!(timerMs >= 0)) return;
      cancel = clock.after(Math.min(Math.max(timerMs, 1), TIMER_MS_MAX), () => {
        cancel = undefined;
        due();
      });
    },
    isSet: () => cancel !== undefined,
  };
}
