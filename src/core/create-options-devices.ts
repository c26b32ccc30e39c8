/** `HostConfig.Devices`: buses, lines and ports of the machine a module may use. */

import type { DeviceGrant, DeviceKind } from './device-grant.ts';
import { isJsonObject, type Json, type JsonObject } from './json.ts';

/** Kinds by the names Linux and udev give; that a device is what its name says is asked at the start. */
const KINDS: readonly (readonly [RegExp, DeviceKind])[] = [
  [/^\/dev\/i2c-\d+$/, 'i2c'],
  [/^\/dev\/spidev\d+\.\d+$/, 'spi'],
  [/^\/dev\/gpiochip\d+$/, 'gpio'],
  [
    /^\/dev\/(tty(S|USB|ACM|AMA|THS|mxc|O|SC|LP)\d+|serial\d+|serial\/by-(id|path)\/[^/]+)$/,
    'serial',
  ],
];

/** Undefined for a name that is none of theirs. */
export function deviceKind(path: string): DeviceKind | undefined {
  return KINDS.find(([name]) => name.test(path))?.[1];
}

export function readDevices(value: Json, at: string, problems: string[]): readonly DeviceGrant[] {
  if (!Array.isArray(value)) {
    problems.push(`${at} must be an array of {"PathOnHost": "/dev/…"}`);
    return [];
  }
  const targets = new Set<string>();
  return value.flatMap((device: Json, index): readonly DeviceGrant[] => {
    const before = problems.length;
    const grant = readDevice(isJsonObject(device) ? device : {}, `${at}[${index}]`, problems);
    if (problems.length > before) return [];
    if (targets.has(grant.target)) {
      problems.push(`${grant.at}: ${grant.target} is the path of two devices in the module`);
    }
    targets.add(grant.target);
    return [grant];
  });
}

function readDevice(device: JsonObject, at: string, problems: string[]): DeviceGrant {
  const path = device['PathOnHost'];
  if (!isDevicePath(path)) {
    problems.push(
      `${at}.PathOnHost must name a device as "/dev/i2c-1", it is ${JSON.stringify(path ?? null)}`,
    );
  }
  // Docker: none, or an empty one, means the same path.
  const target = device['PathInContainer'] || String(path ?? null);
  if (isDevicePath(path) && (typeof target !== 'string' || !/^\/[^\0]+$/.test(target))) {
    problems.push(
      `${at}.PathInContainer must be an absolute path, it is ${JSON.stringify(target)}`,
    );
  }
  const rights = device['CgroupPermissions'] || 'rwm';
  if (typeof rights !== 'string' || !/^[rwm]+$/.test(rights)) {
    problems.push(
      `${at}.CgroupPermissions must be "r", "w" or "rw", it is ${JSON.stringify(rights)}`,
    );
  }
  const text = String(rights);
  return {
    path: String(path),
    target: String(target),
    kind: deviceKind(String(path)),
    readable: text.includes('r'),
    writable: text.includes('w'),
    at,
  };
}

function isDevicePath(path: Json | undefined): path is string {
  return (
    typeof path === 'string' && /^\/dev\/[^*\0]+$/.test(path) && !path.split('/').includes('..')
  );
}

/** Those no module can use, as `HostConfig.Devices[0] (…)`. */
export function useless(devices: readonly DeviceGrant[], name: string): readonly string[] {
  return devices
    .filter(({ kind }) => kind === undefined)
    .map(({ path, at }) => {
      const index = at.slice(at.lastIndexOf('['));
      return `${name}${index} (${path}: no I2C bus, SPI device, GPIO chip or serial port by its name)`;
    });
}
