/** What a module asks for and this device cannot give, as far as the supervisor sees it. */
import { forbiddenByPolicy } from '../core/capability-files.ts';
import { type PathRule, pathRights } from '../core/capability-paths.ts';
import type { Bind, ModuleStart } from '../core/ports.ts';
import { absentDevices } from './device-check.ts';
import { localRealPath } from './local-real-path.ts';

export type FileBounds = {
  /** Files of our own: the device's keys are there. */
  readonly keepOut: readonly string[];
  /** What the device's owner lets deployments bind; undefined = all of it. */
  readonly allowed: readonly PathRule[] | undefined;
};

export type DeviceBounds = FileBounds & {
  /** Memory one host may have, bytes. */
  readonly hostBytesMax: number;
};

const MB = 1_048_576;

/** Each problem begins with the field and ends with the remedy. */
export function startProblems(
  { limits, grants }: ModuleStart,
  bounds: DeviceBounds,
): readonly string[] {
  const problems: string[] = [];
  const mostMb = Math.floor(bounds.hostBytesMax / MB);
  if (limits.heapMb > mostMb) {
    problems.push(
      `HostConfig.Memory asks for ${limits.heapMb} MB, and modules have ${mostMb} MB on this device: ask for less`,
    );
  }
  for (const bind of grants.binds) {
    const problem = closedBind(bind, bounds);
    if (problem !== undefined) problems.push(problem);
  }
  return [...problems, ...absentDevices(grants.devices)];
}

/**
 * What forbids a bind, by what its name leads to: a symbolic link opens neither our own files to a module
 * nor what the device's owner keeps for himself. Undefined = nothing does.
 */
export function closedBind(bind: Bind, { keepOut, allowed }: FileBounds): string | undefined {
  const { source, writable, at = 'HostConfig.Binds' } = bind;
  const real = localRealPath(source);
  const own = keepOut.find((path) => {
    const ours = localRealPath(path);
    return isBelow(ours, real) || isBelow(real, ours);
  });
  if (own !== undefined) {
    return `${at}: ${source} would open isolet's own files (${own}) to the module: name another folder`;
  }
  if (allowed === undefined) return undefined;
  const rules = allowed.map((rule) => ({ ...rule, path: localRealPath(rule.path) }));
  const rights = pathRights(real, rules);
  if (rights.readable && (rights.writable || !writable)) return undefined;
  const led = real === source ? '' : `${source} leads to ${real}: `;
  return `${at}: ${led}${forbiddenByPolicy(real, rights.readable)}`;
}

function isBelow(folder: string, path: string): boolean {
  return folder === '/' || path === folder || path.startsWith(`${folder}/`);
}
