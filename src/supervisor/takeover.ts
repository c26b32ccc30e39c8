/**
 * How one version of a module takes over from another that runs: as soon as it listens to all that the
 * other listens to, and at a border between two messages. Until the other has ended, nothing the new one
 * asks for happens (held-requests.ts); so nobody sees two of them, and no message goes lost, comes twice
 * or out of its order.
 */
import type { Clock } from '../core/ports.ts';
import type { Listening, LiveModule } from './live-module.ts';

export interface Takeover {
  /** The new one has been loaded. */
  started(): void;
  /** It listens to something, or waits for something it asked for: is it time? */
  look(): void;
  /** While messages must wait, a promise that they need no longer. */
  gate(): Promise<void> | undefined;
  /** The one that is to have new method calls, when that is not the old one any more. */
  called(): LiveModule | undefined;
  /** Whatever came of it: nothing waits any more. */
  over(): void;
}

export type TakeoverLimits = {
  /** A new version that listens to less than the old one takes over all the same, so long after it was loaded. */
  readonly readyMs: number;
  /** The old one may finish what it has been given, so long; what is then open is given to the new one. */
  readonly settleMs: number;
  /** A new one that asks for so much meanwhile is not kept waiting for that. */
  readonly heldMax: number;
};

const TAKEOVER_LIMITS: TakeoverLimits = { readyMs: 10_000, settleMs: 5_000, heldMax: 1_000 };

const all: readonly Listening[] = ['inputs', 'desired', 'methods', 'ready'];

/** @param promote called once, when the new one may be the module. */
export function createTakeover(
  old: LiveModule,
  next: LiveModule,
  clock: Clock,
  promote: () => void,
  limits: TakeoverLimits = TAKEOVER_LIMITS,
): Takeover {
  let stage: 'loading' | 'loaded' | 'calls' | 'inputs' | 'over' = 'loading';
  let cancelReady = (): void => {};
  const opened = Promise.withResolvers<void>();
  const hurried = Promise.withResolvers<void>();

  function look(): void {
    if (next.held() > limits.heldMax) hurried.resolve();
    // One that waits for something it asked for has nothing else to do before it can take over.
    const ready =
      next.held() > 0 || all.every((what) => !old.listening(what) || next.listening(what));
    if (stage === 'loaded' && ready) void takeOver();
  }

  async function takeOver(): Promise<void> {
    cancelReady();
    stage = 'calls';
    await Promise.race([old.settled('methods', limits.settleMs), hurried.promise]);
    if (isOver()) return;
    stage = 'inputs';
    await Promise.race([old.settled('inputs', limits.settleMs), hurried.promise]);
    if (!isOver()) promote();
  }

  const isOver = (): boolean => stage === 'over';

  return {
    started() {
      if (stage !== 'loading') return;
      stage = 'loaded';
      cancelReady = clock.after(limits.readyMs, () => void takeOver());
      look();
    },
    look,
    gate: () => (stage === 'inputs' ? opened.promise : undefined),
    called: () => (stage === 'calls' || stage === 'inputs' ? next : undefined),
    over() {
      stage = 'over';
      cancelReady();
      opened.resolve();
    },
  };
}
