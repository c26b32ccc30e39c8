/**
 * The one shape of everything that moves: pumps, the twin reporter, the reconciler are loops.
 *
 *   idle ──wake──▶ working ──fault of the world──▶ resting ──alarm or resume──▶ working
 *     ▲               │
 *     └── 'done' ─────┘            stop() ends it from any state.
 *
 * A loop runs at its own pace: events only wake it, and each turn does a bounded piece of work.
 */
import { isOfTheWorld } from '../core/fault.ts';
import type { Cancel, Clock, Log } from '../core/ports.ts';
import { type RetryRange, retryDelayMs } from '../core/retry.ts';

export type Turn = 'again' | 'done';

export interface Loop {
  /** There may be work. While resting this changes nothing: whoever is away is not asked again early. */
  wake(): void;
  /** Whoever was away is back: no need to sit out the rest. */
  resume(): void;
  /** Resolves when the turn under way is over. */
  stop(): Promise<void>;
  /** True unless it rests after a fault of the world. */
  flowing(): boolean;
}

export type LoopDeps = {
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
};

type State = { at: 'idle' | 'working' | 'stopped' } | { at: 'resting'; cancel: Cancel };

/** `isWell` is asked after a turn that ended well: false leaves the back-off where it is, for it is not known yet what became of what the turn began. */
export function createLoop(
  name: string,
  turn: () => Promise<Turn>,
  { clock, random, log }: LoopDeps,
  rest: RetryRange,
  isWell: () => boolean = () => true,
): Loop {
  let state: State = { at: 'idle' };
  let attempt = 0;
  // A wake may come after a turn looked and before it said 'done'; forgetting it would strand work.
  let wokenDuringTurn = false;
  let current: Promise<void> = Promise.resolve();

  async function work(): Promise<void> {
    while (isAt('working')) {
      wokenDuringTurn = false;
      try {
        const result = await turn();
        if (result === 'done' && !wokenDuringTurn) become({ at: 'idle' });
        if (isWell()) attempt = 0;
      } catch (cause) {
        // The world may be away for a while. Anything else is a bug of ours, and must not be slept over.
        if (!isOfTheWorld(cause)) throw cause;
        if (isAt('stopped')) return;
        const delayMs = retryDelayMs(attempt, random(), rest);
        // The first of a series is news; the rest of it is weather.
        log[attempt === 0 ? 'info' : 'debug']('resting', { loop: name, cause, delayMs });
        attempt++;
        become({ at: 'resting', cancel: clock.after(delayMs, run) });
      }
    }
  }

  /** In a microtask: whoever wakes it may have more to do in this turn, and all of it makes one batch. */
  function run(): void {
    become({ at: 'working' });
    current = Promise.resolve().then(work);
  }

  function become(next: State): void {
    if (state.at === 'resting') state.cancel();
    if (state.at !== 'stopped') state = next;
  }

  const isAt = (at: State['at']): boolean => state.at === at;

  return {
    wake() {
      wokenDuringTurn = true;
      if (isAt('idle')) run();
    },
    resume() {
      attempt = 0;
      if (isAt('resting')) run();
    },
    stop() {
      become({ at: 'stopped' });
      return current;
    },
    flowing: () => !isAt('resting') && !isAt('stopped'),
  };
}
