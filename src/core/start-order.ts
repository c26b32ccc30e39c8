/**
 * Who has to wait before it starts: those of a later startupOrder, for those that say themselves when they
 * are ready (`isolet.ready_seconds`) and have not yet. Bounded: by that label from its start on, and by the
 * limit of a download before. Nobody waits for a module that cannot start.
 */
import type { ModuleSpec } from './deployment.ts';

export interface StartOrder {
  /** In the order of `startupOrder`: this one runs, or is about to. */
  begun(spec: ModuleSpec, begun: Begun, nowMs: number): void;
  /** Must this one wait? */
  holds(spec: ModuleSpec): boolean;
  /** When a wait is over at the latest; undefined = nobody waits for the time alone. */
  wakeAtMs(): number | undefined;
}

/** `startedAtMs` undefined = it is not started yet, but on its way. */
type Begun = { readonly ready: boolean; readonly startedAtMs: number | undefined };

export function createStartOrder(): StartOrder {
  /** The first startupOrder of one that is not ready. */
  let first = Infinity;
  let wakeAtMs: number | undefined;
  return {
    begun({ settings, startupOrder }, { ready, startedAtMs }, nowMs) {
      const { readyMs } = settings;
      if (readyMs === undefined || ready) return;
      if (startedAtMs !== undefined) {
        const untilMs = startedAtMs + readyMs;
        // A clock that was set back must not make anybody wait longer.
        if (nowMs >= untilMs || nowMs < startedAtMs) return;
        wakeAtMs = Math.min(wakeAtMs ?? untilMs, untilMs);
      }
      first = Math.min(first, startupOrder);
    },
    holds: ({ startupOrder }) => startupOrder > first,
    wakeAtMs: () => wakeAtMs,
  };
}
