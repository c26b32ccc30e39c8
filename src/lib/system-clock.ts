/** The real clock: the only place that reads time or sets timers for the supervisor. */
export const systemClock = {
  now: (): number => Date.now(),
  elapsed: (): number => performance.now(),
  after(delayMs: number, run: () => void): () => void {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
};
