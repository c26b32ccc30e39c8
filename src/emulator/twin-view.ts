/** A twin as services see it: the twin, its identity, and who is connected, in one JSON (spec/iothub.md §3.4). */
import type { Json, JsonObject } from '../core/json.ts';
import { identityEtag, identityView, type Presence } from './identity-document.ts';
import type { IdentityName } from './identity-name.ts';
import type { IdentityRegistry } from './identity-registry.ts';
import { serviceView, type TwinDocument } from './twin-document.ts';
import type { TwinService } from './twin-service.ts';

/** Throws DeviceNotFound, ModuleNotFound. */
export type TwinView = (name: IdentityName) => {
  readonly twin: TwinDocument;
  readonly view: JsonObject;
};

export function createTwinView(parts: {
  readonly registry: IdentityRegistry;
  readonly twins: TwinService;
  readonly presence: (name: IdentityName) => Presence;
  /** Which configurations are meant for the twin, and which hold it; undefined = none. */
  readonly configurations: (name: IdentityName) => JsonObject | undefined;
}): TwinView {
  const { registry, twins, presence } = parts;
  return (name) => {
    const identity = registry.get(name);
    const device =
      name.module === '' ? identity : registry.get({ device: name.device, module: '' });
    const shown = identityView(name, identity, presence(name));
    const twin = twins.read(name);
    const configurations = parts.configurations(name);
    const view: JsonObject = {
      deviceId: name.device,
      ...(name.module === '' ? {} : { moduleId: name.module }),
      deviceEtag: identityEtag(identity),
      status: device.status,
      statusUpdateTime: inUtc(device.statusUpdatedTime),
      connectionState: shown['connectionState'] as Json,
      lastActivityTime: inUtc(identity.lastActivityTime),
      cloudToDeviceMessageCount: shown['cloudToDeviceMessageCount'] as Json,
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
      ...(configurations === undefined ? {} : { configurations }),
    };
    return { twin, view };
  };
}

function inUtc(time: string): string {
  return `${time.replace(/Z$/, '')}Z`;
}
