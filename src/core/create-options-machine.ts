/** `Devices`, checked for what no device has. */
import { isJsonObject, type Json } from './json.ts';
import type { DeviceGrant } from './ports.ts';

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
