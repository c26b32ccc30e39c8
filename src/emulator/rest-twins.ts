/** REST: twins as services see and change them (spec/iothub.md §3.4, §5.2). */
import { isJsonObject, type Json, type JsonObject } from '../core/json.ts';
import { stripMetadata } from '../core/twin.ts';
import { HubError } from './hub-error.ts';
import { identityEtag, identityView, type Presence } from './identity-document.ts';
import type { IdentityName } from './identity-name.ts';
import type { IdentityRegistry } from './identity-registry.ts';
import { nameIn } from './rest-identities.ts';
import type { RestReply, RestRequest, RestRoute } from './rest-router.ts';
import { etagText, serviceView, type TwinDocument } from './twin-document.ts';
import type { TwinChange, TwinService } from './twin-service.ts';

export function twinRoutes(
  registry: IdentityRegistry,
  twins: TwinService,
  presence: (name: IdentityName) => Presence,
): readonly RestRoute[] {
  function reply(name: IdentityName, twin: TwinDocument): RestReply {
    const identity = registry.get(name);
    const device = registry.get({ device: name.device, module: '' });
    const view = identityView(name, identity, presence(name));
    const body: JsonObject = {
      deviceId: name.device,
      ...(name.module === '' ? {} : { moduleId: name.module }),
      deviceEtag: identityEtag(identity),
      status: device.status,
      statusUpdateTime: `${device.statusUpdatedTime.replace(/Z$/, '')}Z`,
      connectionState: view['connectionState'] as Json,
      lastActivityTime: `${identity.lastActivityTime.replace(/Z$/, '')}Z`,
      cloudToDeviceMessageCount: view['cloudToDeviceMessageCount'] as Json,
      authenticationType: identity.authentication.type,
      x509Thumbprint: {
        primaryThumbprint: identity.authentication.primaryThumbprint,
        secondaryThumbprint: identity.authentication.secondaryThumbprint,
      },
      modelId: '',
      ...serviceView(twin),
      ...(name.module === ''
        ? {
            capabilities: { iotEdge: device.iotEdge },
            deviceScope: device.deviceScope,
            parentScopes: [...device.parentScopes],
          }
        : {}),
    };
    return { status: 200, body, headers: { etag: `"${etagText(twin.etag)}"` } };
  }

  function read(request: RestRequest): RestReply {
    const name = nameIn(request);
    registry.get(name);
    return reply(name, twins.read(name));
  }

  const write =
    (how: 'merge' | 'replace') =>
    (request: RestRequest): RestReply => {
      const name = nameIn(request);
      registry.get(name);
      return reply(name, twins.change(name, how, parseChange(request.body), request.etag));
    };

  return ['/twins/:device', '/twins/:device/modules/:module'].flatMap((path): RestRoute[] => [
    { method: 'GET', path, right: 'ServiceConnect', handle: read },
    { method: 'PATCH', path, right: 'ServiceConnect', handle: write('merge') },
    { method: 'PUT', path, right: 'ServiceConnect', handle: write('replace') },
  ]);
}

/** Tools send back whole twins; what is not theirs to change is passed over. */
function parseChange(body: Json | undefined): TwinChange {
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
