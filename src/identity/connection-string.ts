/** A device's connection string, read with all its problems listed and its key never shown. */
import { Fault } from '../core/fault.ts';
import { type DeviceIdentity, hostProblem, isDeviceId, isKey } from './device-identity.ts';

const SHAPE = 'HostName=…;DeviceId=…;SharedAccessKey=…';

/** What people paste by mistake, and what they should paste instead. */
const wrongKinds: Readonly<Record<string, string>> = {
  SharedAccessKeyName: "it is a service's connection string; use the device's",
  ModuleId: "it is a module's connection string; use the device's",
  GatewayHostName: 'GatewayHostName is not supported; this device speaks to the hub itself',
  x509: 'a device with a certificate has no connection string here; write iothub_hostname, device_id and [provisioning.authentication] with method = "x509" instead',
};

/** Reads `HostName=…;DeviceId=…;SharedAccessKey=…`. Throws CONFIG_INVALID with all problems, never the key. */
export function parseConnectionString(text: string): DeviceIdentity {
  const problems: string[] = [];
  const fields = new Map<string, string>();
  for (const part of text.trim().split(';')) {
    if (part.trim() === '') continue;
    const at = part.indexOf('=');
    const name = part.slice(0, Math.max(at, 0)).trim();
    // A part that is not as it should be may be a piece of the key: it is not shown.
    if (name === '') problems.push('it has a part that is not name=value');
    else if (fields.has(name)) problems.push('it names one thing twice');
    else fields.set(name, part.slice(at + 1).trim());
  }
  for (const [name, problem] of Object.entries(wrongKinds)) {
    if (fields.has(name)) problems.push(problem);
  }

  const read = (name: string, problemOf: (value: string) => string | undefined): string => {
    const value = fields.get(name) ?? '';
    const problem = problemOf(value);
    if (value === '') problems.push(`it has no ${name}`);
    else if (problem !== undefined) problems.push(`its ${name} ${problem}`);
    return value;
  };
  const hostName = read('HostName', hostProblem);
  const deviceId = read('DeviceId', (value) =>
    isDeviceId(value) ? undefined : 'is no id a hub would accept',
  );
  const key = read('SharedAccessKey', (value) =>
    isKey(value) ? undefined : 'is not base64: was it cut off when it was copied?',
  );
  if (problems.length > 0) {
    throw new Fault(
      'CONFIG_INVALID',
      `the device's connection string (${SHAPE}) cannot be used: ${[...new Set(problems)].join('; ')}`,
    );
  }
  return { hostName, deviceId, proof: { kind: 'key', key } };
}
