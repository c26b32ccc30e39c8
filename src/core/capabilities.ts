/**
 * What a module may touch: what its bundle asks for ∩ what the deployment grants ∩ what the device's
 * policy allows. Each kind is decided by itself; a new kind is one more function here.
 */
import type { Asked } from './asked.ts';
import { deviceMatches, isWithin, pathRights } from './capability-paths.ts';
import type { DeviceGrant } from './device-grant.ts';
import type { Policy } from './policy.ts';
import type { Bind, Grants } from './ports.ts';

export type Granted = {
  readonly grants: Grants;
  /** `HostConfig.Memory`; undefined = the device's default. */
  readonly memoryMb: number | undefined;
  readonly memoryDefaultMb: number;
  /** The field that sets the memory, for sentences about it. */
  readonly memoryAt: string;
};

type Refusal = {
  readonly what: string;
  /** policy: the module may not start. bundle: not asked for, so not given. */
  readonly by: 'bundle' | 'policy';
  readonly sentence: string;
};

export type Decision = {
  /** Never wider than any of the three. */
  readonly grants: Grants;
  readonly memoryMb: number;
  readonly refusals: readonly Refusal[];
  /** What the bundle asks for and nobody grants; using it fails by name. */
  readonly missing: readonly string[];
};

/** `asked` undefined = the bundle declares nothing, and gets what is granted to it. */
export function decide(asked: Asked | undefined, granted: Granted, policy: Policy): Decision {
  const refusals: Refusal[] = [];
  const { binds, devices, ...others } = granted.grants;
  const grants: Grants = {
    ...others,
    binds: binds.flatMap((bind) => decideBind(bind, asked, policy, refusals)),
    devices: devices.filter((device) => decideDevice(device, asked, policy, refusals)),
  };
  const memoryMb = decideMemory(asked, granted, policy, refusals);
  return { grants, memoryMb, refusals, missing: missing(asked, grants, memoryMb) };
}

function decideBind(
  bind: Bind,
  asked: Asked | undefined,
  policy: Policy,
  refusals: Refusal[],
): readonly Bind[] {
  const { source, target, at = target } = bind;
  const what = `${target}${bind.writable ? '' : ' (ro)'}`;
  const wanted = asked === undefined ? FULL : pathRights(target, asked.files);
  if (!wanted.readable) {
    refusals.push({ what, by: 'bundle', sentence: notAsked(at, target) });
    return [];
  }
  const writable = bind.writable && wanted.writable;
  const allowed = policy.binds === undefined ? FULL : pathRights(source, policy.binds);
  if (!allowed.readable || (writable && !allowed.writable)) {
    const sentence = allowed.readable
      ? `${at}: the policy of this device allows ${source} for reading only: add ":ro" to the bind, or allow writing in isolet.policy.binds of the device's config`
      : `${at}: the policy of this device does not allow ${source}: bind something else, or add it to isolet.policy.binds of the device's config`;
    refusals.push({ what, by: 'policy', sentence });
  }
  return allowed.readable ? [{ ...bind, writable: writable && allowed.writable }] : [];
}

const FULL = { readable: true, writable: true };

function decideDevice(
  { path, at }: DeviceGrant,
  asked: Asked | undefined,
  policy: Policy,
  refusals: Refusal[],
): boolean {
  if (asked !== undefined && !asked.devices.some((rule) => deviceMatches(path, rule))) {
    refusals.push({ what: path, by: 'bundle', sentence: notAsked(at, path) });
    return false;
  }
  if (policy.devices?.some((rule) => deviceMatches(path, rule)) ?? true) return true;
  const sentence = `${at}: the policy of this device does not allow ${path}: take it out of the deployment, or add it to isolet.policy.devices of the device's config`;
  refusals.push({ what: path, by: 'policy', sentence });
  return false;
}

function decideMemory(
  asked: Asked | undefined,
  { memoryMb, memoryDefaultMb, memoryAt }: Granted,
  policy: Policy,
  refusals: Refusal[],
): number {
  const wanted = Math.min(memoryMb ?? memoryDefaultMb, asked?.memoryMb ?? Number.POSITIVE_INFINITY);
  const most = policy.memoryMbMax ?? Number.POSITIVE_INFINITY;
  // The default is nobody's wish: it is cut without a word.
  if (memoryMb !== undefined && wanted > most) {
    const sentence = `${memoryAt}: the policy of this device allows ${most} MB, ${wanted} MB are granted: lower it, or raise isolet.policy.memory_mb_max in the device's config`;
    refusals.push({ what: `${wanted} MB`, by: 'policy', sentence });
  }
  return Math.min(wanted, most);
}

function notAsked(at: string, what: string): string {
  return `${at}: the bundle does not ask for ${what}, so it is not given: take it out of the deployment, or add it to isolet.capabilities in the module's package.json`;
}

function missing(asked: Asked | undefined, grants: Grants, memoryMb: number): readonly string[] {
  if (asked === undefined) return [];
  const files = asked.files
    .filter(
      ({ path, writable }) =>
        !grants.binds.some(
          (bind) =>
            (isWithin(bind.target, path) || isWithin(path, bind.target)) &&
            (bind.writable || !writable),
        ),
    )
    .map(
      ({ path, writable }) =>
        `the bundle asks for ${path}${writable ? '' : ' (ro)'}, which is not granted: add it to HostConfig.Binds`,
    );
  const devices = asked.devices
    .filter((rule) => !grants.devices.some(({ path }) => deviceMatches(path, rule)))
    .map(
      (rule) =>
        `the bundle asks for the device ${rule}, which is not granted: add it to HostConfig.Devices`,
    );
  const memory =
    asked.memoryMb !== undefined && asked.memoryMb > memoryMb
      ? [
          `the bundle asks for ${asked.memoryMb} MB and gets ${memoryMb} MB: raise HostConfig.Memory`,
        ]
      : [];
  return [...files, ...devices, ...memory];
}
