/** Files and devices of a module: asked by the paths it sees, allowed by the paths of the device. */
import type { Asked } from './asked.ts';
import { deviceMatches, isWithin, pathRights } from './capability-paths.ts';
import { type Decided, notAsked, type Refusal } from './capability-refusal.ts';
import type { DeviceGrant } from './device-grant.ts';
import type { Policy } from './policy.ts';
import type { Bind } from './ports.ts';

const FULL = { readable: true, writable: true };

export function decideFiles(
  asked: Asked | undefined,
  binds: readonly Bind[],
  policy: Policy,
): Decided<readonly Bind[]> {
  const refusals: Refusal[] = [];
  const given = binds.flatMap((bind) => decideBind(bind, asked, policy, refusals));
  const missing = (asked?.files ?? [])
    .filter(
      ({ path, writable }) =>
        !given.some(
          (bind) =>
            (isWithin(bind.target, path) || isWithin(path, bind.target)) &&
            (bind.writable || !writable),
        ),
    )
    .map(
      ({ path, writable }) =>
        `the bundle asks for ${path}${writable ? '' : ' (ro)'}, which is not granted: add it to HostConfig.Binds`,
    );
  return { given, refusals, missing };
}

function decideBind(
  bind: Bind,
  asked: Asked | undefined,
  policy: Policy,
  refusals: Refusal[],
): readonly Bind[] {
  const { source, target, at = target } = bind;
  const wanted = asked === undefined ? FULL : pathRights(target, asked.files);
  if (!wanted.readable) {
    refusals.push(notAsked(at, target));
    return [];
  }
  const writable = bind.writable && wanted.writable;
  const allowed = policy.binds === undefined ? FULL : pathRights(source, policy.binds);
  if (!allowed.readable || (writable && !allowed.writable)) {
    const sentence = `${at}: ${forbiddenByPolicy(source, allowed.readable)}`;
    refusals.push({ what: `${target}${bind.writable ? '' : ' (ro)'}`, by: 'policy', sentence });
  }
  return allowed.readable ? [{ ...bind, writable: writable && allowed.writable }] : [];
}

/** `path` on the device; `readable`: the policy allows that much of it. */
export function forbiddenByPolicy(path: string, readable: boolean): string {
  return readable
    ? `the policy of this device allows ${path} for reading only: add ":ro" to the bind, or allow writing in isolet.policy.binds of the device's config`
    : `the policy of this device does not allow ${path}: bind something else, or add it to isolet.policy.binds of the device's config`;
}

export function decideDevices(
  asked: Asked | undefined,
  devices: readonly DeviceGrant[],
  policy: Policy,
): Decided<readonly DeviceGrant[]> {
  const refusals: Refusal[] = [];
  const asModuleSees = ({ target, kind }: DeviceGrant) => ({ path: target, kind });
  const given = devices.filter((device) => {
    const { path, target, at } = device;
    const inside = asModuleSees(device);
    if (asked !== undefined && !asked.devices.some((rule) => deviceMatches(inside, rule))) {
      refusals.push(notAsked(at, target));
      return false;
    }
    if (policy.devices?.some((rule) => deviceMatches(device, rule)) ?? true) return true;
    const sentence = `${at}: the policy of this device does not allow ${path}: take it out of the deployment, or add it to isolet.policy.devices of the device's config`;
    refusals.push({ what: path, by: 'policy', sentence });
    return false;
  });
  const missing = (asked?.devices ?? [])
    .filter((rule) => !given.some((device) => deviceMatches(asModuleSees(device), rule)))
    .map(
      (rule) =>
        `the bundle asks for the device ${rule}, which is not granted: add it to HostConfig.Devices`,
    );
  return { given, refusals, missing };
}
