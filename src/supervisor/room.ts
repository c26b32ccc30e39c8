/**
 * How much waits, for each endpoint and in all, and whether there is room for more. A copy of a message
 * counts with each endpoint it waits for, from its acceptance until it is delivered, expired or moved to
 * the dead letters; what is full refuses what is new and keeps what it has.
 */
import { Fault } from '../core/fault.ts';
import type { EndpointId, ModuleName } from '../core/message.ts';
import type { StoreSnapshot } from '../core/ports.ts';

export type StoreLimits = {
  /** Deliveries and their bytes (messageSize) in all. */
  readonly countMax: number;
  readonly bytesMax: number;
  /** The same for one endpoint: one that is away must leave room for the others. */
  readonly endpointCountMax: number;
  readonly endpointBytesMax: number;
};

export const STORE_LIMITS: StoreLimits = {
  countMax: 2_000_000,
  bytesMax: 1_073_741_824,
  endpointCountMax: 1_500_000,
  endpointBytesMax: 805_306_368,
};

type Usage = { count: number; bytes: number };

export interface Room {
  readonly all: Readonly<Usage>;
  of(endpoint: EndpointId): Readonly<Usage>;
  /** STORE_FULL when one more of this size finds no room with this endpoint. */
  whyFull(endpoint: EndpointId, bytes: number): Fault | undefined;
  /** How urgently senders should slow down for it: 0 up to half full, then rising to 1. */
  pressure(endpoint: EndpointId): number;
  add(endpoint: EndpointId, bytes: number): void;
  remove(endpoint: EndpointId, bytes: number): void;
  /** Bytes that may wait for all inputs of a module together; those that are absent have no such limit. */
  limitModules(bytesMax: ReadonlyMap<ModuleName, number>): void;
  /** The deployment's own limit on bytes in all (`storeLimits.maxSizeBytes`); undefined = none. */
  limitBytes(bytesMax: number | undefined): void;
}

export function createRoom(snapshot: StoreSnapshot['lanes'], limits: StoreLimits): Room {
  const all: Usage = { count: 0, bytes: 0 };
  const endpoints = new Map<EndpointId, Usage>();
  let bytesMax = limits.bytesMax;
  let limited: ReadonlyMap<ModuleName, number> = new Map();
  for (const { endpoint, count, bytes } of snapshot) change(endpoint, count, bytes);

  function change(endpoint: EndpointId, count: number, bytes: number): void {
    let usage = endpoints.get(endpoint);
    if (usage === undefined) {
      usage = { count: 0, bytes: 0 };
      endpoints.set(endpoint, usage);
    }
    for (const each of [all, usage]) {
      each.count += count;
      each.bytes += bytes;
    }
  }

  /** What waits for the module of an endpoint, when that is limited. */
  function ofModule(
    endpoint: EndpointId,
  ): { readonly usage: Usage; readonly bytesMax: number } | undefined {
    if (limited.size === 0) return undefined;
    const module = endpoint.slice(0, endpoint.indexOf('/'));
    const most = limited.get(module);
    if (most === undefined) return undefined;
    const usage: Usage = { count: 0, bytes: 0 };
    // A module has a handful of inputs.
    for (const [id, { count, bytes }] of endpoints) {
      if (!id.startsWith(`${module}/`)) continue;
      usage.count += count;
      usage.bytes += bytes;
    }
    return { usage, bytesMax: most };
  }

  const of = (endpoint: EndpointId): Usage => endpoints.get(endpoint) ?? { count: 0, bytes: 0 };

  return {
    all,
    of,
    whyFull(endpoint, bytes) {
      const usage = of(endpoint);
      const module = ofModule(endpoint);
      return (
        full('', all, bytes, limits.countMax, bytesMax) ??
        full(` for ${endpoint}`, usage, bytes, limits.endpointCountMax, limits.endpointBytesMax) ??
        (module === undefined
          ? undefined
          : full(` for the module of ${endpoint}`, module.usage, bytes, Infinity, module.bytesMax))
      );
    },
    pressure(endpoint) {
      const usage = of(endpoint);
      const module = ofModule(endpoint);
      const fullness = Math.max(
        module === undefined ? 0 : module.usage.bytes / module.bytesMax,
        all.count / limits.countMax,
        all.bytes / bytesMax,
        usage.count / limits.endpointCountMax,
        usage.bytes / limits.endpointBytesMax,
      );
      return Math.min(1, Math.max(0, 2 * fullness - 1));
    },
    add: (endpoint, bytes) => change(endpoint, 1, bytes),
    remove: (endpoint, bytes) => change(endpoint, -1, -bytes),
    limitModules(deployed) {
      limited = deployed;
    },
    limitBytes(deployed) {
      bytesMax = Math.min(limits.bytesMax, deployed ?? limits.bytesMax);
    },
  };
}

function full(
  where: string,
  { count, bytes }: Usage,
  more: number,
  countMax: number,
  bytesMax: number,
): Fault | undefined {
  const why =
    count >= countMax
      ? `${count} messages wait${where} and ${countMax} is the limit`
      : bytes + more > bytesMax
        ? `messages of ${bytes} bytes wait${where} and ${bytesMax} is the limit`
        : undefined;
  return why === undefined
    ? undefined
    : new Fault('STORE_FULL', `${why}: they leave when they are taken or expire`);
}
