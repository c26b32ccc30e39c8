/** What the owner of a device lets deployments grant: `[isolet.policy]` in the config. */
import { isDeviceRule, type PathRule, readPathRule } from './capability-paths.ts';
import type { HostPort } from './network-grant.ts';
import { parseHostPort } from './network-grant-text.ts';
import { type PortRange, readPortRange } from './port-range.ts';

/** Undefined = no restriction of this kind. */
export type Policy = {
  /** Files and folders of the device. */
  readonly binds: readonly PathRule[] | undefined;
  /** Kinds, or paths below /dev that may have a `*`. */
  readonly devices: readonly string[] | undefined;
  /** Names for public addresses, all others by address, as in a grant. */
  readonly network: readonly HostPort[] | undefined;
  /** Ports of the device that may be published. */
  readonly ports: readonly PortRange[] | undefined;
  readonly memoryMbMax: number | undefined;
};

export const noPolicy: Policy = {
  binds: undefined,
  devices: undefined,
  network: undefined,
  ports: undefined,
  memoryMbMax: undefined,
};

/** Reads the table; its keys have been checked. Adds a sentence to `problems` for all that is wrong. */
export function readPolicy(
  table: Readonly<Record<string, unknown>>,
  at: string,
  problems: string[],
): Policy {
  const { binds, devices, network, ports, memory_mb_max: memoryMbMax } = table;
  const each = <T>(
    value: unknown,
    name: string,
    form: string,
    read: (text: string) => T | undefined,
  ): readonly T[] | undefined => {
    if (!Array.isArray(value)) return undefined; // Of the wrong type: the keys' check has said so.
    return value.flatMap((one: unknown, index): readonly T[] => {
      const rule = typeof one === 'string' ? read(one) : undefined;
      if (rule !== undefined) return [rule];
      problems.push(`${at}.${name}[${index}] must be ${form}, it is ${JSON.stringify(one)}`);
      return [];
    });
  };
  return {
    binds: each(binds, 'binds', '"/path" or "/path:ro" without ".."', readPathRule),
    devices: each(
      devices,
      'devices',
      'a path below /dev ("/dev/i2c-*"), or gpio, i2c, serial or spi',
      (text) => (isDeviceRule(text) ? text : undefined),
    ),
    network: each(
      network,
      'network',
      '"host:port" as "*.example.com:443" or "192.168.0.0/16:502", every port as ":*"',
      (text) => {
        const host = parseHostPort(text);
        return typeof host === 'string' ? undefined : host;
      },
    ),
    ports: each(ports, 'ports', '"8080" or "1024-65535", a port from 1 to 65535', readPortRange),
    memoryMbMax: typeof memoryMbMax === 'number' ? memoryMbMax : undefined,
  };
}
