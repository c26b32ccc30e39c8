/** Which endpoints a message goes to. */
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
  /** One target per endpoint; the most urgent route wins and brings its time to live (spec/iotedge.md §6.10). */
  match(message: Message): readonly RouteTarget[];
}

export const PRIORITY_NONE = 2_000_000_000;
/** Sources come from module and output names, so there are few; a hostile module must not grow this. */
const REMEMBERED_MAX = 1_000;

export function compileRoutes(routes: Readonly<Record<string, RouteEntry>>): RouteTable {
  const entries = Object.values(routes);
  const bySource = new Map<string, readonly RouteTarget[]>();

  function evaluate(source: string): readonly RouteTarget[] {
    const normalised = normaliseSource(source);
    const byEndpoint = new Map<EndpointId, RouteTarget>();
    for (const { route, priority, timeToLiveS } of entries) {
      if (!normalised.startsWith(route.source)) continue;
      const before = byEndpoint.get(route.endpoint);
      if (before !== undefined && before.priority <= priority) continue;
      byEndpoint.set(route.endpoint, { endpoint: route.endpoint, priority, timeToLiveS });
    }
    return [...byEndpoint.values()];
  }

  return {
    match({ source }) {
      let targets = bySource.get(source);
      if (targets === undefined) {
        targets = evaluate(source);
        if (bySource.size < REMEMBERED_MAX) bySource.set(source, targets);
      }
      return targets;
    },
  };
}
