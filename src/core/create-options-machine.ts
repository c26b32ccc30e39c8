/** `Devices`, `PortBindings` and `ExposedPorts`, checked for what no device and no network has. */
import { isJsonObject, type Json } from './json.ts';
import type { DeviceGrant } from './ports.ts';

const PORT_MAX = 65_535;
const PROTOCOLS = new Set(['tcp', 'udp', 'sctp']);

export function readDevices(value: Json, at: string, problems: string[]): readonly DeviceGrant[] {
  if (!Array.isArray(value)) {
    problems.push(`${at} must be an array of {"PathOnHost": "/dev/…"}`);
    return [];
  }
  return value.flatMap((device: Json, index): readonly DeviceGrant[] => {
    const here = `${at}[${index}]`;
    const path = isJsonObject(device) ? device['PathOnHost'] : undefined;
    if (typeof path === 'string' && /^\/dev\/[^*\0]+$/.test(path) && !path.includes('/..')) {
      return [{ path, at: here }];
    }
    problems.push(
      `${here}.PathOnHost must name a device as "/dev/i2c-1", it is ${JSON.stringify(path ?? null)}`,
    );
    return [];
  });
}

/** `{"8080/tcp": [{"HostPort": "8080"}]}` */
export function checkPortBindings(value: Json, at: string, problems: string[]): void {
  checkPorts(value, at, problems, (bindings, here) => {
    if (bindings === null) return;
    if (!Array.isArray(bindings)) {
      problems.push(`${here} must be an array of {"HostPort": "8080"}`);
      return;
    }
    for (const [index, binding] of (bindings as readonly Json[]).entries()) {
      const port = isJsonObject(binding) ? binding['HostPort'] : undefined;
      // Docker: none, or an empty one, means any.
      if (isJsonObject(binding) && (port === undefined || port === null || port === '')) continue;
      if (isPort(port)) continue;
      problems.push(
        `${here}[${index}].HostPort must be a port from 1 to ${PORT_MAX} as text, it is ${JSON.stringify(port ?? null)}`,
      );
    }
  });
}

/** `{"8080/tcp": {}}` */
export function checkExposedPorts(value: Json, at: string, problems: string[]): void {
  checkPorts(value, at, problems, () => {});
}

function checkPorts(
  value: Json,
  at: string,
  problems: string[],
  check: (value: Json, at: string) => void,
): void {
  if (!isJsonObject(value)) {
    problems.push(`${at} must be an object of ports, as {"8080/tcp": …}`);
    return;
  }
  for (const [name, inner] of Object.entries(value)) {
    const [port, protocol = 'tcp', ...rest] = name.split('/');
    const here = `${at}[${JSON.stringify(name)}]`;
    if (!isPort(port) || !PROTOCOLS.has(protocol) || rest.length > 0) {
      problems.push(`${here}: a port is a number from 1 to ${PORT_MAX} and "/tcp" or "/udp"`);
    }
    check(inner, here);
  }
}

function isPort(value: Json | undefined): boolean {
  return typeof value === 'string' && /^[1-9]\d{0,4}$/.test(value) && Number(value) <= PORT_MAX;
}
