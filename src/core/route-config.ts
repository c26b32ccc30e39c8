/** `$edgeHub`'s desired properties: routes and how long messages are kept (spec/iotedge.md §5.1). */
import type { RouteReading } from './condition-syntax.ts';
import { isJsonObject, type Json, type JsonObject } from './json.ts';
import { parseRoute } from './route.ts';
import { describeProblem } from './route-problem.ts';
import { PRIORITY_NONE, type RouteEntry } from './route-table.ts';

export type HubConfig = {
  readonly routes: Readonly<Record<string, RouteEntry>>;
  /** Seconds for messages whose route says nothing; Infinity = for ever, 0 = not at all. */
  readonly timeToLiveS: number;
  /**
   * `storeLimits.maxSizeBytes`: what may wait in all. IoT Edge keeps it only for a store in memory
   * (spec/iotedge.md §5.1); whoever writes it wants it kept. Undefined = the device's own limit alone.
   */
  readonly storeBytesMax: number | undefined;
};

const PRIORITY_MAX = 9;
const TIME_TO_LIVE_MAX = 4_294_967_295;

/**
 * Undefined config = nothing of it can be used, and what was in force stays. A bad route is a problem
 * and costs only itself: the others are in force (IoT Edge would refuse them all, docs/differences.md).
 */
export function parseHubConfig(
  desired: JsonObject,
  reading: RouteReading = {},
): {
  readonly config: HubConfig | undefined;
  readonly problems: readonly string[];
} {
  const problems: string[] = [];
  const version = desired['schemaVersion'];
  if (typeof version !== 'string' || !/^1\.[0-3](\.\d+)*$/.test(version)) {
    problems.push(
      `schemaVersion must be "1.0" to "1.3", it is ${version === undefined ? 'missing' : JSON.stringify(version)}`,
    );
  }
  const given = desired['routes'] ?? {};
  if (!isJsonObject(given)) problems.push('routes must be an object of routes by name');
  const storeAndForward = desired['storeAndForwardConfiguration'];
  const timeToLiveS = readTimeToLive(storeAndForward, problems);
  const storeBytesMax = readStoreLimit(storeAndForward, problems);
  if (problems.length > 0 || !isJsonObject(given)) return { config: undefined, problems };

  const textsOnly = /^1\.0(\.|$)/.test(version as string);
  const routes: Record<string, RouteEntry> = Object.create(null) as Record<string, RouteEntry>;
  for (const [name, value] of Object.entries(given)) {
    if (textsOnly && typeof value === 'string' && value.trim() === '') continue;
    const entry = readEntry(value, textsOnly, reading, (problem) =>
      problems.push(`route "${name}": ${problem}`),
    );
    if (entry !== undefined) routes[name] = entry;
  }
  return { config: { routes, timeToLiveS, storeBytesMax }, problems };
}

/** Undefined after a problem was told. */
function readEntry(
  value: Json,
  textsOnly: boolean,
  reading: RouteReading,
  tell: (problem: string) => void,
): RouteEntry | undefined {
  const settings = isJsonObject(value) ? value : { route: value };
  if (textsOnly && isJsonObject(value)) {
    tell('schema 1.0 knows routes as texts only: set schemaVersion to "1.1" for this form');
    return undefined;
  }
  const text = settings['route'];
  if (typeof text !== 'string') {
    tell('it must be a text such as "FROM /messages/* INTO $upstream", or an object with "route"');
    return undefined;
  }
  const parsed = parseRoute(text, reading);
  if (!parsed.ok) for (const problem of parsed.problems) tell(describeProblem(problem));
  const priority = readWhole(settings, 'priority', PRIORITY_MAX, tell);
  const timeToLiveS = readWhole(settings, 'timeToLiveSecs', TIME_TO_LIVE_MAX, tell);
  if (!parsed.ok || priority === null || timeToLiveS === null) return undefined;
  return {
    route: parsed.route,
    priority: priority ?? PRIORITY_NONE,
    timeToLiveS: timeToLiveS ?? 0,
  };
}

/** Undefined when it is not there, null after a problem was told. */
function readWhole(
  settings: JsonObject,
  name: string,
  most: number,
  tell: (problem: string) => void,
): number | undefined | null {
  const value = settings[name] ?? undefined;
  if (value === undefined) return undefined;
  if (Number.isInteger(value) && (value as number) >= 0 && (value as number) <= most) {
    return value as number;
  }
  tell(`${name} must be a whole number from 0 to ${most}, it is ${JSON.stringify(value)}`);
  return null;
}

/**
 * Negative, missing or none at all = for ever. IoT Edge reads a timeToLiveSecs that is missing from a
 * present object as 0, "throw away at once": nobody who leaves a number out means that.
 */
function readTimeToLive(value: Json | undefined, problems: string[]): number {
  const settings = value ?? {};
  const seconds = isJsonObject(settings) ? (settings['timeToLiveSecs'] ?? -1) : undefined;
  if (!Number.isInteger(seconds)) {
    problems.push(
      `storeAndForwardConfiguration.timeToLiveSecs must be a whole number of seconds, negative for no limit, it is ${JSON.stringify(seconds ?? settings)}`,
    );
  }
  return (seconds as number) < 0 ? Number.POSITIVE_INFINITY : (seconds as number);
}

function readStoreLimit(value: Json | undefined, problems: string[]): number | undefined {
  const limits = isJsonObject(value) ? (value['storeLimits'] ?? {}) : {};
  const bytes = isJsonObject(limits) ? (limits['maxSizeBytes'] ?? -1) : undefined;
  if (!Number.isInteger(bytes)) {
    problems.push(
      `storeAndForwardConfiguration.storeLimits.maxSizeBytes must be a whole number of bytes, negative for none, it is ${JSON.stringify(bytes ?? limits)}`,
    );
  }
  return (bytes as number) < 0 ? undefined : (bytes as number);
}
