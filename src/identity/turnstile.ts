/** Lets a few things happen at once and the rest wait their turn, in the order they came. */
export type Turnstile = <T>(run: () => Promise<T>) => Promise<T>;

export function createTurnstile(atOnceMax: number): Turnstile {
  const waiting: (() => void)[] = [];
  let inside = 0;

  return async (run) => {
    // Who leaves hands the place over, so that nobody slips in between.
    if (inside < atOnceMax) inside++;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await run();
    } finally {
      const next = waiting.shift();
      if (next === undefined) inside--;
      else next();
    }
  };
}
