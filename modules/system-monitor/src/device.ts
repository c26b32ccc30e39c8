/** Reads the device through the files granted by the deployment's Binds. */
import { readdir, readFile } from 'node:fs/promises';
import {
  type Load,
  type Memory,
  parseLoad,
  parseMemory,
  parseTemperature,
  parseUptime,
  type Temperature,
} from './readings.ts';

/** A field that could not be read is absent: no number is better than a wrong one. */
export type DeviceReading = {
  readonly load?: Load;
  readonly memory?: Memory;
  readonly uptimeSeconds?: number;
  readonly temperatures?: readonly Temperature[];
};

const ZONES_MAX = 32;

export async function readDevice(): Promise<DeviceReading> {
  const [load, memory, uptimeSeconds, temperatures] = await Promise.all([
    read('/host/proc/loadavg', parseLoad),
    read('/host/proc/meminfo', parseMemory),
    read('/host/proc/uptime', parseUptime),
    readTemperatures('/host/devices/thermal'),
  ]);
  return {
    ...(load && { load }),
    ...(memory && { memory }),
    ...(uptimeSeconds !== undefined && { uptimeSeconds }),
    ...(temperatures.length > 0 && { temperatures }),
  };
}

async function readTemperatures(folder: string): Promise<readonly Temperature[]> {
  const names = await readdir(folder).catch(() => []);
  const zones = names.filter((name) => name.startsWith('thermal_zone')).sort();
  const found = await Promise.all(
    zones.slice(0, ZONES_MAX).map(async (zone) => {
      const type = await read(`${folder}/${zone}/type`, (text) => text);
      const temp = await read(`${folder}/${zone}/temp`, (text) => text);
      return parseTemperature(type ?? '', temp ?? '');
    }),
  );
  return found.filter((temperature) => temperature !== undefined);
}

/** Not granted, not there, or a sensor that does not answer: all the same to us. */
async function read<T>(path: string, parse: (text: string) => T): Promise<T | undefined> {
  try {
    return parse(await readFile(path, 'utf8'));
  } catch {
    return undefined;
  }
}
