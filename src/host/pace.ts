/**
 * When a module may have its next turn. One that used more CPU time than its share waits until it has
 * paid that back, and so does one the supervisor sends to rest because of its messages. What waits for
 * it keeps its order; nothing is lost.
 */
import type { Cancel, Clock } from '../core/ports.ts';
import { createTokenBucket } from '../core/token-bucket.ts';

export interface Pace {
  /** False while it has to wait; `ready` is called when that is over. Ask when there is something to do. */
  mayBegin(): boolean;
  /** A turn is over and took this CPU time. */
  spent(cpuMs: number): void;
  /** No turn begins before so many ms are over: it sent too much. */
  rest(ms: number): void;
  /** How long it has waited with something to do, ms, by what for. */
  waited(): { readonly cpuMs: number; readonly messageMs: number };
  /** It will have no more turns. */
  stop(): void;
}

/** What may be saved up is one period of Docker's: a share counts in each 100 ms. */
const PERIOD_MS = 100;
/** Node's timers take no more. */
const TIMER_MS_MAX = 2_147_483_647;

/** @param cpuShare 1 = one CPU; undefined = no limit. */
export function createPace(cpuShare: number | undefined, clock: Clock, ready: () => void): Pace {
  // An isolate has one thread: one CPU is all it can use.
  const bucket =
    cpuShare === undefined || cpuShare >= 1
      ? undefined
      : createTokenBucket(cpuShare, cpuShare * PERIOD_MS, clock.elapsed());
  const total = { cpuMs: 0, messageMs: 0 };
  let beganAtMs = clock.elapsed();
  let restsUntilMs = 0;
  let waiting: { readonly sinceMs: number; readonly what: keyof typeof total } | undefined;
  let cancel: Cancel = () => {};

  function endWait(nowMs: number): void {
    if (waiting === undefined) return;
    total[waiting.what] += nowMs - waiting.sinceMs;
    waiting = undefined;
  }

  return {
    mayBegin() {
      const nowMs = clock.elapsed();
      const owedMs = bucket?.owedMs(nowMs) ?? 0;
      const restMs = restsUntilMs - nowMs;
      cancel();
      const waitMs = Math.max(owedMs, restMs);
      if (waitMs <= 0) {
        endWait(nowMs);
        beganAtMs = nowMs;
        return true;
      }
      waiting ??= { sinceMs: nowMs, what: owedMs >= restMs ? 'cpuMs' : 'messageMs' };
      // Whole milliseconds: a timer that comes too early would only be set again.
      cancel = clock.after(Math.min(Math.ceil(waitMs), TIMER_MS_MAX), ready);
      return false;
    },
    spent: (cpuMs) => bucket?.spend(cpuMs, clock.elapsed(), beganAtMs),
    rest(ms) {
      restsUntilMs = clock.elapsed() + ms;
    },
    waited() {
      const { cpuMs, messageMs } = total;
      if (waiting === undefined) return { cpuMs, messageMs };
      const more = clock.elapsed() - waiting.sinceMs;
      return waiting.what === 'cpuMs'
        ? { cpuMs: cpuMs + more, messageMs }
        : { cpuMs, messageMs: messageMs + more };
    },
    stop() {
      cancel();
      endWait(clock.elapsed());
    },
  };
}
