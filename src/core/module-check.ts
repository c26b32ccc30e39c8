/** What would become of the modules of a deployment on a device, before it is sent there. */
import type { Asked } from './asked.ts';
import { decide } from './capabilities.ts';
import { type CapabilityRow, capabilityRows } from './capability-rows.ts';
import { type ModuleSpec, parseDeployment } from './deployment.ts';
import type { Json } from './json.ts';
import { readManifest } from './manifest.ts';
import type { Policy } from './policy.ts';
import { collide } from './port-grant.ts';
import { parseHubConfig } from './route-config.ts';

export type ManifestReading = {
  /** All that is wrong with the deployment and its routes, each with its path. */
  readonly problems: readonly string[];
  readonly modules: readonly ModuleSpec[];
};

/** A bundle as far as it could be looked at. */
export type LookedAt = {
  /** What it is, or why nothing is known of it, for a person. */
  readonly sentence: string;
  /** here: `asked` is what it asks for. absent: nobody knows. wrong: it would not start. */
  readonly state: 'here' | 'absent' | 'wrong';
  /** Undefined = it declares nothing. */
  readonly asked: Asked | undefined;
};

export type ModuleCheck = {
  readonly name: string;
  readonly image: string;
  readonly bundle: Pick<LookedAt, 'state' | 'sentence'>;
  readonly capabilities: readonly CapabilityRow[];
  /** The module would not start. */
  readonly problems: readonly string[];
  /** It starts with less than it is granted, or asks for. */
  readonly notes: readonly string[];
  /** Fields of its createOptions that are not honoured. */
  readonly unhonoured: readonly string[];
};

export function readDeployment(value: Json): ManifestReading {
  const problems: string[] = [];
  const { agent, hub } = readManifest(value, problems);
  const told = (where: string, found: readonly string[]): void => {
    problems.push(...found.map((problem) => `${where}: ${problem}`));
  };
  if (hub !== undefined) told('$edgeHub', parseHubConfig(hub).problems);
  if (agent === undefined) return { problems, modules: [] };
  const parsed = parseDeployment(agent);
  if (!parsed.ok) told('$edgeAgent', parsed.problems);
  const modules = [...(parsed.ok ? parsed.value.modules : parsed.modules).values()];
  problems.push(...portsGivenTwice(modules));
  return { problems, modules };
}

export function checkModule(
  { name, image, settings }: ModuleSpec,
  bundle: LookedAt,
  policy: Policy,
  memoryDefaultMb: number,
): ModuleCheck {
  const { grants, memoryMb, unhonoured } = settings;
  const at = `modules.${name}.settings.createOptions`;
  const granted = { grants, memoryMb, memoryDefaultMb, at };
  const decision = decide(bundle.asked, granted, policy);
  const by = (side: 'bundle' | 'policy'): readonly string[] =>
    decision.refusals.filter((one) => one.by === side).map(({ sentence }) => sentence);
  return {
    name,
    image,
    bundle: { state: bundle.state, sentence: bundle.sentence },
    capabilities: capabilityRows(bundle.asked, granted, policy, decision),
    problems: [
      ...(bundle.state === 'wrong' ? [bundle.sentence] : []),
      ...settings.problems,
      ...by('policy'),
    ],
    notes: [...by('bundle'), ...decision.missing],
    unhonoured,
  };
}

function portsGivenTwice(modules: readonly ModuleSpec[]): readonly string[] {
  const all = modules.flatMap(({ name, settings }) =>
    settings.grants.ports.flatMap(({ published }) => published.map((one) => ({ name, one }))),
  );
  return all.flatMap(({ name, one }, index) => {
    const twin = all
      .slice(0, index)
      .find((other) => other.name !== name && collide(other.one, one));
    return twin === undefined
      ? []
      : [`${one.at}: port ${one.port} of the device is given to ${twin.one.at}: take another`];
  });
}
