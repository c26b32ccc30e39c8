/** `[provisioning]` of config.toml: who this device is at which hub, as IoT Edge writes it (spec/iotedge.md §12.1). */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isTable, type Table } from './config-keys.ts';
import { Fault } from './core/fault.ts';
import type { Json } from './core/json.ts';
import { certificateProblems, commonName } from './identity/certificate-check.ts';
import { parseConnectionString } from './identity/connection-string.ts';
import {
  type DeviceIdentity,
  type DeviceProof,
  hostProblem,
  isDeviceId,
  isKey,
} from './identity/device-identity.ts';

/** When a device that was assigned to a hub by DPS asks it again. */
const reprovisioningModes = ['Dynamic', 'AlwaysOnStartup', 'OnErrorOnly'] as const;
type ReprovisioningMode = (typeof reprovisioningModes)[number];

type DpsProvisioning = {
  readonly source: 'dps';
  /** Host name, with `:port` when it is not the standard one. */
  readonly endpoint: string;
  readonly idScope: string;
  readonly registrationId: string;
  readonly proof: DeviceProof;
  /** What the allocation may look at; undefined = nothing. */
  readonly payload: Json | undefined;
  readonly reprovisioning: ReprovisioningMode;
};

/** How the device is provisioned; `none` = it works without a cloud. */
export type Provisioning =
  | { readonly source: 'manual'; readonly device: DeviceIdentity }
  | DpsProvisioning
  | { readonly source: 'none' };

const NONE: Provisioning = { source: 'none' };
const DPS_HOST = 'global.azure-devices-provisioning.net';
/** DPS takes no more (spec/iothub.md). */
const REGISTRATION_ID = /^[A-Za-z0-9][A-Za-z0-9\-._:]{0,127}$/;

