/** A device's connection string, read with all its problems listed and its key never shown. */
import { Fault } from '../core/fault.ts';

export type DeviceConnectionString = {
  /** With a port when it is not the standard one. */
  readonly hostName: string;
  readonly deviceId: string;
  /** Base64. */
  readonly sharedAccessKey: string;
};

const SHAPE = 'HostName=…;DeviceId=…;SharedAccessKey=…';
const BASE64 = /^(?:[A-Za-z0-9+/]{4})+(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** Throws CONFIG_INVALID naming every part that is missing or wrong. */
export function parseConnectionString(text: string): DeviceConnectionString {
  const problems: string[] = [];
  const parts = new Map<string, string>();
  for (const part of text.split(';')) {
    if (part.trim() === '') continue;
    const cut = part.indexOf('=');
    if (cut < 1) problems.push('a part has no "=": parts are Name=value, with ";" between');
    else parts.set(part.slice(0, cut).trim(), part.slice(cut + 1).trim());
  }
  if (parts.has('SharedAccessKeyName')) {
    problems.push('it is a hub policy’s connection string; take the device’s own from the hub');
  }
  if (parts.has('ModuleId')) {
    problems.push('it is a module’s connection string; take the device’s own from the hub');
  }
  if (parts.get('x509') === 'true') {
    problems.push('X.509 authentication is not supported by this version; use a symmetric key');
  }
  const hostName = parts.get('HostName') ?? '';
  if (hostName === '') problems.push('HostName is missing');
  else if (!/^[A-Za-z0-9.-]+(:[0-9]{1,5})?$/.test(hostName)) {
    problems.push(`HostName "${hostName}" is no host name`);
  }
  const deviceId = parts.get('DeviceId') ?? '';
  if (deviceId === '') problems.push('DeviceId is missing');
  const sharedAccessKey = parts.get('SharedAccessKey') ?? '';
  if (sharedAccessKey === '') problems.push('SharedAccessKey is missing');
  else if (!BASE64.test(sharedAccessKey)) {
    problems.push('SharedAccessKey is not base64: was it cut off when it was copied?');
  }
  if (problems.length > 0) {
    throw new Fault(
      'CONFIG_INVALID',
      `the device's connection string (${SHAPE}) cannot be used: ${problems.join('; ')}`,
    );
  }
  return { hostName, deviceId, sharedAccessKey };
}
