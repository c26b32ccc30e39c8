/** The threshold, and which readings are beyond it. */

const THRESHOLD_DEFAULT = 25;

/** From the environment; 25 when it is absent or no number (then there is a problem to tell). */
export function readThreshold(text: string | undefined, problems: string[]): number {
  if (text === undefined) return THRESHOLD_DEFAULT;
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value)) return value;
  problems.push(
    `TemperatureThreshold must be a number, it is "${text}": using ${THRESHOLD_DEFAULT}`,
  );
  return THRESHOLD_DEFAULT;
}

/** Applies a desired section or patch; a deleted threshold goes back to the environment's. */
export function applyDesired(
  current: number,
  patch: Readonly<Record<string, unknown>>,
  fallback: number,
  problems: string[],
): number {
  const value = patch['TemperatureThreshold'];
  if (value === undefined) return current;
  if (value === null) return fallback;
  if (typeof value === 'number') return value;
  problems.push(
    `TemperatureThreshold must be a number, it is ${JSON.stringify(value)}: keeping ${current}`,
  );
  return current;
}

/** `machine.temperature` of a sensor's message. Throws an Error that says what is wrong with it. */
export function temperatureOf(body: string): number {
  const value = JSON.parse(body) as { machine?: { temperature?: unknown } } | null;
  const temperature = value?.machine?.temperature;
  if (typeof temperature === 'number') return temperature;
  throw new Error(`machine.temperature must be a number, it is ${JSON.stringify(temperature)}`);
}
