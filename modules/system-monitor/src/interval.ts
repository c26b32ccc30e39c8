/** How often the monitor reports, from the environment and from the twin. */

const INTERVAL_DEFAULT_S = 5;
/** A day. */
const INTERVAL_MAX_S = 86_400;

/** `value` is the environment's text; 5 when it is absent or wrong (then there is a problem to tell). */
export function readInterval(value: string | undefined, problems: string[]): number {
  if (value === undefined) return INTERVAL_DEFAULT_S;
  const seconds = Number(value);
  if (isInterval(seconds)) return seconds;
  problems.push(`intervalSeconds ${expected}, it is "${value}": using ${INTERVAL_DEFAULT_S}`);
  return INTERVAL_DEFAULT_S;
}

/** Applies a desired section or patch; a deleted interval goes back to the environment's. */
export function applyDesired(
  current: number,
  patch: Readonly<Record<string, unknown>>,
  fallback: number,
  problems: string[],
): number {
  const value = patch['intervalSeconds'];
  if (value === undefined) return current;
  if (value === null) return fallback;
  if (isInterval(value)) return value;
  problems.push(`intervalSeconds ${expected}, it is ${JSON.stringify(value)}: keeping ${current}`);
  return current;
}

const expected = `must be a number of seconds, above 0 and up to ${INTERVAL_MAX_S}`;

function isInterval(value: unknown): value is number {
  return typeof value === 'number' && value > 0 && value <= INTERVAL_MAX_S;
}
