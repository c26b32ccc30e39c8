/** The hosts of a module: an explicit grant the policy forbids is refused, the default network is narrowed. */
import type { Asked } from './asked.ts';
import { type Decided, notAsked, type Refusal } from './capability-refusal.ts';
import { isPublicBlock, parseIpBlock } from './ip-address.ts';
import {
  covers,
  type ExtraHost,
  forBundle,
  formatHostPort,
  type HostPort,
  intersect,
  isNamed,
  type NetworkGrant,
} from './network-grant.ts';
import type { Policy } from './policy.ts';

/** @param at where the module's createOptions stand. */
export function decideNetwork(
  asked: Asked | undefined,
  granted: NetworkGrant,
  policy: Policy,
  at: string,
): Decided<NetworkGrant> {
  const refusals: Refusal[] = [];
  const label = `${at}.Labels["isolet.network"]`;
  if (asked !== undefined && !granted.implicit) {
    for (const one of granted.hosts) {
      if (intersect(asked.network, [one]).length > 0) continue;
      refusals.push(notAsked(label, formatHostPort(one)));
    }
  }
  const forAsked = asked === undefined ? granted : forBundle(granted, asked.network);
  const wanted = { ...forAsked, extraHosts: placedByOperator(forAsked, granted.hosts) };
  const given = narrow(wanted, policy.network);
  if (!granted.implicit) {
    for (const one of wanted.hosts) {
      if (policy.network === undefined || covers(policy.network, [one])) continue;
      refusals.push(forbidden(label, formatHostPort(one)));
    }
    for (const one of wanted.extraHosts.filter((extra) => !given.extraHosts.includes(extra))) {
      const what = `${one.address} (for ${one.name})`;
      refusals.push(forbidden(`${at}.HostConfig.ExtraHosts`, what));
    }
  }
  const missing = (asked?.network ?? [])
    .filter((one) => intersect([one], given.hosts).length === 0)
    .map((one) => {
      const shown = formatHostPort(one);
      return intersect([one], wanted.hosts).length > 0
        ? `the bundle asks for ${shown}, which the policy of this device does not allow: add it to isolet.policy.network of the device's config`
        : `the bundle asks for ${shown}, which is not granted: add it to the label "isolet.network"`;
    });
  return { given, refusals, missing };
}

function narrow(grant: NetworkGrant, rules: readonly HostPort[] | undefined): NetworkGrant {
  if (rules === undefined) return grant;
  const hosts = intersect(grant.hosts, rules);
  // A name is good for public addresses alone, in a policy as in a grant: any other place needs a rule.
  const extraHosts = grant.extraHosts.filter((one) =>
    reaching(one, [...grant.hosts, ...hosts]).every((name) =>
      covers(rules, [{ ...name, host: one.address }]),
    ),
  );
  return { ...grant, hosts, extraHosts: placedByOperator({ hosts, extraHosts }, grant.hosts) };
}

/**
 * `*` names nothing (network-grant.ts), and must not begin to because a bundle or a policy made
 * `*.lan` of it: a name that is placed at a private address keeps its place only where it was named.
 */
function placedByOperator(
  { hosts, extraHosts }: Pick<NetworkGrant, 'hosts' | 'extraHosts'>,
  before: readonly HostPort[],
): readonly ExtraHost[] {
  const named = before.filter(({ host }) => host !== '*');
  return extraHosts.filter((one) =>
    reaching(one, hosts).every(({ firstPort, lastPort }) =>
      covers(named, [{ host: one.name, firstPort, lastPort }]),
    ),
  );
}

/** The grants that lead to where `ExtraHosts` puts a name, when that is no public address. */
function reaching({ name, address }: ExtraHost, hosts: readonly HostPort[]): readonly HostPort[] {
  const block = parseIpBlock(address);
  if (block !== undefined && isPublicBlock(block)) return [];
  return hosts.filter(({ host }) => host !== '*' && isNamed(host, name));
}

function forbidden(at: string, what: string): Refusal {
  const sentence = `${at}: the policy of this device does not allow ${what}: take it out of the deployment, or add it to isolet.policy.network of the device's config`;
  return { what, by: 'policy', sentence };
}
