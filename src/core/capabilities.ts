/**
 * What a module may touch: what its bundle asks for ∩ what the deployment grants ∩ what the device's
 * policy allows. Each kind is decided by itself; a new kind is one more function.
 */
import type { Asked } from './asked.ts';
import { decideDevices, decideFiles } from './capability-files.ts';
import { decideNetwork } from './capability-network.ts';
import { decidePorts } from './capability-ports.ts';
import type { Decided, Granted, Refusal } from './capability-refusal.ts';
import type { Policy } from './policy.ts';
import type { Grants } from './ports.ts';

export type Decision = {
  /** Never wider than any of the three. */
  readonly grants: Grants;
  readonly memoryMb: number;
  readonly refusals: readonly Refusal[];
  /** What the bundle asks for and does not get; using it fails by name. */
  readonly missing: readonly string[];
};

/** `asked` undefined = the bundle declares nothing, and gets what is granted to it. */
export function decide(asked: Asked | undefined, granted: Granted, policy: Policy): Decision {
  const { grants, at } = granted;
  const files = decideFiles(asked, grants.binds, policy);
  const devices = decideDevices(asked, grants.devices, policy);
  const network = decideNetwork(asked, grants.network, policy, at);
  const ports = decidePorts(asked, grants.ports, policy, at);
  const memory = decideMemory(asked, granted, policy);
  const all = [files, devices, network, ports, memory];
  return {
    grants: {
      binds: files.given,
      devices: devices.given,
      network: network.given,
      ports: ports.given,
    },
    memoryMb: memory.given,
    refusals: all.flatMap(({ refusals }) => refusals),
    missing: all.flatMap(({ missing }) => missing),
  };
}

function decideMemory(
  asked: Asked | undefined,
  { memoryMb, memoryDefaultMb, at }: Granted,
  policy: Policy,
): Decided<number> {
  const wanted = Math.min(memoryMb ?? memoryDefaultMb, asked?.memoryMb ?? Number.POSITIVE_INFINITY);
  const most = policy.memoryMbMax ?? Number.POSITIVE_INFINITY;
  const given = Math.min(wanted, most);
  const refusals: Refusal[] = [];
  // The default is nobody's wish: it is cut without a word.
  if (memoryMb !== undefined && wanted > most) {
    const sentence = `${at}.HostConfig.Memory: the policy of this device allows ${most} MB, ${wanted} MB are granted: lower it, or raise isolet.policy.memory_mb_max in the device's config`;
    refusals.push({ what: `${wanted} MB`, by: 'policy', sentence });
  }
  const missing =
    asked?.memoryMb !== undefined && asked.memoryMb > given
      ? [`the bundle asks for ${asked.memoryMb} MB and gets ${given} MB: raise HostConfig.Memory`]
      : [];
  return { given, refusals, missing };
}
