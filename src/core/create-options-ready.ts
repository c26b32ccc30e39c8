/** The label of a module that says itself when it is ready: how long those of a later startupOrder wait for that. */
import { isJsonObject, type JsonObject } from './json.ts';

/** In `createOptions.Labels`: whole seconds as text. */
export const READY_LABEL = 'isolet.ready_seconds';

/** Nobody drives to a board for a module that waits longer for another. */
const SECONDS_MAX = 3_600;

/** @returns ms; undefined = it is ready when it runs. */
export function readReadyMs(
  options: JsonObject,
  path: string,
  problems: string[],
): number | undefined {
  const labels = options['Labels'];
  const value = isJsonObject(labels) ? labels[READY_LABEL] : undefined;
  if (value === undefined) return undefined;
  const seconds = typeof value === 'string' && /^[0-9]{1,4}$/.test(value) ? Number(value) : 0;
  if (seconds >= 1 && seconds <= SECONDS_MAX) return seconds * 1_000;
  problems.push(
    `${path}.Labels["${READY_LABEL}"] must be whole seconds as text, "1" to "${SECONDS_MAX}", it is ${JSON.stringify(value)}`,
  );
  return undefined;
}
