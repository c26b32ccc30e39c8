/**
 * DPS at work: who may register, the device that is made of it at the hub, and what became of it
 * (spec/iothub.md §7). One hub, so the assignment is never in doubt.
 */
import { createHmac, randomUUID, X509Certificate } from 'node:crypto';
import { isJsonObject, type Json, type JsonObject } from '../core/json.ts';
import {
  type ClientCertificate,
  chainProblem,
  commonName,
  hasThumbprint,
} from './client-certificate.ts';
import { type Enrolment, isRegistrationId, thumbprintOf } from './enrolment.ts';
import type { Enrolments } from './enrolments.ts';
import { HubError } from './hub-error.ts';
import { parseIdentityWish } from './identity-document.ts';
import type { IdentityRegistry } from './identity-registry.ts';
import { parseSas, signedBy } from './sas.ts';
import type { Surroundings } from './settings.ts';
import type { State } from './state.ts';
import type { TwinService } from './twin-service.ts';

/** What a device shows of itself. */
type Claim = {
  readonly idScope: string;
  readonly registrationId: string;
  /** A SharedAccessSignature; '' = none. */
  readonly token: string;
  readonly certificate: ClientCertificate | undefined;
};

/** A claim that holds: the enrolment it is made by, and the authentication its device gets at the hub. */
export type Admitted = {
  readonly registrationId: string;
  readonly enrolment: Enrolment;
  readonly authentication: JsonObject;
};

export interface Registrations {
  readonly idScope: string;
  /** Throws IotHubUnauthorizedAccess; the reason is in the log. */
  admit(claim: Claim): Admitted;
  /** Begins a registration; its state is asked for by `operation`. */
  register(admitted: Admitted, payload: Json | undefined): JsonObject;
  /** Throws OperationNotFound. */
  operation(admitted: Admitted, operationId: string): JsonObject;
  /** What is known of a registration. Throws RegistrationNotFound. */
  state(registrationId: string): JsonObject;
  ofGroup(groupId: string): readonly JsonObject[];
  /** Forgets it, not the device at the hub. Throws RegistrationNotFound. */
  forget(registrationId: string): void;
}

type Parts = {
  readonly enrolments: Enrolments;
  readonly registry: IdentityRegistry;
  readonly twins: TwinService;
  /** The hub devices are assigned to. */
  readonly hostName: () => string;
};

type Record = {
  readonly state: JsonObject;
  readonly enrolmentId: string;
  readonly operationId: string;
};

