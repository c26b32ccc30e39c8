/** For those who wait until something under way is over. */
import type { Clock } from '../core/ports.ts';

export interface Settling {
  /** Something ended. */
  look(): void;
  /** Resolves when `isOpen` says no, or after this time. */
  settled(isOpen: () => boolean, withinMs: number): Promise<void>;
}

export function createSettling(clock: Clock): Settling {
  let looks: (() => void)[] = [];
  return {
    look() {
      const all = looks;
      looks = [];
      for (const one of all) one();
    },
    settled: (isOpen, withinMs) =>
      new Promise((resolve) => {
        const cancel = clock.after(withinMs, resolve);
        const seen = (): void => {
          if (isOpen()) return void looks.push(seen);
          cancel();
          resolve();
        };
        seen();
      }),
  };
}
