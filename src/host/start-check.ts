/** What a module asks for and this device cannot give, as far as the supervisor sees it. */
import type { Bind, ModuleStart } from '../core/ports.ts';
import { absentDevices } from './device-check.ts';
import { localRealPath } from './local-real-path.ts';

export type DeviceBounds = {
  /** Memory one host may have, bytes. */
  readonly hostBytesMax: number;
  /** Files of our own: the device's keys are there. */
  readonly keepOut: readonly string[];
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
    const problem = keptOut(bind, bounds.keepOut);
    if (problem !== undefined) problems.push(problem);
  }
  return [...problems, ...absentDevices(grants.devices)];
}

/** A bind that would open our own files to a module, by whatever name. */
export function keptOut(bind: Bind, keepOut: readonly string[]): string | undefined {
  const source = localRealPath(bind.source);
  const own = keepOut.find((path) => {
    const real = localRealPath(path);
    return isBelow(real, source) || isBelow(source, real);
  });
  return own === undefined
    ? undefined
    : `${bind.at ?? 'HostConfig.Binds'}: ${bind.source} would open isolet's own files (${own}) to the module: name another folder`;
}

function isBelow(folder: string, path: string): boolean {
  return folder === '/' || path === folder || path.startsWith(`${folder}/`);
}
