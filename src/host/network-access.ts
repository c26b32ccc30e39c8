/**
 * The way of one module to the network: a name is resolved here, each address is compared with what the
 * module was granted, and only those that passed are handed to the socket. Nothing is resolved twice.
 */
import { lookup, Resolver } from 'node:dns/promises';
import { formatIp, kindOf, parseIpAddress } from '../core/ip-address.ts';
import { allows, formatHostPort, mayResolve, type NetworkGrant } from '../core/network-grant.ts';
import { ServiceError } from './device-services.ts';

/** Text of addresses; rejects with an error of Node that has a code (ENOTFOUND). */
export type Resolve = (name: string) => Promise<readonly string[]>;

/** Questions of one module to name servers at once; they go on when their fetch is cancelled. */
const ASKING_MAX = 16;
/** Grants named in an error; the rest is counted. */
const SHOWN_MAX = 8;

export type NetworkAccess = {
  /**
   * The addresses this name may be reached at, one at least. Rejects with EACCES when nothing the name leads
   * to is granted, or with what resolving it came to.
   */
  addresses(name: string, port: number): Promise<readonly string[]>;
};

export type NetworkAccessDeps = {
  readonly module: string | undefined;
  readonly grant: NetworkGrant;
  readonly resolve?: Resolve;
};

export function createNetworkAccess({
  module,
  grant,
  resolve = systemResolve(grant.nameServers),
}: NetworkAccessDeps): NetworkAccess {
  const { hosts, extraHosts } = grant;
  let asking = 0;

  async function find(name: string, port: number): Promise<readonly string[]> {
    if (parseIpAddress(name) !== undefined) return [name];
    const extra = extraHosts.filter((one) => one.name === name);
    if (extra.length > 0) return extra.map(({ address }) => address);
    // RFC 6761 §6.3: nobody is asked for it.
    if (name === 'localhost' || name.endsWith('.localhost')) return ['127.0.0.1', '::1'];
    if (!mayResolve(hosts, name, port)) throw refusal(name, port, []);
    return ask(name);
  }

  async function ask(name: string): Promise<readonly string[]> {
    if (asking >= ASKING_MAX) {
      throw new ServiceError(
        'EMFILE',
        `${name}: ${ASKING_MAX} names are being resolved: wait for some`,
      );
    }
    asking++;
    try {
      return await resolve(name);
    } catch (cause) {
      const { code = 'ENOTFOUND' } = cause as { readonly code?: string };
      throw new ServiceError(
        code,
        `${name}: its address cannot be found: is the name right, and is there a name server?`,
      );
    } finally {
      asking--;
    }
  }

  function refusal(name: string, port: number, found: readonly string[]): ServiceError {
    const who = module === undefined ? 'this module' : `module ${module}`;
    const place = `${name.includes(':') ? `[${name}]` : name}:${port}`;
    const where = found.filter((address) => address !== name).map(describe);
    const at = where.length > 0 ? ` (${where.join(', ')})` : '';
    return new ServiceError(
      'EACCES',
      `${who} may not reach ${place}${at}: it is granted ${granted()}. ${remedy(name, port, found)}`,
    );
  }

  function granted(): string {
    if (hosts.length === 0) return 'nothing';
    const shown = hosts.slice(0, SHOWN_MAX).map(formatHostPort).join(', ');
    return hosts.length > SHOWN_MAX ? `${shown} and ${hosts.length - SHOWN_MAX} more` : shown;
  }

  function remedy(name: string, port: number, found: readonly string[]): string {
    const inner = found
      .map((address) => ({ address, ip: parseIpAddress(address) }))
      .filter(({ ip }) => ip !== undefined && kindOf(ip) !== 'public');
    const field = 'to the label "isolet.network" in createOptions.Labels';
    const unnamed = !mayResolve(hosts, name, port) && parseIpAddress(name) === undefined;
    const wanted = [...(unnamed ? [name] : []), ...inner.map(({ address }) => address)];
    // A public address that no "*" covers.
    const missing = wanted.length > 0 ? wanted : found;
    const list = missing.map((host) => formatHostPort(single(host, port))).join(', ');
    const why = inner.length > 0 ? ', since a name or "*" opens public addresses only' : '';
    return `If it should, add "${list}" ${field}${why}`;
  }

  return {
    async addresses(name, port) {
      const found = (await find(name, port)).flatMap(clean);
      const allowed = found.filter((address) => allows(grant, { name, address, port }));
      if (allowed.length > 0) return allowed;
      throw refusal(name, port, found);
    },
  };
}

/** As core writes it; an answer with a zone is no address anything was granted for. */
function clean(address: string): readonly string[] {
  const ip = parseIpAddress(address);
  return ip === undefined ? [] : [formatIp(ip)];
}

function describe(address: string): string {
  const ip = parseIpAddress(address);
  return ip === undefined ? address : `${address}, ${kindOf(ip)}`;
}

function single(host: string, port: number): { host: string; firstPort: number; lastPort: number } {
  return { host, firstPort: port, lastPort: port };
}

/** The device's own way, /etc/hosts included; or these servers, and nothing but DNS. */
export function systemResolve(nameServers: readonly string[]): Resolve {
  if (nameServers.length === 0) {
    return async (name) =>
      (await lookup(name, { all: true, order: 'verbatim' })).map(({ address }) => address);
  }
  return async (name) => {
    const resolver = new Resolver({ timeout: 5_000, tries: 2 });
    resolver.setServers(nameServers);
    const answers = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)]);
    const found = answers.flatMap((one) => (one.status === 'fulfilled' ? one.value : []));
    const [first] = answers;
    if (found.length === 0 && first?.status === 'rejected') throw first.reason;
    return found;
  };
}
