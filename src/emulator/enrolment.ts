/** What DPS knows of an enrolment, individual or group, and its JSON for services. Pure but for new keys. */
import { X509Certificate } from 'node:crypto';
import { isJsonObject, type Json, type JsonObject } from '../core/json.ts';
import { HubError } from './hub-error.ts';
import { isKey, newKey } from './policies.ts';

export type EnrolmentKind = 'individual' | 'group';

export type Attestation =
  | { readonly type: 'symmetricKey'; readonly keys: readonly [primary: string, secondary: string] }
  /** Individual: its own certificates; group: those of the authorities above its devices. */
  | {
      readonly type: 'x509';
      /** PEM texts; a certificate may be known by its thumbprint alone. */
      readonly certificates: readonly string[];
      readonly thumbprints: readonly string[];
    };

export type Enrolment = {
  readonly kind: EnrolmentKind;
  /** A registration id, or the name of a group. */
  readonly id: string;
  /** The device's id at the hub; undefined = its registration id. Never of a group. */
  readonly deviceId: string | undefined;
  readonly attestation: Attestation;
  readonly enabled: boolean;
  readonly iotEdge: boolean;
  /** `{ tags?, properties?: { desired? } }`, as it was given. */
  readonly initialTwin: JsonObject;
  readonly reprovisionPolicy: JsonObject;
  readonly etag: number;
  readonly createdDateTimeUtc: string;
  readonly lastUpdatedDateTimeUtc: string;
};

/** A registration id, compared without case (spec/iothub.md §7). */
const ID = /^[A-Za-z0-9](?:[A-Za-z0-9\-._:]{0,126}[A-Za-z0-9-])?$/;

export function isRegistrationId(text: string): boolean {
  return ID.test(text);
}

const idName: Readonly<Record<EnrolmentKind, string>> = {
  individual: 'registrationId',
  group: 'enrollmentGroupId',
};

/** Reads the body of a PUT; throws ArgumentInvalid with every problem. Keys that are not given are made, or stay. */
export function parseEnrolment(
  kind: EnrolmentKind,
  id: string,
  body: Json | undefined,
  before: Enrolment | undefined,
  now: string,
): Enrolment {
  if (!isJsonObject(body ?? null)) throw invalid('the body must be a JSON object');
  const given = body as JsonObject;
  const problems: string[] = [];
  if (!isRegistrationId(id)) {
    problems.push(`${idName[kind]} must be letters, digits and -._: alone, 128 at most`);
  }
  const named = given[idName[kind]];
  if (named !== undefined && named !== id) {
    problems.push(`${idName[kind]} in the body is not the one in the address`);
  }
  const status = given['provisioningStatus'] ?? 'enabled';
  if (status !== 'enabled' && status !== 'disabled') {
    problems.push('provisioningStatus must be "enabled" or "disabled"');
  }
  const deviceId = given['deviceId'];
  if (deviceId !== undefined && deviceId !== null && typeof deviceId !== 'string') {
    problems.push('deviceId must be a text');
  }
  const attestation = parseAttestation(kind, given['attestation'], before?.attestation, problems);
  if (problems.length > 0 || attestation === undefined) throw invalid(problems.join('; '));
  return {
    kind,
    id,
    deviceId: kind === 'individual' && typeof deviceId === 'string' ? deviceId : undefined,
    attestation,
    enabled: status === 'enabled',
    iotEdge: objectOf(given['capabilities'])['iotEdge'] === true,
    initialTwin: objectOf(given['initialTwin']),
    reprovisionPolicy: {
      updateHubAssignment: true,
      migrateDeviceData: true,
      ...objectOf(given['reprovisionPolicy']),
    },
    etag: (before?.etag ?? 0) + 1,
    createdDateTimeUtc: before?.createdDateTimeUtc ?? now,
    lastUpdatedDateTimeUtc: now,
  };
}

