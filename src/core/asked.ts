/** What a bundle asks for: `isolet.capabilities` in the module's package.json, then `bundle.json`. */
import { isDeviceRule, type PathRule, readPathRule } from './capability-paths.ts';
import { isJsonObject, type Json } from './json.ts';
import { nearest } from './nearest.ts';
import { type HostPort, PORT_MAX } from './network-grant.ts';
import { parseHostPort } from './network-grant-text.ts';

export type Asked = {
  /** Paths as the module sees them. */
  readonly files: readonly PathRule[];
  /** Kinds, or paths below /dev that may have a `*`. */
  readonly devices: readonly string[];
  readonly network: readonly HostPort[];
  /** The module's own port numbers. */
  readonly ports: readonly number[];
  /** Undefined = it says nothing about memory. */
  readonly memoryMb: number | undefined;
};

const KEYS = ['files', 'devices', 'network', 'ports', 'memoryMb'];

export const asksNothing: Asked = {
  files: [],
  devices: [],
  network: [],
  ports: [],
  memoryMb: undefined,
};
const MEMORY_MB_MIN = 8;
const ENTRIES_MAX = 100;

/** Adds a sentence to `problems` for all that is wrong; `at` names the place. */
export function readAsked(value: Json | undefined, at: string, problems: string[]): Asked {
  if (!isJsonObject(value)) {
    problems.push(`${at} must be an object with ${KEYS.join(', ')}; {} asks for nothing`);
    return asksNothing;
  }
  for (const key of Object.keys(value).filter((one) => !KEYS.includes(one))) {
    problems.push(`${at}.${key} is not known${suggestion(key)}`);
  }
  const { files, devices, network, ports, memoryMb } = value;
  const rules = texts(files, `${at}.files`, problems).map((text, index) => {
    const rule = readPathRule(text);
    if (rule === undefined) {
      problems.push(
        `${at}.files[${index}] must be "/path", "/path:ro" or "/path:rw" without "..", it is ${JSON.stringify(text)}`,
      );
    }
    return rule;
  });
  const wanted = texts(devices, `${at}.devices`, problems);
  for (const [index, text] of wanted.entries()) {
    if (!isDeviceRule(text)) {
      problems.push(
        `${at}.devices[${index}] must be a path below /dev, or gpio, i2c, serial or spi; it is ${JSON.stringify(text)}`,
      );
    }
  }
  return {
    files: rules.filter((rule) => rule !== undefined),
    devices: wanted.filter(isDeviceRule),
    network: texts(network, `${at}.network`, problems).flatMap((text, index) => {
      const host = parseHostPort(text);
      if (typeof host !== 'string') return [host];
      problems.push(`${at}.network[${index}]: ${JSON.stringify(text)} ${host}`);
      return [];
    }),
    ports: readPorts(ports, `${at}.ports`, problems),
    memoryMb: readMemory(memoryMb, `${at}.memoryMb`, problems),
  };
}

function suggestion(key: string): string {
  const near = nearest(key, KEYS);
  return near === undefined ? `: there are ${KEYS.join(', ')}` : `: did you mean ${near}?`;
}

function texts(value: Json | undefined, at: string, problems: string[]): readonly string[] {
  if (value === undefined) return [];
  if (Array.isArray(value) && value.length <= ENTRIES_MAX) {
    if (value.every((one): one is string => typeof one === 'string')) return value;
  }
  problems.push(`${at} must be an array of at most ${ENTRIES_MAX} texts`);
  return [];
}

function readPorts(value: Json | undefined, at: string, problems: string[]): readonly number[] {
  if (value === undefined) return [];
  const isPort = (one: Json): one is number =>
    Number.isInteger(one) && (one as number) >= 1 && (one as number) <= PORT_MAX;
  if (Array.isArray(value) && value.length <= ENTRIES_MAX && value.every(isPort)) return value;
  problems.push(
    `${at} must be an array of at most ${ENTRIES_MAX} numbers from 1 to ${PORT_MAX}, as the module listens on them`,
  );
  return [];
}

function readMemory(value: Json | undefined, at: string, problems: string[]): number | undefined {
  if (value === undefined) return undefined;
  if (Number.isSafeInteger(value) && (value as number) >= MEMORY_MB_MIN) return value as number;
  problems.push(
    `${at} must be a whole number of MB, ${MEMORY_MB_MIN} or more, it is ${JSON.stringify(value)}`,
  );
  return undefined;
}
