/** REST: queries over twins, and how many there are of what (spec/iothub.md §5.2, §5.5). */
import { isJsonObject, type JsonObject } from '../core/json.ts';
import { HubError } from './hub-error.ts';
import type { IdentityRegistry } from './identity-registry.ts';
import { answerQuery, type QueryRow } from './query.ts';
import type { Query } from './query-parser.ts';
import type { RestReply, RestRequest, RestRoute } from './rest-router.ts';
import type { TwinView } from './twin-view.ts';

/** The hub's own page size, and the largest. */
const PAGE_MAX = 1_000;

/** The twins of a collection, in the order of their keys. */
export type QueryRows = (from: Query['from']) => Iterable<QueryRow>;

export function createQueryRows(registry: IdentityRegistry, viewOf: TwinView): QueryRows {
  return function* rows(from) {
    for (const name of registry.names(from === 'devices' ? 'devices' : 'modules')) {
      // The key is below every other character: what sorts by it sorts by device, then module.
      yield { key: `${name.device}\u0000${name.module}`, twin: viewOf(name).view };
    }
  };
}

export function queryRoutes(
  registry: IdentityRegistry,
  rows: QueryRows,
  connectedDevices: () => number,
): readonly RestRoute[] {
  function answer({ body, headers }: RestRequest): RestReply {
    const query = isJsonObject(body ?? null) ? (body as JsonObject)['query'] : undefined;
    if (typeof query !== 'string') {
      throw new HubError('ArgumentInvalid', 'the body must be {"query": "SELECT …"}');
    }
    const size = pageSize(headers);
    const continuation = headers['x-ms-continuation']?.toString();
    const page = answerQuery(query, { size, continuation }, rows);
    return {
      status: 200,
      body: page.items,
      headers: {
        'x-ms-item-type': page.itemType,
        ...(page.continuation === undefined ? {} : { 'x-ms-continuation': page.continuation }),
      },
    };
  }

  return [
    { method: 'POST', path: '/devices/query', right: 'ServiceConnect', handle: answer },
    {
      method: 'GET',
      path: '/statistics/devices',
      right: 'RegistryRead',
      handle() {
        const devices = [...registry.names('devices')].map((name) => registry.get(name));
        const enabledDeviceCount = devices.filter(({ status }) => status === 'enabled').length;
        return {
          status: 200,
          body: {
            totalDeviceCount: devices.length,
            enabledDeviceCount,
            disabledDeviceCount: devices.length - enabledDeviceCount,
          },
        };
      },
    },
    {
      method: 'GET',
      path: '/statistics/service',
      right: 'ServiceConnect',
      handle: () => ({ status: 200, body: { connectedDeviceCount: connectedDevices() } }),
    },
  ];
}

/** How many items the caller wants at once, PAGE_MAX at most. Throws ArgumentInvalid. */
export function pageSize(headers: RestRequest['headers']): number {
  const given = headers['x-ms-max-item-count']?.toString() ?? String(PAGE_MAX);
  if (!/^[1-9]\d{0,8}$/.test(given)) {
    throw new HubError('ArgumentInvalid', 'x-ms-max-item-count must be a whole number above 0');
  }
  return Math.min(Number(given), PAGE_MAX);
}
