/** REST: devices and modules of the identity registry (spec/iothub.md §5.2, §6.1). */
import type { JsonObject } from '../core/json.ts';
import {
  type IdentityDocument,
  identityEtag,
  identityView,
  type Presence,
  parseIdentityWish,
} from './identity-document.ts';
import type { IdentityName } from './identity-name.ts';
import type { IdentityRegistry } from './identity-registry.ts';
import { type RestReply, type RestRequest, type RestRoute, topIn } from './rest-router.ts';

/** The hub's own page size. */
const DEVICES_MAX = 1_000;

export function identityRoutes(
  registry: IdentityRegistry,
  presence: (name: IdentityName) => Presence,
): readonly RestRoute[] {
  const view = (name: IdentityName, identity: IdentityDocument): JsonObject =>
    identityView(name, identity, presence(name));

  const reply = (name: IdentityName, identity: IdentityDocument): RestReply => ({
    status: 200,
    body: view(name, identity),
    headers: { etag: `"${identityEtag(identity)}"` },
  });

  function read(request: RestRequest): RestReply {
    const name = nameIn(request);
    return reply(name, registry.get(name));
  }

  /** Without If-Match it creates, with one it changes. */
  function put(request: RestRequest): RestReply {
    const name = nameIn(request);
    const wish = parseIdentityWish(request.body, name);
    return reply(
      name,
      request.conditional ? registry.update(name, wish, request.etag) : registry.create(name, wish),
    );
  }

  function remove(request: RestRequest): RestReply {
    registry.remove(nameIn(request), request.etag);
    return { status: 204 };
  }

  const device = '/devices/:device';
  const module = '/devices/:device/modules/:module';
  return [
    {
      method: 'GET',
      path: '/devices',
      right: 'RegistryRead',
      handle: ({ query }) => ({
        status: 200,
        body: registry
          .devices(topIn(query, DEVICES_MAX))
          .map(({ name, identity }) => view(name, identity)),
      }),
    },
    { method: 'GET', path: device, right: 'RegistryRead', handle: read },
    { method: 'PUT', path: device, right: 'RegistryWrite', handle: put },
    { method: 'DELETE', path: device, right: 'RegistryWrite', handle: remove },
    {
      method: 'GET',
      path: '/devices/:device/modules',
      right: 'RegistryRead',
      ownDevice: true,
      handle: ({ params }) => ({
        status: 200,
        body: registry
          .modules(params['device'] as string)
          .map(({ name, identity }) => view(name, identity)),
      }),
    },
    { method: 'GET', path: module, right: 'RegistryRead', ownDevice: true, handle: read },
    { method: 'PUT', path: module, right: 'RegistryWrite', ownDevice: true, handle: put },
    { method: 'DELETE', path: module, right: 'RegistryWrite', ownDevice: true, handle: remove },
  ];
}

/** The device or module a path names. */
export function nameIn(request: Pick<RestRequest, 'params'>): IdentityName {
  return {
    device: request.params['device'] as string,
    module: request.params['module'] ?? '',
  };
}