/** @param table the whole config. `folder`: relative paths start there. Problems begin with the path of a key. */
export function readProvisioning(
  table: Table,
  { folder, nowMs }: { readonly folder: string; readonly nowMs: number },
  problems: string[],
): Provisioning {
  const provisioning = isTable(table['provisioning']) ? table['provisioning'] : {};
  const before = problems.length;
  const read = readSource();
  return problems.length > before ? NONE : (read ?? NONE);

  function readSource(): Provisioning | undefined {
    const { source } = provisioning;
    if (source === 'none') return NONE;
    if (source === 'manual') return readManual();
    if (source === 'dps') return readDps();
    problems.push(
      `provisioning.source must be "manual", "dps" or "none", it is ${source === undefined ? 'missing' : JSON.stringify(source)}`,
    );
    return undefined;
  }

  function readManual(): Provisioning | undefined {
    const at = 'provisioning.connection_string';
    const connectionString = provisioning['connection_string'];
    const parts = ['iothub_hostname', 'device_id', 'authentication'].filter(
      (key) => provisioning[key] !== undefined,
    );
    if (typeof connectionString === 'string') {
      if (parts.length > 0) problems.push(`${at} says it all: leave ${parts.join(', ')} out`);
      try {
        return { source: 'manual', device: parseConnectionString(connectionString) };
      } catch (cause) {
        if (!(cause instanceof Fault)) throw cause;
        problems.push(`${at}: ${cause.message}`);
        return undefined;
      }
    }
    if (parts.length === 0) {
      problems.push(
        `${at} is missing: copy it from your hub; or name iothub_hostname, device_id and authentication`,
      );
      return undefined;
    }
    const hostName = text('iothub_hostname', hostProblem);
    const deviceId = text('device_id', (id) =>
      isDeviceId(id) ? undefined : 'is no id a hub would accept',
    );
    const proof = readProof('authentication', 'sas', 'device_id_pk');
    if (proof === undefined) return undefined;
    return { source: 'manual', device: { hostName, deviceId, proof } };
  }

  function readDps(): Provisioning | undefined {
    const endpoint = text(
      'global_endpoint',
      (url) => hostProblem(url.replace(/^https:\/\//, '').replace(/\/$/, '')),
      `https://${DPS_HOST}`,
    )
      .replace(/^https:\/\//, '')
      .replace(/\/$/, '');
    const idScope = text('id_scope', (scope) =>
      /^[A-Za-z0-9]{1,32}$/.test(scope) ? undefined : 'must look like 0ne00ABCDEF',
    );
    const proof = readProof('attestation', 'symmetric_key', 'symmetric_key');
    const mode = table['auto_reprovisioning_mode'] ?? 'Dynamic';
    const reprovisioning = reprovisioningModes.find((one) => one === mode);
    if (reprovisioning === undefined) {
      problems.push(
        `auto_reprovisioning_mode must be ${reprovisioningModes.join(', ')}; it is ${JSON.stringify(mode)}`,
      );
    }
    const registrationId = readRegistrationId(proof);
    const payload = readPayload();
    if (proof === undefined || reprovisioning === undefined) return undefined;
    return { source: 'dps', endpoint, idScope, registrationId, proof, payload, reprovisioning };
  }

  function readRegistrationId(proof: DeviceProof | undefined): string {
    const at = 'provisioning.attestation.registration_id';
    const attestation = isTable(provisioning['attestation']) ? provisioning['attestation'] : {};
    const named = attestation['registration_id'];
    const id =
      named ?? (proof?.kind === 'certificate' ? commonName(proof.certificate) : undefined) ?? '';
    if (id === '' && proof !== undefined) problems.push(`${at} is missing`);
    else if (id !== '' && !REGISTRATION_ID.test(String(id))) {
      problems.push(`${at} must be letters, digits and -._: alone, 128 at most`);
    }
    return String(id);
  }

  function readPayload(): Json | undefined {
    const payload = provisioning['payload'];
    if (payload === undefined) return undefined;
    const read = keyText(payload, 'provisioning.payload');
    try {
      return read === undefined ? undefined : (JSON.parse(read) as Json);
    } catch {
      problems.push('provisioning.payload is no JSON');
      return undefined;
    }
  }

  /** A text that must be there, unless there is a `fallback`. */
  function text(
    key: string,
    problemOf: (value: string) => string | undefined,
    fallback?: string,
  ): string {
    const value = provisioning[key] ?? fallback;
    const problem = typeof value === 'string' ? problemOf(value) : 'is missing';
    if (problem !== undefined) problems.push(`provisioning.${key} ${problem}`);
    return typeof value === 'string' ? value : '';
  }

  /** @param keyMethod what the method with a symmetric key is called there; `keyName`: where that stands. */
  function readProof(
    sectionName: string,
    keyMethod: string,
    keyName: string,
  ): DeviceProof | undefined {
    const at = `provisioning.${sectionName}`;
    const section = provisioning[sectionName];
    if (!isTable(section)) {
      problems.push(`${at} is missing: [${at}] says how the device proves who it is`);
      return undefined;
    }
    const { method } = section;
    if (method === keyMethod) {
      const key = keyText(section[keyName], `${at}.${keyName}`)?.trim();
      if (key === undefined) return undefined;
      if (isKey(key) && key !== '') return { kind: 'key', key };
      problems.push(`${at}.${keyName} is not base64: was it cut off when it was copied?`);
      return undefined;
    }
    if (method === 'x509') return readCertificate(section, at);
    problems.push(
      method === 'tpm'
        ? `${at}.method: a TPM is not supported: use "${keyMethod}" or "x509"`
        : `${at}.method must be "${keyMethod}" or "x509", it is ${method === undefined ? 'missing' : JSON.stringify(method)}`,
    );
    return undefined;
  }

  function readCertificate(section: Table, at: string): DeviceProof | undefined {
    const certificate = fileText(section['identity_cert'], `${at}.identity_cert`);
    const privateKey = fileText(section['identity_pk'], `${at}.identity_pk`);
    if (certificate === undefined || privateKey === undefined) return undefined;
    const found = certificateProblems(certificate, privateKey, nowMs);
    problems.push(
      ...found.certificate.map((problem) => `${at}.identity_cert ${problem}`),
      ...found.privateKey.map((problem) => `${at}.identity_pk ${problem}`),
    );
    return { kind: 'certificate', certificate, privateKey };
  }

  /** The text of `{ value }` or `{ uri }`. */
  function keyText(value: unknown, at: string): string | undefined {
    if (isTable(value) && typeof value['value'] === 'string') return value['value'];
    if (isTable(value) && value['uri'] !== undefined) return fileText(value['uri'], `${at}.uri`);
    problems.push(`${at} is missing: { value = "…" } or { uri = "file:///…" }`);
    return undefined;
  }

  function fileText(uri: unknown, at: string): string | undefined {
    if (isTable(uri)) {
      problems.push(`${at}: certificates are not fetched here yet: name a file`);
      return undefined;
    }
    if (typeof uri !== 'string') {
      problems.push(`${at} is missing: "file:///…"`);
      return undefined;
    }
    if (/^pkcs11:/i.test(uri)) {
      problems.push(`${at}: keys in hardware (pkcs11) are not supported: name a file`);
      return undefined;
    }
    const path = uri.startsWith('file://') ? fileURLToPath(uri) : resolve(folder, uri);
    try {
      return readFileSync(path, 'utf8');
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException;
      problems.push(
        `${at}: ${path} cannot be read (${code}): give it to the user isolet runs as, or name another`,
      );
      return undefined;
    }
  }
}
