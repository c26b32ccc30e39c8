/** Which endpoints a message goes to (spec/iotedge.md §6.10). */
import { type MessageView, viewMessage } from './condition-message.ts';
import type { EndpointId, Message } from './message.ts';
import { normaliseSource, type Route } from './route.ts';

export type RouteEntry = {
  readonly route: Route;
  /** 0 first … 9; PRIORITY_NONE when the deployment gives none. */
  readonly priority: number;
  /** Seconds; 0 = the hub's default. */
  readonly timeToLiveS: number;
};

export type RouteTarget = {
  readonly endpoint: EndpointId;
  readonly priority: number;
  readonly timeToLiveS: number;
};

export interface RouteTable {
  /** One target per endpoint; the most urgent route wins and brings its time to live. Never throws. */
  match(message: Message): readonly RouteTarget[];
}

export const PRIORITY_NONE = 2_000_000_000;
/** Sources come from module and output names, so there are few; a hostile module must not grow this. */
const REMEMBERED_MAX = 1_000;
const REMEMBERED_CHARS_MAX = 512;

type Candidate = { readonly target: RouteTarget; readonly condition: Route['condition'] };

/** The routes a source can take, the most urgent first. */
type Candidates = {
  readonly all: readonly Candidate[];
  /** The answer, when no condition can change it. */
  readonly settled: readonly RouteTarget[] | undefined;
};

export function compileRoutes(routes: Readonly<Record<string, RouteEntry>>): RouteTable {
  // Stable: of two routes with one priority, the earlier counts.
  const entries = Object.values(routes).sort((a, b) => a.priority - b.priority);
  const bySource = new Map<string, Candidates>();

  function candidatesOf(source: string): Candidates {
    const known = bySource.get(source);
    if (known !== undefined) return known;
    const found = findCandidates(entries, source);
    if (source.length > REMEMBERED_CHARS_MAX) return found;
    if (bySource.size >= REMEMBERED_MAX) bySource.clear();
    bySource.set(source, found);
    return found;
  }

  return {
    match(message) {
      const { all, settled } = candidatesOf(message.source);
      return settled ?? evaluate(all, viewMessage(message));
    },
  };
}

function findCandidates(entries: readonly RouteEntry[], source: string): Candidates {
  const normalised = normaliseSource(source);
  const unconditional = new Set<EndpointId>();
  const all: Candidate[] = [];
  for (const { route, priority, timeToLiveS } of entries) {
    const { condition, endpoint } = route;
    if (!normalised.startsWith(route.source) || unconditional.has(endpoint)) continue;
    if (condition === undefined) unconditional.add(endpoint);
    all.push({ target: { endpoint, priority, timeToLiveS }, condition });
  }
  const isSettled = all.every(({ condition }) => condition === undefined);
  return { all, settled: isSettled ? all.map(({ target }) => target) : undefined };
}

function evaluate(all: readonly Candidate[], view: MessageView): readonly RouteTarget[] {
  const targets: RouteTarget[] = [];
  for (const { target, condition } of all) {
    if (targets.some(({ endpoint }) => endpoint === target.endpoint)) continue;
    if (condition === undefined || condition.evaluate(view) === true) targets.push(target);
  }
  return targets;
}
