/** The three sides of what a module may touch, and what comes of them, side by side for a person. */
import type { Asked } from './asked.ts';
import type { Decision } from './capabilities.ts';
import type { PathRule } from './capability-paths.ts';
import type { Granted } from './capability-refusal.ts';
import type { DeviceGrant } from './device-grant.ts';
import { formatHostPort } from './network-grant.ts';
import type { Policy } from './policy.ts';
import type { PortGrant } from './port-grant.ts';
import { formatPortRange } from './port-range.ts';
import type { Bind, Grants } from './ports.ts';

/** Each entry in the form its author writes it in. */
export type CapabilityRow = {
  readonly capability: 'files' | 'devices' | 'network' | 'ports' | 'memory';
  /** null = the bundle declares nothing, and gets what is granted. */
  readonly asks: readonly string[] | null;
  readonly grants: readonly string[];
  /** null = no restriction. */
  readonly policy: readonly string[] | null;
  readonly gets: readonly string[];
};

export function capabilityRows(
  asked: Asked | undefined,
  { grants, memoryMb, memoryDefaultMb }: Granted,
  policy: Policy,
  decision: Decision,
): readonly CapabilityRow[] {
  const given = decision.grants;
  return [
    {
      capability: 'files',
      asks: asked?.files.map(pathText) ?? null,
      grants: grants.binds.map(bindText),
      policy: policy.binds?.map(pathText) ?? null,
      gets: given.binds.map(bindText),
    },
    {
      capability: 'devices',
      asks: asked?.devices ?? null,
      grants: grants.devices.map(deviceText),
      policy: policy.devices ?? null,
      gets: given.devices.map(deviceText),
    },
    {
      capability: 'network',
      asks: asked?.network.map(formatHostPort) ?? null,
      grants: networkTexts(grants),
      policy: policy.network?.map(formatHostPort) ?? null,
      gets: given.network.hosts.map(formatHostPort),
    },
    {
      capability: 'ports',
      asks: asked?.ports.map(String) ?? null,
      grants: grants.ports.flatMap(portTexts),
      policy: policy.ports?.map(formatPortRange) ?? null,
      gets: given.ports.flatMap(portTexts),
    },
    {
      capability: 'memory',
      asks: asked === undefined ? null : asked.memoryMb === undefined ? [] : [mb(asked.memoryMb)],
      grants: [memoryMb === undefined ? `${mb(memoryDefaultMb)} (default)` : mb(memoryMb)],
      policy: policy.memoryMbMax === undefined ? null : [mb(policy.memoryMbMax)],
      gets: [mb(decision.memoryMb)],
    },
  ];
}

const mb = (size: number): string => `${size} MB`;

const pathText = ({ path, writable }: PathRule): string => `${path}${writable ? '' : ':ro'}`;

const bindText = ({ source, target, writable }: Bind): string =>
  `${source}:${target}${writable ? '' : ':ro'}`;

/** As after `docker run --device`. */
function deviceText({ path, target, readable, writable }: DeviceGrant): string {
  const rights = readable && writable ? '' : readable ? ':r' : ':w';
  return `${path}${target === path ? '' : `:${target}`}${rights}`;
}

function networkTexts({ network }: Grants): readonly string[] {
  return network.implicit ? ['public, if asked'] : network.hosts.map(formatHostPort);
}

/** `8081 → 8080`: the device's port, then the module's. */
function portTexts({ port, published }: PortGrant): readonly string[] {
  if (published.length === 0) return [`${port}, unpublished`];
  return published.map(({ ip, port: outer }) => {
    const shown = outer === 0 ? 'any' : `${outer}`;
    const address = ip.includes(':') ? `[${ip}]` : ip;
    return `${address === '' ? '' : `${address}:`}${shown} → ${port}`;
  });
}
