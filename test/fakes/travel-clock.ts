/**
 * A clock on which real time passes and tests jump ahead by days: for real parts (TLS, MQTT, SQLite) that
 * need real milliseconds, and should see years. What falls due on the way runs in its order.
 */
import type { Clock } from '../../src/core/ports.ts';

export interface TravelClock extends Clock {
  /** Time passes for everybody who has this clock, all at once; each alarm that is due gets some real time. */
  jump(ms: number): Promise<void>;
  /** Steps the wall clock alone, as NTP does, or a person. */
  step(ms: number): void;
}

type Alarm = { readonly atMs: number; readonly run: () => void; timer: NodeJS.Timeout };

const TIMER_MS_MAX = 2_147_483_647;
const DAY_MS = 86_400_000;

export function createTravelClock(nowMs: number = Date.now()): TravelClock {
  const wallAtStart = nowMs - performance.now();
  let jumped = 0;
  let stepped = 0;
  const alarms = new Set<Alarm>();
  const elapsed = (): number => performance.now() + jumped;

  function fire(alarm: Alarm): void {
    if (!alarms.delete(alarm)) return;
    clearTimeout(alarm.timer);
    alarm.run();
  }

  function arm(alarm: Alarm): void {
    const leftMs = Math.min(Math.max(0, alarm.atMs - elapsed()), TIMER_MS_MAX);
    alarm.timer = setTimeout(() => {
      if (alarm.atMs > elapsed() + 0.5) arm(alarm);
      else fire(alarm);
    }, leftMs);
  }

  return {
    now: () => Math.floor(wallAtStart + elapsed() + stepped),
    elapsed,
    after(delayMs, run) {
      const alarm: Alarm = { atMs: elapsed() + delayMs, run, timer: undefined as never };
      alarms.add(alarm);
      arm(alarm);
      return () => {
        alarms.delete(alarm);
        clearTimeout(alarm.timer);
      };
    },
    async jump(ms) {
      // Not further than a day at a time: what is due every hour should not all be due at once.
      for (let left = ms; left > 0; left -= DAY_MS) {
        jumped += Math.min(left, DAY_MS);
        const due = [...alarms].filter(({ atMs }) => atMs <= elapsed());
        for (const alarm of due.sort((a, b) => a.atMs - b.atMs)) fire(alarm);
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
    step(ms) {
      stepped += ms;
    },
  };
}
