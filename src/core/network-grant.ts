/**
 * What of the network a module may use: hosts and ports, as `host:port`. A name or `*` is good for public
 * addresses alone, whatever it resolves to; all others are granted by address (docs/network.md).
 */
import {
  contains,
  formatIp,
  type IpBlock,
  isPublicBlock,
  kindOf,
  parseIpAddress,
  parseIpBlock,
} from './ip-address.ts';

/**
 * One grant. `host` is `*`, `*.example.com`, a name in lower case without a dot at its end, or addresses as
 * src/core/ip-address.ts writes them (`::1`, `192.168.0.0/16`).
 */
export type HostPort = {
  readonly host: string;
  readonly firstPort: number;
  readonly lastPort: number;
};

/** From `HostConfig.ExtraHosts`: this name is at this address, and nobody else is asked. */
export type ExtraHost = { readonly name: string; readonly address: string };

/** Everything the deployment says about a module's network. */
export type NetworkGrant = {
  readonly hosts: readonly HostPort[];
  /**
   * The deployment names no hosts and forbids none, as a container with Docker's default network: what a
   * bundle asks for of the public internet it may have (`forBundle`). By itself this opens nothing.
   */
  readonly implicit: boolean;
  readonly extraHosts: readonly ExtraHost[];
  /** Name servers to ask instead of the device's own; none = the device's. */
  readonly nameServers: readonly string[];
};

export const noNetwork: NetworkGrant = {
  hosts: [],
  implicit: false,
  extraHosts: [],
  nameServers: [],
};

export const PORT_MAX = 65_535;

/** `*:*`: the public internet, what Docker's default network stands for. */
const publicHosts: readonly HostPort[] = [{ host: '*', firstPort: 1, lastPort: PORT_MAX }];

/** One place a module wants to connect to. */
export type Target = {
  /** As in the URL, in lower case without brackets or a dot at its end; may be an address. */
  readonly name: string;
  /** What the name resolved to. */
  readonly address: string;
  readonly port: number;
};

/** May this name be resolved at all? A question to a name server is a message to the world, too. */
export function mayResolve(hosts: readonly HostPort[], name: string, port: number): boolean {
  return hosts.some((grant) => hasPort(grant, port) && isNamed(grant.host, name));
}

/** May a connection be made to this very address, under this name? */
export function allows(
  { hosts, extraHosts, implicit }: Omit<NetworkGrant, 'nameServers'>,
  { name, address, port }: Target,
): boolean {
  const ip = parseIpAddress(address);
  if (ip === undefined) return false;
  const byAddress = hosts.some((grant) => {
    const block = blockOf(grant.host);
    return block !== undefined && hasPort(grant, port) && contains(block, ip);
  });
  if (byAddress) return true;
  if (!mayResolve(hosts, name, port)) return false;
  if (kindOf(ip) === 'public') return true;
  // The operator wrote both, the name with its port and where it is.
  const named = hosts.filter((grant) => grant.host !== '*' && !implicit);
  const placed = extraHosts.some((one) => one.name === name && one.address === formatIp(ip));
  return placed && mayResolve(named, name, port);
}

/** What is left for a bundle that asks for these hosts and no others. */
export function forBundle(grant: NetworkGrant, asked: readonly HostPort[]): NetworkGrant {
  return { ...grant, hosts: intersect(asked, grant.implicit ? publicHosts : grant.hosts) };
}

/**
 * Is all of `narrow` in one grant of `wide` each? What only several together would cover counts as not
 * covered.
 */
export function covers(wide: readonly HostPort[], narrow: readonly HostPort[]): boolean {
  return narrow.every((inner) =>
    wide.some(
      (outer) =>
        outer.firstPort <= inner.firstPort &&
        inner.lastPort <= outer.lastPort &&
        narrower(outer.host, inner.host) === inner.host,
    ),
  );
}

/** What both grant, never more: a name and an address have nothing in common that could be written down. */
export function intersect(a: readonly HostPort[], b: readonly HostPort[]): readonly HostPort[] {
  const common = new Map<string, HostPort>();
  for (const one of a) {
    for (const other of b) {
      const host = narrower(one.host, other.host);
      const firstPort = Math.max(one.firstPort, other.firstPort);
      const lastPort = Math.min(one.lastPort, other.lastPort);
      if (host === undefined || firstPort > lastPort) continue;
      const both = { host, firstPort, lastPort };
      common.set(formatHostPort(both), both);
    }
  }
  return [...common.values()];
}

/** As people write it: `[::1]:80`, `*.example.com:443`, `10.0.0.0/8:*`. */
export function formatHostPort({ host, firstPort, lastPort }: HostPort): string {
  const shown = host.includes(':') ? `[${host}]` : host;
  if (firstPort === lastPort) return `${shown}:${firstPort}`;
  const all = firstPort === 1 && lastPort === PORT_MAX;
  return `${shown}:${all ? '*' : `${firstPort}-${lastPort}`}`;
}

/** The host that means what both mean; undefined = nothing that can be said. */
function narrower(a: string, b: string): string | undefined {
  if (a === b) return a;
  return within(a, b) ? b : within(b, a) ? a : undefined;
}

/** Is everything `inner` means in `outer`? */
function within(outer: string, inner: string): boolean {
  const innerBlock = blockOf(inner);
  const outerBlock = blockOf(outer);
  if (innerBlock === undefined) {
    return outerBlock === undefined && (outer === '*' || isNamed(outer, inner));
  }
  if (outerBlock === undefined) return outer === '*' && isPublicBlock(innerBlock);
  return contains(outerBlock, innerBlock);
}

/** Does a granted host mean this name (or, for `*.a.b` in `*.b`, all these names)? */
function isNamed(host: string, name: string): boolean {
  if (host === '*' || host === name) return true;
  return host.startsWith('*.') && name.endsWith(host.slice(1)) && name.length >= host.length;
}

function hasPort({ firstPort, lastPort }: HostPort, port: number): boolean {
  return firstPort <= port && port <= lastPort;
}

function blockOf(host: string): IpBlock | undefined {
  return parseIpBlock(host);
}
