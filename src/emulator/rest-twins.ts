/** REST: twins as services see and change them (spec/iothub.md §3.4, §5.2). */
import { isJsonObject, type Json, type JsonObject } from '../core/json.ts';
import { stripMetadata } from '../core/twin.ts';
import { HubError } from './hub-error.ts';
import type { IdentityName } from './identity-name.ts';
import type { IdentityRegistry } from './identity-registry.ts';
import { nameIn } from './rest-identities.ts';
import type { RestReply, RestRequest, RestRoute } from './rest-router.ts';
import { etagText } from './twin-document.ts';
import type { TwinChange, TwinService } from './twin-service.ts';
import type { TwinView } from './twin-view.ts';

export function twinRoutes(
  registry: IdentityRegistry,
  twins: TwinService,
  viewOf: TwinView,
): readonly RestRoute[] {
  function reply(name: IdentityName): RestReply {
    const { twin, view } = viewOf(name);
    return { status: 200, body: view, headers: { etag: `"${etagText(twin.etag)}"` } };
  }

  const write =
    (how: 'merge' | 'replace') =>
    (request: RestRequest): RestReply => {
      const name = nameIn(request);
      registry.get(name);
      twins.change(name, how, parseTwinChange(request.body), request.etag);
      return reply(name);
    };

  return ['/twins/:device', '/twins/:device/modules/:module'].flatMap((path): RestRoute[] => [
    { method: 'GET', path, right: 'ServiceConnect', handle: (request) => reply(nameIn(request)) },
    { method: 'PATCH', path, right: 'ServiceConnect', handle: write('merge') },
    { method: 'PUT', path, right: 'ServiceConnect', handle: write('replace') },
  ]);
}

/** Tools send back whole twins; what is not theirs to change is passed over. Throws ArgumentInvalid. */
export function parseTwinChange(body: Json | undefined): TwinChange {
  if (!isJsonObject(body ?? null)) {
    throw new HubError('ArgumentInvalid', 'the body must be a JSON object');
  }
  const { tags, properties } = body as JsonObject;
  const desired = isJsonObject(properties ?? null)
    ? (properties as JsonObject)['desired']
    : undefined;
  return { tags: section('tags', tags), desired: section('properties.desired', desired) };
}

function section(where: string, value: Json | undefined): JsonObject | undefined {
  if (value === undefined || value === null) return undefined;
  if (!isJsonObject(value)) throw new HubError('ArgumentInvalid', `${where} must be an object`);
  return stripMetadata(value);
}
