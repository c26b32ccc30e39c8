/** What many delays come down to. */

/** Milliseconds. */
export type Delays = {
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
};

/** Also runs inside a module, as text: it may use nothing from outside. */
export function summarize(delays: readonly number[]): Delays {
  const sorted = [...delays].sort((a, b) => a - b);
  const at = (part: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] as number;
  return { p50: at(0.5), p99: at(0.99), p999: at(0.999), max: at(1) };
}
