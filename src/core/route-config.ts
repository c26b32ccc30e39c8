/** `$edgeHub`'s desired properties: routes and how long messages are kept (spec/iotedge.md §5.1). */
import { isJsonObject, type Json, type JsonObject } from './json.ts';
import { parseRoute } from './route.ts';
import { PRIORITY_NONE, type RouteEntry } from './route-table.ts';

export type HubConfig = {
  readonly routes: Readonly<Record<string, RouteEntry>>;
  /** Seconds; Infinity = for ever. */
  readonly timeToLiveS: number;
};

/**
 * Undefined config = nothing of it can be used. A bad route is a problem and costs only itself: the
 * others are in force (IoT Edge would refuse them all, docs/differences.md).
 */
export function parseHubConfig(desired: JsonObject): {
  readonly config: HubConfig | undefined;
  readonly problems: readonly string[];
} {
  const problems: string[] = [];
  const version = desired['schemaVersion'];
  if (typeof version !== 'string' || !/^1\.[0-3](\.\d+)*$/.test(version)) {
    problems.push(
      `schemaVersion must be "1.0" to "1.3", it is ${version === undefined ? 'missing' : JSON.stringify(version)}`,
    );
    return { config: undefined, problems };
  }
  const given = desired['routes'] ?? {};
  if (!isJsonObject(given)) {
    problems.push('routes must be an object of routes by name');
    return { config: undefined, problems };
  }
  const routes: Record<string, RouteEntry> = {};
  for (const [name, value] of Object.entries(given)) {
    const entry = readRoute(name, value, problems);
    if (entry !== undefined) routes[name] = entry;
  }
  const timeToLiveS = readStoreAndForward(desired['storeAndForwardConfiguration'], problems);
  return { config: { routes, timeToLiveS }, problems };
}

function readRoute(name: string, value: Json, problems: string[]): RouteEntry | undefined {
  const path = `routes.${name}`;
  const text = isJsonObject(value) ? value['route'] : value;
  if (typeof text !== 'string') {
    problems.push(`${path} must be a route, or an object with "route"`);
    return undefined;
  }
  const parsed = parseRoute(text);
  if (!parsed.ok) {
    problems.push(`${path}: ${parsed.problem.message}, at column ${parsed.problem.column}`);
    return undefined;
  }
  const before = problems.length;
  const settings = isJsonObject(value) ? value : {};
  const priority = whole(settings['priority'], PRIORITY_NONE, 9, `${path}.priority`, problems);
  const timeToLiveS = whole(
    settings['timeToLiveSecs'],
    0,
    4_294_967_295,
    `${path}.timeToLiveSecs`,
    problems,
  );
  return problems.length > before ? undefined : { route: parsed.value, priority, timeToLiveS };
}

/** Negative, missing or none at all = for ever: nobody who leaves a number out means "throw away at once". */
function readStoreAndForward(value: Json | undefined, problems: string[]): number {
  if (value === undefined || value === null) return Number.POSITIVE_INFINITY;
  const seconds = isJsonObject(value) ? (value['timeToLiveSecs'] ?? -1) : Number.NaN;
  if (typeof seconds !== 'number' || Number.isNaN(seconds)) {
    problems.push('storeAndForwardConfiguration.timeToLiveSecs must be a number of seconds');
    return Number.POSITIVE_INFINITY;
  }
  return seconds < 0 ? Number.POSITIVE_INFINITY : seconds;
}

function whole(
  value: Json | undefined,
  fallback: number,
  most: number,
  path: string,
  problems: string[],
): number {
  if (value === undefined || value === null) return fallback;
  if (Number.isInteger(value) && (value as number) >= 0 && (value as number) <= most) {
    return value as number;
  }
  problems.push(`${path} must be a whole number from 0 to ${most}, it is ${JSON.stringify(value)}`);
  return fallback;
}