export function createRegistrations(
  state: State,
  { enrolments, registry, twins, hostName }: Parts,
  { clock, log, settings }: Surroundings,
): Registrations {
  const select = state.prepare('SELECT document FROM registration WHERE id = ?').pluck();
  const list = state.prepare('SELECT document FROM registration ORDER BY id').pluck();
  const upsert = state.prepare('INSERT OR REPLACE INTO registration VALUES (?, ?)');
  const drop = state.prepare('DELETE FROM registration WHERE id = ?');
  /** Operations under way: when they are over. The hub takes its time, so clients must poll. */
  const underWay = new Map<string, number>();
  const { dpsIdScope: idScope } = settings;

  function find(registrationId: string): Record | undefined {
    const document = select.get(registrationId.toLowerCase()) as string | undefined;
    return document === undefined ? undefined : (JSON.parse(document) as Record);
  }

  function get(registrationId: string): Record {
    const found = find(registrationId);
    if (found !== undefined) return found;
    throw new HubError('RegistrationNotFound', `${registrationId} has not registered`);
  }

  // ---- who may

  function admit(claim: Claim): Admitted {
    const { registrationId } = claim;
    const found = isRegistrationId(registrationId)
      ? (bySas(claim) ?? byCertificate(claim))
      : 'the registration id is none';
    if (typeof found === 'object') return { registrationId, ...found };
    log.warn('registration refused', { registrationId, reason: found });
    throw new HubError('IotHubUnauthorizedAccess', 'Unauthorized');
  }

  type Found = Omit<Admitted, 'registrationId'> | string;

  function bySas({ idScope: given, registrationId, token: text }: Claim): Found | undefined {
    if (given !== idScope) return `the id scope is ${idScope}, not ${given}`;
    const token = text === '' ? undefined : parseSas(text);
    if (token === undefined) return text === '' ? undefined : 'the token is none';
    if (token.expiresAtMs + settings.clockSkewMs <= clock.now()) return 'the token has run out';
    const resource = decodeURIComponent(token.resource).toLowerCase();
    if (resource !== `${idScope}/registrations/${registrationId}`.toLowerCase()) {
      return `the token is for ${token.resource}`;
    }
    const own = enrolments.find('individual', registrationId);
    for (const enrolment of own === undefined ? enrolments.all('group') : [own]) {
      if (enrolment.attestation.type !== 'symmetricKey') continue;
      const keys =
        enrolment.kind === 'individual'
          ? enrolment.attestation.keys
          : enrolment.attestation.keys.map((key) => derivedKey(key, registrationId));
      if (!signedBy(token, keys)) continue;
      const [primaryKey, secondaryKey] = keys as [string, string];
      return {
        enrolment,
        authentication: { type: 'sas', symmetricKey: { primaryKey, secondaryKey } },
      };
    }
    return own === undefined ? 'no enrollment has this key' : 'the key is wrong';
  }

  function byCertificate({ registrationId, certificate }: Claim): Found {
    if (certificate === undefined) return 'it showed neither a token nor a certificate';
    const { leaf } = certificate;
    if (commonName(leaf).toLowerCase() !== registrationId.toLowerCase()) {
      return `the certificate is for ${commonName(leaf)}`;
    }
    const own = enrolments.find('individual', registrationId);
    for (const enrolment of own === undefined ? enrolments.all('group') : [own]) {
      const { attestation } = enrolment;
      if (attestation.type !== 'x509') continue;
      const known = attestation.certificates.map((pem) => new X509Certificate(pem));
      const fits =
        enrolment.kind === 'individual'
          ? hasThumbprint(leaf, [...known.map(thumbprintOf), ...attestation.thumbprints])
          : chainProblem(certificate, known, clock.now()) === undefined;
      if (!fits) continue;
      const thumbprint = thumbprintOf(leaf);
      const x509Thumbprint = { primaryThumbprint: thumbprint, secondaryThumbprint: thumbprint };
      return { enrolment, authentication: { type: 'selfSigned', x509Thumbprint } };
    }
    return own === undefined
      ? 'no enrollment has an authority above this certificate'
      : 'the enrollment has another certificate';
  }

  // ---- what becomes of it

  function register(admitted: Admitted, payload: Json | undefined): JsonObject {
    const { enrolment, registrationId } = admitted;
    const now = new Date(clock.now()).toISOString();
    const before = find(registrationId)?.state;
    const deviceId = enrolment.deviceId ?? registrationId;
    if (enrolment.enabled) place(deviceId, admitted);
    const operationId = `4.${randomUUID()}`;
    const etag = Buffer.from(operationId).toString('base64');
    const known = {
      registrationId,
      createdDateTimeUtc: before?.['createdDateTimeUtc'] ?? now,
      lastUpdatedDateTimeUtc: now,
      etag,
    };
    const outcome: JsonObject = enrolment.enabled
      ? {
          assignedHub: hostName(),
          deviceId,
          status: 'assigned',
          substatus: 'initialAssignment',
          ...(payload === undefined ? {} : { payload }),
        }
      : { status: 'disabled' };
    const record: Record = {
      state: { ...known, ...outcome },
      enrolmentId: enrolment.id,
      operationId,
    };
    upsert.run(registrationId.toLowerCase(), JSON.stringify(record));
    underWay.set(operationId, clock.elapsed() + settings.dpsAssignMs);
    clock.after(settings.dpsAssignMs, () => underWay.delete(operationId));
    return { operationId, status: 'assigning' };
  }

  /** The device at the hub, made or brought to what the enrolment says now. */
  function place(deviceId: string, { enrolment, authentication }: Admitted): void {
    const name = { device: deviceId, module: '' };
    const { iotEdge, initialTwin } = enrolment;
    const wish = parseIdentityWish({ authentication, capabilities: { iotEdge } }, name);
    if (registry.find(name) !== undefined) {
      registry.update(name, wish, undefined);
      return;
    }
    registry.create(name, wish);
    const { tags, properties } = initialTwin;
    const desired = isJsonObject(properties ?? null)
      ? (properties as JsonObject)['desired']
      : undefined;
    if (tags === undefined && desired === undefined) return;
    const change = { tags: optional(tags), desired: optional(desired) };
    twins.change(name, 'merge', change, undefined);
  }

  return {
    idScope,
    admit,
    register,
    operation({ registrationId }, operationId) {
      const record = get(registrationId);
      if (record.operationId !== operationId) {
        throw new HubError('OperationNotFound', `there is no operation ${operationId}`);
      }
      if (underWay.has(operationId)) return { operationId, status: 'assigning' };
      const { status = 'assigned' } = record.state;
      return { operationId, status, registrationState: record.state };
    },
    state: (registrationId) => get(registrationId).state,
    ofGroup: (groupId) =>
      (list.all() as string[])
        .map((document) => JSON.parse(document) as Record)
        .filter(({ enrolmentId }) => enrolmentId.toLowerCase() === groupId.toLowerCase())
        .map((record) => record.state),
    forget(registrationId) {
      get(registrationId);
      drop.run(registrationId.toLowerCase());
    },
  };
}

/** The key of a device of a group (spec/iothub.md §7). */
export function derivedKey(groupKey: string, registrationId: string): string {
  return createHmac('sha256', Buffer.from(groupKey, 'base64'))
    .update(registrationId)
    .digest('base64');
}

function optional(value: Json | undefined): JsonObject | undefined {
  return isJsonObject(value ?? null) ? (value as JsonObject) : undefined;
}
