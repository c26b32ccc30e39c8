/** The ports of a module: asked by its own numbers, allowed by those of the device. */
import type { Asked } from './asked.ts';
import { type Decided, notAsked, type Refusal } from './capability-refusal.ts';
import type { Policy } from './policy.ts';
import type { PortGrant, PublishedPort } from './port-grant.ts';
import { FREE_PORTS, formatPortRange, type PortRange } from './port-range.ts';

/** @param at where the module's createOptions stand. */
export function decidePorts(
  asked: Asked | undefined,
  ports: readonly PortGrant[],
  policy: Policy,
  at: string,
): Decided<readonly PortGrant[]> {
  const refusals: Refusal[] = [];
  const given = ports.flatMap((grant): readonly PortGrant[] => {
    const { port, published } = grant;
    if (asked !== undefined && !asked.ports.includes(port)) {
      const here = published[0]?.at ?? `${at}.ExposedPorts["${port}/tcp"]`;
      refusals.push(notAsked(here, `port ${port}`));
      return [];
    }
    const allowed = published.filter((one) => isAllowed(one, policy.ports));
    refusals.push(
      ...published.filter((one) => !allowed.includes(one)).map((one) => forbidden(one, policy)),
    );
    return [{ ...grant, published: allowed }];
  });
  const missing = (asked?.ports ?? [])
    .filter((port) => !given.some((one) => one.port === port))
    .map(
      (port) =>
        `the bundle asks for port ${port}, which is not granted: add "${port}/tcp" to HostConfig.PortBindings`,
    );
  return { given, refusals, missing };
}

function isAllowed({ port }: PublishedPort, rules: readonly PortRange[] | undefined): boolean {
  if (rules === undefined) return true;
  // Which one the kernel takes nobody knows before.
  const [first, last] = port === 0 ? [FREE_PORTS.first, FREE_PORTS.last] : [port, port];
  return rules.some((rule) => rule.first <= first && last <= rule.last);
}

function forbidden({ port, at }: PublishedPort, { ports = [] }: Policy): Refusal {
  const what = port === 0 ? 'any free port' : `port ${port}`;
  const allowed = ports.map(formatPortRange).join(', ') || 'none';
  const sentence = `${at}: the policy of this device does not allow to publish ${what}: take another HostPort (it allows ${allowed}), or add it to isolet.policy.ports of the device's config`;
  return { what, by: 'policy', sentence };
}