function parseAttestation(
  kind: EnrolmentKind,
  value: Json | undefined,
  before: Attestation | undefined,
  problems: string[],
): Attestation | undefined {
  const given = objectOf(value);
  if (given['type'] === 'symmetricKey') {
    const { primaryKey, secondaryKey } = objectOf(given['symmetricKey']);
    const stays = before?.type === 'symmetricKey' ? before.keys : undefined;
    const keys = [primaryKey, secondaryKey].map((key, index) => {
      if (typeof key !== 'string' || key === '') return stays?.[index] ?? newKey();
      if (!isKey(key)) problems.push('a symmetric key must be 16 to 64 bytes in base64');
      return key;
    });
    return { type: 'symmetricKey', keys: keys as [string, string] };
  }
  if (given['type'] === 'x509') return parseCertificates(kind, objectOf(given['x509']), problems);
  problems.push(
    given['type'] === 'tpm'
      ? 'attestation.type "tpm" is not supported by the emulator'
      : 'attestation.type must be "symmetricKey" or "x509"',
  );
  return undefined;
}

function parseCertificates(kind: EnrolmentKind, x509: JsonObject, problems: string[]): Attestation {
  const where = kind === 'individual' ? 'clientCertificates' : 'signingCertificates';
  const certificates: string[] = [];
  const thumbprints: string[] = [];
  for (const which of ['primary', 'secondary']) {
    const { certificate, info } = objectOf(objectOf(x509[where])[which]);
    const { sha256Thumbprint } = objectOf(info);
    if (typeof certificate === 'string') {
      const pem = asPem(certificate);
      if (pem === undefined) problems.push(`attestation.x509.${where}.${which} is no certificate`);
      else certificates.push(pem);
    } else if (typeof sha256Thumbprint === 'string') thumbprints.push(sha256Thumbprint);
  }
  if (certificates.length + thumbprints.length === 0) {
    problems.push(`attestation.x509.${where}.primary.certificate is missing`);
  }
  return { type: 'x509', certificates, thumbprints };
}

/** PEM, or the base64 within it, as services send either. */
function asPem(text: string): string | undefined {
  for (const candidate of [
    text,
    `-----BEGIN CERTIFICATE-----\n${text.replaceAll(/\s/g, '')}\n-----END CERTIFICATE-----\n`,
  ]) {
    try {
      new X509Certificate(candidate);
      return candidate;
    } catch {
      // The next form, or none.
    }
  }
  return undefined;
}

export function enrolmentEtag({ etag }: Enrolment): string {
  return Buffer.from(String(etag)).toString('base64');
}

/** As the service's REST interface shows it: keys only when asked for by `attestationView`. */
export function enrolmentView(enrolment: Enrolment): JsonObject {
  const { kind, id, deviceId, attestation, enabled, iotEdge, initialTwin } = enrolment;
  return {
    [idName[kind]]: id,
    ...(kind === 'individual' ? { deviceId: deviceId ?? id } : {}),
    attestation:
      attestation.type === 'symmetricKey'
        ? { type: 'symmetricKey' }
        : attestationView(attestation, kind),
    capabilities: { iotEdge },
    initialTwin,
    etag: enrolmentEtag(enrolment),
    provisioningStatus: enabled ? 'enabled' : 'disabled',
    reprovisionPolicy: enrolment.reprovisionPolicy,
    allocationPolicy: 'hashed',
    createdDateTimeUtc: enrolment.createdDateTimeUtc,
    lastUpdatedDateTimeUtc: enrolment.lastUpdatedDateTimeUtc,
  };
}

/** The attestation, with its keys. */
export function attestationView(attestation: Attestation, kind: EnrolmentKind): JsonObject {
  if (attestation.type === 'symmetricKey') {
    const [primaryKey, secondaryKey] = attestation.keys;
    return { type: 'symmetricKey', symmetricKey: { primaryKey, secondaryKey } };
  }
  const infos = [
    ...attestation.certificates.map((pem) => thumbprintOf(new X509Certificate(pem))),
    ...attestation.thumbprints,
  ].map((sha256Thumbprint) => ({ info: { sha256Thumbprint } }));
  const [primary = null, secondary = null] = infos;
  const where = kind === 'individual' ? 'clientCertificates' : 'signingCertificates';
  return { type: 'x509', x509: { [where]: { primary, secondary } } };
}

/** SHA-256, upper-case hex without colons. */
export function thumbprintOf(certificate: X509Certificate): string {
  return certificate.fingerprint256.replaceAll(':', '');
}

function objectOf(value: Json | undefined): JsonObject {
  return isJsonObject(value ?? null) ? (value as JsonObject) : {};
}

function invalid(message: string): HubError {
  return new HubError('ArgumentInvalid', message);
}
