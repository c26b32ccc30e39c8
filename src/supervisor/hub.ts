/** edgeHub's part: `$edgeHub`'s desired properties become routes; one bad route costs only itself. */
import type { DesiredStatus } from '../core/deployment.ts';
import { isJsonObject, type Json, type JsonObject } from '../core/json.ts';
import type { Log, StoreWrite } from '../core/ports.ts';
import { parseHubConfig } from '../core/route-config.ts';
import { compileRoutes } from '../core/route-table.ts';
import { stripMetadata, versionOf } from '../core/twin.ts';
import type { Room } from './room.ts';
import type { Router } from './router.ts';

export interface Hub {
  /** The `$edgeHub` desired section is now this one. */
  desired(section: JsonObject): void;
  lastDesired(): { readonly version: number | undefined; readonly status: DesiredStatus };
}

export type HubDeps = {
  readonly router: Router;
  readonly room: Pick<Room, 'limitBytes'>;
  readonly log: Log;
  readonly write: (writes: readonly StoreWrite[]) => Promise<void>;
  readonly changed: () => void;
};

const DOCUMENT = 'routes';

/** `stored` is the document of the last run, so that routes work before the first word from the cloud. */
export function createHub(
  { router, room, log, write, changed }: HubDeps,
  stored: Json | undefined,
): Hub {
  let version: number | undefined;
  let status: DesiredStatus = { code: 406, description: 'no routes were received yet' };
  if (isJsonObject(stored) && isJsonObject(stored['desired'])) use(stored['desired']);

  /** True when there was something to use in it. */
  function use(section: JsonObject): boolean {
    const given = stripMetadata(section);
    // A new device's twin is empty: that is no mistake, there is just nothing yet.
    if (Object.keys(given).length === 0) return false;
    const { config, problems } = parseHubConfig(given);
    const description = problems.join('; ');
    if (problems.length > 0) log.error('problems in the routes', { problems });
    status = { code: problems.length === 0 ? 200 : 400, description };
    if (config === undefined) return false;
    version = versionOf(section);
    router.use(compileRoutes(config.routes), config.timeToLiveS);
    room.limitBytes(config.storeBytesMax);
    log.info('routes are in force', { routes: Object.keys(config.routes) });
    return true;
  }

  return {
    desired(section) {
      if (use(section))
        void write([{ kind: 'document', name: DOCUMENT, value: { desired: section } }]);
      changed();
    },
    lastDesired: () => ({ version, status }),
  };
}
