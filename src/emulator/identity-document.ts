/** What the hub knows of a device or module identity, and its JSON for services (spec/iothub.md §5.3). Pure. */
import { isJsonObject, type Json, type JsonObject } from '../core/json.ts';
import { HubError } from './hub-error.ts';
import type { IdentityName } from './identity-name.ts';
import { isKey } from './policies.ts';

export type IdentityDocument = {
  /** Made anew when an identity is deleted and created again; digits. */
  readonly generationId: string;
  readonly etag: number;
  readonly status: 'enabled' | 'disabled';
  readonly statusReason: string | null;
  readonly statusUpdatedTime: string;
  readonly authentication: Authentication;
  /** Devices only. */
  readonly iotEdge: boolean;
  readonly deviceScope: string;
  readonly parentScopes: readonly string[];
  /** Modules only: `IotEdge` or null. */
  readonly managedBy: string | null;
  readonly connectionStateUpdatedTime: string;
  readonly lastActivityTime: string;
};

export type Authentication = {
  readonly type: 'sas' | 'selfSigned' | 'certificateAuthority' | 'none';
  readonly primaryKey: string;
  readonly secondaryKey: string;
  readonly primaryThumbprint: string | null;
  readonly secondaryThumbprint: string | null;
};

/** The hub's way to say "never". */
export const NEVER = '0001-01-01T00:00:00';

/** What a request may ask of an identity; undefined = not said. */
export type IdentityWish = {
  readonly status: 'enabled' | 'disabled' | undefined;
  readonly statusReason: string | null;
  readonly authentication: Authentication | undefined;
  readonly iotEdge: boolean | undefined;
  readonly deviceScope: string | undefined;
  readonly parentScopes: readonly string[] | undefined;
  readonly managedBy: string | null | undefined;
};

const authenticationTypes = ['sas', 'selfSigned', 'certificateAuthority', 'none'] as const;

/** Reads the body of a PUT; throws ArgumentInvalid with every problem. Empty keys mean "yours to choose". */
export function parseIdentityWish(body: Json | undefined, name: IdentityName): IdentityWish {
  if (!isJsonObject(body ?? null)) {
    throw new HubError('ArgumentInvalid', 'the body must be a JSON object');
  }
  const given = body as JsonObject;
  const problems: string[] = [];
  for (const [key, expected] of [
    ['deviceId', name.device],
    ['moduleId', name.module],
  ] as const) {
    if (given[key] !== undefined && given[key] !== null && given[key] !== expected) {
      problems.push(`${key} in the body is not the one in the address`);
    }
  }
  const status = given['status'] ?? undefined;
  if (status !== undefined && status !== 'enabled' && status !== 'disabled') {
    problems.push('status must be "enabled" or "disabled"');
  }
  const authentication = parseAuthentication(given['authentication'], problems);
  if (problems.length > 0) throw new HubError('ArgumentInvalid', problems.join('; '));
  const capabilities = given['capabilities'];
  const iotEdge = isJsonObject(capabilities ?? null)
    ? (capabilities as JsonObject)['iotEdge']
    : undefined;
  const scopes = given['parentScopes'];
  return {
    status: status as IdentityWish['status'],
    statusReason: typeof given['statusReason'] === 'string' ? given['statusReason'] : null,
    authentication,
    iotEdge: typeof iotEdge === 'boolean' ? iotEdge : undefined,
    deviceScope:
      typeof given['deviceScope'] === 'string' && given['deviceScope'] !== ''
        ? given['deviceScope']
        : undefined,
    parentScopes: Array.isArray(scopes)
      ? scopes.filter((scope): scope is string => typeof scope === 'string')
      : undefined,
    managedBy:
      given['managedBy'] === undefined
        ? undefined
        : typeof given['managedBy'] === 'string'
          ? given['managedBy']
          : null,
  };
}

function parseAuthentication(
  value: Json | undefined,
  problems: string[],
): Authentication | undefined {
  if (value === undefined || value === null) return undefined;
  const given = isJsonObject(value) ? value : {};
  const type = given['type'] ?? 'sas';
  if (!authenticationTypes.includes(type as Authentication['type'])) {
    problems.push(`authentication.type must be one of ${authenticationTypes.join(', ')}`);
  }
  const keys = isJsonObject(given['symmetricKey'] ?? null)
    ? (given['symmetricKey'] as JsonObject)
    : {};
  const prints = isJsonObject(given['x509Thumbprint'] ?? null)
    ? (given['x509Thumbprint'] as JsonObject)
    : {};
  return {
    type: type as Authentication['type'],
    primaryKey: parseKey('primaryKey', keys, problems),
    secondaryKey: parseKey('secondaryKey', keys, problems),
    primaryThumbprint: textOrNull(prints['primaryThumbprint']),
    secondaryThumbprint: textOrNull(prints['secondaryThumbprint']),
  };
}

function parseKey(which: string, keys: JsonObject, problems: string[]): string {
  const key = textOrNull(keys[which]) ?? '';
  if (key !== '' && !isKey(key)) {
    problems.push(`authentication.symmetricKey.${which} must be 16 to 64 bytes in base64`);
  }
  return key;
}

function textOrNull(value: Json | undefined): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

/** The bare base64 etag of an identity. */
export function identityEtag(identity: IdentityDocument): string {
  return Buffer.from(String(identity.etag)).toString('base64');
}

/** What of an identity is not in its document: is it there, and does something wait for it? */
export type Presence = { readonly connected: boolean; readonly messagesWaiting: number };

/** The identity as the registry's REST interface shows it. */
export function identityView(
  name: IdentityName,
  identity: IdentityDocument,
  presence: Presence,
): JsonObject {
  const shared = {
    deviceId: name.device,
    generationId: identity.generationId,
    etag: identityEtag(identity),
    connectionState: presence.connected ? 'Connected' : 'Disconnected',
    connectionStateUpdatedTime: identity.connectionStateUpdatedTime,
    lastActivityTime: identity.lastActivityTime,
    cloudToDeviceMessageCount: presence.messagesWaiting,
    authentication: {
      symmetricKey: {
        primaryKey: identity.authentication.primaryKey || null,
        secondaryKey: identity.authentication.secondaryKey || null,
      },
      x509Thumbprint: {
        primaryThumbprint: identity.authentication.primaryThumbprint,
        secondaryThumbprint: identity.authentication.secondaryThumbprint,
      },
      type: identity.authentication.type,
    },
  };
  if (name.module !== '') {
    return { moduleId: name.module, managedBy: identity.managedBy, ...shared };
  }
  return {
    ...shared,
    status: identity.status,
    statusReason: identity.statusReason,
    statusUpdatedTime: identity.statusUpdatedTime,
    capabilities: { iotEdge: identity.iotEdge },
    deviceScope: identity.deviceScope,
    parentScopes: [...identity.parentScopes],
  };
}
