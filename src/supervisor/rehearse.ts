/** What a deployment would do to this device now; asking changes nothing. */
import { parseDeployment } from '../core/deployment.ts';
import type { Json } from '../core/json.ts';
import { readManifest } from '../core/manifest.ts';
import { readDeployment } from '../core/module-check.ts';
import type { BundleState } from '../core/plan.ts';
import type { Bundles, Clock } from '../core/ports.ts';
import { type Rehearsal, rehearse } from '../core/rehearsal.ts';
import type { BundleStates } from './bundle-states.ts';
import type { Modules } from './modules.ts';

/** With problems of the deployment as a whole there are no steps: it would be refused. */
export type DeploymentRehearsal = Rehearsal & {
  /** All of them, each with its path. */
  readonly problems: readonly string[];
};

export type RehearseDeps = {
  readonly modules: Pick<Modules, 'observe'>;
  readonly states: Pick<BundleStates, 'states'>;
  readonly bundles: Pick<Bundles, 'find'>;
  readonly clock: Clock;
};

/** @param manifest what `az iot edge set-modules` takes, or `$edgeAgent`'s desired properties. */
export async function rehearseDeployment(
  manifest: Json,
  { modules, states, bundles, clock }: RehearseDeps,
): Promise<DeploymentRehearsal> {
  const { problems } = readDeployment(manifest);
  const { agent } = readManifest(manifest, []);
  const parsed = agent === undefined ? undefined : parseDeployment(agent);
  if (parsed?.ok !== true) return { problems, steps: [], untouched: [] };
  const specs = parsed.value.modules;
  const known = new Map<string, BundleState>(states.states());
  const problemsOfModules: string[] = [];
  for (const { name, image, imagePullPolicy, status, settings } of specs.values()) {
    problemsOfModules.push(...settings.problems.map((problem) => `modules.${name}: ${problem}`));
    // Only what is wanted now is looked after; another image may lie there all the same.
    if (known.get(image)?.kind === 'ready') continue;
    if ((await isHere(image, bundles)) === true) known.set(image, { kind: 'ready' });
    else if (imagePullPolicy === 'never' && status === 'running') {
      const problem = `${image} is not on this device, and its imagePullPolicy is "never"`;
      problemsOfModules.push(`modules.${name}: ${problem}: deploy it with "on-create"`);
      known.set(image, { kind: 'failed', problem, retryAtMs: undefined });
    }
  }
  const observed = { modules: modules.observe(), bundles: known };
  return {
    problems: [...problems, ...problemsOfModules],
    ...rehearse(specs, observed, clock.now()),
  };
}

/** What cannot be read as an image or a bundle is told by the fetch that would fail. */
async function isHere(image: string, bundles: Pick<Bundles, 'find'>): Promise<boolean> {
  try {
    return (await bundles.find(image)) !== undefined;
  } catch {
    return false;
  }
}
