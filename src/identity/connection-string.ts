/** A device's connection string, read with all its problems listed and its key never shown. */
import { Fault } from '../core/fault.ts';

export type DeviceConnectionString = {
  /** The hub's host name, with `:port` when it is not the standard one. */
  readonly hostName: string;
  readonly deviceId: string;
  /** Base64. Never printed. */
  readonly sharedAccessKey: string;
};

const SHAPE = 'HostName=…;DeviceId=…;SharedAccessKey=…';
/** Ids the hub accepts (spec/iothub.md §5.3). */
const ID = /^[A-Za-z0-9\-.%_#*?!(),:=@$'+]{1,128}$/;
const HOST = /^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:\d{1,5})?$/;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

/** What people paste by mistake, and what they should paste instead. */
const wrongKinds: Readonly<Record<string, string>> = {
  SharedAccessKeyName: "it is a service's connection string; use the device's",
  ModuleId: "it is a module's connection string; use the device's",
  GatewayHostName: 'GatewayHostName is not supported; this device speaks to the hub itself',
  x509: 'X.509 authentication is not supported; use a device with a symmetric key',
};

/** Reads `HostName=…;DeviceId=…;SharedAccessKey=…`. Throws CONFIG_INVALID with all problems, never the key. */
export function parseConnectionString(text: string): DeviceConnectionString {
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

  const read = (name: string, isGood: (value: string) => boolean, must: string): string => {
    const value = fields.get(name) ?? '';
    if (value === '') problems.push(`it has no ${name}`);
    else if (!isGood(value)) problems.push(`its ${name} ${must}`);
    return value;
  };
  const hostName = read('HostName', isHost, 'must be a host name, like myhub.azure-devices.net');
  const deviceId = read('DeviceId', (value) => ID.test(value), 'is no id a hub would accept');
  const sharedAccessKey = read(
    'SharedAccessKey',
    isKey,
    'is not base64: was it cut off when it was copied?',
  );
  if (problems.length > 0) {
    throw new Fault(
      'CONFIG_INVALID',
      `the device's connection string (${SHAPE}) cannot be used: ${[...new Set(problems)].join('; ')}`,
    );
  }
  return { hostName, deviceId, sharedAccessKey };
}

function isHost(value: string): boolean {
  const port = Number(value.split(':')[1] ?? 443);
  return HOST.test(value) && port > 0 && port < 65_536;
}

function isKey(value: string): boolean {
  return value.length % 4 === 0 && BASE64.test(value);
}
