/**
 * The provisioning service the suite runs against: an emulator of its own, or the one that
 * ISOLET_TEST_DPS names (a policy's connection string that may write enrolments) with its id scope in
 * ISOLET_TEST_DPS_ID_SCOPE. What the suite makes there it deletes, but for devices at the hub.
 */
import { readFileSync } from 'node:fs';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import provisioning from 'azure-iot-provisioning-device';
import provisioningMqtt from 'azure-iot-provisioning-device-mqtt';
import symmetricKey from 'azure-iot-security-symmetric-key';
import x509 from 'azure-iot-security-x509';
import { createServiceClient, type ServiceClient } from '../../../src/cli/cloud/service-client.ts';
import type { Json, JsonObject } from '../../../src/core/json.ts';
import type { Emulator } from '../../../src/emulator/emulator.ts';
import { within } from '../../fakes/within.ts';
import type { TestCertificate } from '../certificates.ts';
import { startHub } from '../hub-kit.ts';

const given = {
  service: process.env['ISOLET_TEST_DPS'],
  idScope: process.env['ISOLET_TEST_DPS_ID_SCOPE'],
};
/** The service in Azure takes its time. */
const PATIENCE_MS = given.service === undefined ? 20_000 : 120_000;

type Registered = {
  readonly registrationId: string;
  readonly deviceId: string;
  readonly assignedHub: string;
  readonly status: string;
  readonly substatus: string;
  readonly payload?: Json;
};

export type ProvisioningTarget = {
  /** Undefined where the service is a real one. */
  readonly emulator: Emulator | undefined;
  readonly idScope: string;
  readonly service: ServiceClient;
  /** A name nobody has. */
  newId(): string;
  /** Makes an enrolment, or a group; it goes in the end. */
  enrol(
    kind: 'enrollments' | 'enrollmentGroups',
    id: string,
    more: JsonObject,
  ): Promise<JsonObject>;
  /** The SDK's own registration. */
  registerByKey(id: string, key: string, payload?: JsonObject): Promise<Registered>;
  registerByCertificate(id: string, certificate: TestCertificate): Promise<Registered>;
  close(): Promise<void>;
};

export async function openProvisioningTarget(): Promise<ProvisioningTarget> {
  const emulator = given.service === undefined ? await startHub() : undefined;
  const caFile = emulator?.caFile;
  if (caFile !== undefined) {
    // The provisioning SDK takes no authority of its own.
    setDefaultCACertificates([...getCACertificates('default'), readFileSync(caFile, 'utf8')]);
  }
  const connectionString = given.service ?? (emulator?.ownerConnectionString as string);
  const service = createServiceClient({ connectionString, caFile });
  const host = emulator?.hostName ?? 'global.azure-devices-provisioning.net';
  const idScope = emulator?.idScope ?? (given.idScope as string);
  const made: string[] = [];
  let lastId = 0;

  function register(client: unknown, payload: JsonObject | undefined): Promise<Registered> {
    const { ProvisioningDeviceClient } = provisioning;
    const device = ProvisioningDeviceClient.create(
      host,
      idScope,
      new provisioningMqtt.Mqtt(),
      client as never,
    );
    if (payload !== undefined) device.setProvisioningPayload(payload);
    return within(PATIENCE_MS, 'a registration', device.register() as Promise<Registered>);
  }

  return {
    emulator,
    idScope,
    service,
    newId: () => `isolet-test-${Date.now().toString(36)}-${lastId++}`,
    async enrol(kind, id, more) {
      const path = `/${kind}/${id}`;
      const idName = kind === 'enrollments' ? 'registrationId' : 'enrollmentGroupId';
      const enrolled = await service.call('PUT', path, { [idName]: id, ...more });
      made.push(path);
      return enrolled as JsonObject;
    },
    registerByKey: (id, key, payload) =>
      register(new symmetricKey.SymmetricKeySecurityClient(id, key), payload),
    registerByCertificate: (id, { cert, key }) =>
      register(new x509.X509Security(id, { cert, key }), undefined),
    async close() {
      for (const path of made) {
        await service.call('DELETE', path, undefined, { absentIsFine: true, anyEtag: true });
      }
      await emulator?.forget();
    },
  };
}
