/**
 * The time by which messages expire: milliseconds this device has lived through. It never steps.
 * A board without a clock battery wakes up in 1970 and jumps by decades when it learns the time; by
 * the wall clock every message with a time to live would be gone at that moment.
 *
 *   at a start = what was saved + how long we were off, where both clock readings can be believed
 *   from then on it runs with the monotonic clock
 */
import { isJsonObject, type Json } from '../core/json.ts';
import type { Clock, StoreWrite } from '../core/ports.ts';

export interface DeviceTime {
  /** Whole milliseconds; comparable over restarts. */
  now(): number;
  /** Saves it a last time. */
  stop(): void;
}

export const TIME_DOCUMENT = 'time';
/** A wall clock before this has not been set yet: this program is younger. */
export const CREDIBLE_MS = Date.UTC(2026, 0, 1);
/** What a cut may cost a board that does not know the time: messages live so much longer. */
const SAVE_MS = 600_000;

export function createDeviceTime(
  clock: Clock,
  write: (writes: readonly StoreWrite[]) => Promise<void>,
  stored: Json | undefined,
): DeviceTime {
  const saved = readSaved(stored);
  const startedAtMs = clock.elapsed();
  const wallMs = clock.now();
  const offMs = saved.wallMs >= CREDIBLE_MS && wallMs > saved.wallMs ? wallMs - saved.wallMs : 0;
  // Whole milliseconds: the store takes nothing else.
  const now = (): number => Math.floor(saved.livedMs + offMs + (clock.elapsed() - startedAtMs));

  function save(): void {
    const value = { livedMs: now(), wallMs: clock.now() };
    void write([{ kind: 'document', name: TIME_DOCUMENT, value }]);
  }

  let cancel = clock.after(SAVE_MS, tick);
  function tick(): void {
    save();
    cancel = clock.after(SAVE_MS, tick);
  }
  save();

  return {
    now,
    stop() {
      cancel();
      save();
    },
  };
}

function readSaved(stored: Json | undefined): {
  readonly livedMs: number;
  readonly wallMs: number;
} {
  const { livedMs, wallMs } = isJsonObject(stored) ? stored : {};
  return typeof livedMs === 'number' && typeof wallMs === 'number'
    ? { livedMs, wallMs }
    : { livedMs: 0, wallMs: 0 };
}
