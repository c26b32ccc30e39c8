/** What Docker's container settings mean for a module in an isolate (docs/capabilities.md has the table). */
import { readDevices, useless } from './create-options-devices.ts';
import { readBinds, readMounts } from './create-options-files.ts';
import { type LimitSettings, readLimits } from './create-options-limits.ts';
import { readNetwork } from './create-options-network.ts';
import { joinPorts, readExposedPorts, readPortBindings } from './create-options-ports.ts';
import { readReadyMs } from './create-options-ready.ts';
import { readUpdateOrder, type UpdateOrder } from './create-options-update.ts';
import { isJsonObject, type Json, type JsonObject } from './json.ts';
import { type Bind, type Grants, noGrants } from './ports.ts';

export type ModuleSettings = {
  /** `HostConfig.Memory` in MB, undefined = the runtime's default. */
  readonly memoryMb: number | undefined;
  /** What it may use, where that differs from the device's own limits. */
  readonly limits: LimitSettings;
  readonly grants: Grants;
  /** What is asked for by label, undefined = nothing. */
  readonly updateOrder: UpdateOrder | undefined;
  /** It says itself when it is ready, and others wait so long for that, ms; undefined = it is when it runs. */
  readonly readyMs: number | undefined;
  /** `Env`: `NAME=value` lines. */
  readonly env: Readonly<Record<string, string>>;
  /** Settings that cannot be honoured here, as paths; reported, never silently ignored. */
  readonly unhonoured: readonly string[];
  /**
   * What no device could give: sentences that begin with the field's path. The module is not started,
   * the rest of the deployment is.
   */
  readonly problems: readonly string[];
};

/**
 * What becomes of a setting:
 *   honoured    the module gets what it asks for
 *   checked     listed as unhonoured so far, and yet nonsense in it is refused
 *   accepted    says something about a container that is true, or empty, here anyway
 */
export type Treatment = 'honoured' | 'checked' | 'accepted';

/** Every setting the runtime knows, by its path. Others that ask for something are listed as unhonoured. */
export const knownOptions: Readonly<Record<string, Treatment>> = {
  Env: 'honoured',
  'HostConfig.Binds': 'honoured',
  'HostConfig.Devices': 'honoured',
  'HostConfig.CpuPeriod': 'honoured',
  'HostConfig.CpuQuota': 'honoured',
  'HostConfig.Dns': 'honoured',
  'HostConfig.ExtraHosts': 'honoured',
  'HostConfig.Memory': 'honoured',
  'HostConfig.Mounts': 'honoured',
  'HostConfig.NanoCpus': 'honoured',
  'HostConfig.NetworkMode': 'honoured',
  'HostConfig.PortBindings': 'honoured',
  ExposedPorts: 'honoured',
  Labels: 'honoured',
  NetworkDisabled: 'honoured',
  Hostname: 'accepted',
  OpenStdin: 'accepted',
  Tty: 'accepted',
  User: 'accepted',
  WorkingDir: 'accepted',
};

const MB = 1_048_576;
const MEMORY_MB_MIN = 8;

/** Reads the settings; `path` is where they stand in the deployment. Never throws. */
export function readCreateOptions(options: JsonObject, path: string): ModuleSettings {
  const problems: string[] = [];
  const unhonoured: string[] = [];
  const grants = { ...noGrants };
  const settings: { -readonly [Key in keyof ModuleSettings]: ModuleSettings[Key] } = {
    memoryMb: undefined,
    limits: readLimits(options, path, problems),
    updateOrder: readUpdateOrder(options, path, problems),
    readyMs: readReadyMs(options, path, problems),
    grants,
    env: {},
    unhonoured,
    problems,
  };
  for (const [name, value] of fields(options, path, problems)) {
    const at = `${path}.${name}`;
    switch (name) {
      case 'Env':
        settings.env = readEnv(value, at, problems);
        break;
      case 'HostConfig.Memory':
        settings.memoryMb = readMemory(value, at, problems);
        break;
      case 'HostConfig.Binds':
        grants.binds = [...grants.binds, ...readBinds(value, at, problems)];
        break;
      case 'HostConfig.Mounts': {
        const mounts = readMounts(value, at, problems);
        grants.binds = [...grants.binds, ...mounts.binds];
        unhonoured.push(...mounts.others.map((one) => `${name}${one}`));
        break;
      }
      case 'HostConfig.Devices':
        grants.devices = readDevices(value, at, problems);
        unhonoured.push(...useless(grants.devices, name));
        break;
      case 'HostConfig.PortBindings':
      case 'ExposedPorts': {
        const read = name === 'ExposedPorts' ? readExposedPorts : readPortBindings;
        const { ports, others } = read(value, at, problems);
        grants.ports = joinPorts(grants.ports, ports);
        unhonoured.push(...others.map((one) => `${name}${one}`));
        break;
      }
    }
    const treatment = Object.hasOwn(knownOptions, name) ? knownOptions[name] : undefined;
    if ((treatment === undefined || treatment === 'checked') && !isEmpty(value)) {
      unhonoured.push(name);
    }
  }
  grants.network = readNetwork(options, path, problems);
  checkTargets(grants.binds, `${path}.HostConfig`, problems);
  return settings;
}

/** Top-level fields, and those of HostConfig with their path. Null is Docker's "not given". */
function fields(
  options: JsonObject,
  path: string,
  problems: string[],
): readonly (readonly [string, Json])[] {
  return Object.entries(options).flatMap(([name, value]): (readonly [string, Json])[] => {
    if (value === null) return [];
    if (name !== 'HostConfig') return [[name, value]];
    if (!isJsonObject(value)) {
      problems.push(`${path}.HostConfig must be an object`);
      return [];
    }
    return Object.entries(value)
      .filter(([, setting]) => setting !== null)
      .map(([key, setting]): readonly [string, Json] => [`HostConfig.${key}`, setting]);
  });
}

function isEmpty(value: Json): boolean {
  return (
    value === null ||
    value === false ||
    value === '' ||
    value === 0 ||
    (typeof value === 'object' && Object.keys(value).length === 0)
  );
}

function readMemory(value: Json, at: string, problems: string[]): number | undefined {
  const least = MEMORY_MB_MIN * MB;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= least) {
    return Math.floor(value / MB);
  }
  problems.push(
    `${at} must be a whole number of bytes, ${least} (${MEMORY_MB_MIN} MB) or more, it is ${JSON.stringify(value)}: leave it out for the device's default`,
  );
  return undefined;
}

/** Docker: "Duplicate mount point". */
function checkTargets(binds: readonly Bind[], at: string, problems: string[]): void {
  const seen = new Set<string>();
  for (const { target } of binds) {
    if (seen.has(target)) {
      problems.push(`${at}: ${target} is the target of two binds, and a path can lead to only one`);
    }
    seen.add(target);
  }
}

function readEnv(value: Json, at: string, problems: string[]): Readonly<Record<string, string>> {
  if (!Array.isArray(value)) {
    problems.push(`${at} must be an array of "NAME=value"`);
    return {};
  }
  const entries = value.flatMap((line: Json, index): [string, string][] => {
    const cut = typeof line === 'string' ? line.indexOf('=') : -1;
    if (typeof line !== 'string' || cut < 1) {
      // Without the line itself: it may be a password.
      problems.push(`${at}[${index}] must be "NAME=value"`);
      return [];
    }
    return [[line.slice(0, cut), line.slice(cut + 1)]];
  });
  return Object.fromEntries(entries);
}
