/**
 * edgeAgent's part: `$edgeAgent`'s desired properties become the target, the target is stored, and a
 * loop observes, plans, does the steps and observes again until what runs is what was asked for.
 */
import { type Deployment, type DesiredStatus, parseDeployment } from '../core/deployment.ts';
import { isJsonObject, type Json, type JsonObject } from '../core/json.ts';
import { describeStep, plan } from '../core/plan.ts';
import type { Cancel, Clock, StoreWrite } from '../core/ports.ts';
import { stripMetadata, versionOf } from '../core/twin.ts';
import type { BundleStates } from './bundle-states.ts';
import { createLoop, type Loop, type LoopDeps } from './loop.ts';
import type { Modules } from './modules.ts';
import { createSteps } from './steps.ts';

export interface Agent {
  /** The `$edgeAgent` desired section is now this one. */
  desired(section: JsonObject): void;
  /** Something was observed: look again. */
  wake(): void;
  /** What is asked for, undefined before the first deployment; and what became of the last asking. */
  target(): Deployment | undefined;
  lastDesired(): { readonly version: number | undefined; readonly status: DesiredStatus };
  stop(): Promise<void>;
}

export type AgentDeps = LoopDeps & {
  readonly modules: Modules;
  readonly bundles: BundleStates;
  readonly write: (writes: readonly StoreWrite[]) => Promise<void>;
  /** There is a new target: links, routes and reports follow it. */
  readonly retargeted: (deployment: Deployment) => void;
  /** Something worth reporting may have changed. */
  readonly changed: () => void;
};

const DOCUMENT = 'deployment';
/** IoT Edge's ConfigEmpty: a new device, nothing deployed to it yet. */
const EMPTY = 417;

/** `stored` is the document of the last run, so that a start without network runs the last deployment. */
export function createAgent(deps: AgentDeps, stored: Json | undefined): Agent {
  const { modules, bundles, clock, log } = deps;
  let target: Deployment | undefined;
  let version: number | undefined;
  let status: DesiredStatus = { code: 406, description: 'no deployment was received yet' };
  let cancelWake: Cancel = () => {};
  let collectedFor: Deployment | undefined;
  const carryOut = createSteps({ modules, bundles });
  const loop: Loop = createLoop('agent', turn, deps, { firstMs: 1_000, mostMs: 60_000 });

  if (isJsonObject(stored) && isJsonObject(stored['desired'])) use(stored['desired']);

  /** A deployment with problems changes nothing that runs; all of them are reported. */
  function use(section: JsonObject): boolean {
    const parsed = parseDeployment(section);
    if (!parsed.ok) {
      status = parsed.status;
      const nothingYet = parsed.status.code === EMPTY;
      log[nothingYet ? 'warn' : 'error']('the deployment was refused', { ...parsed.status });
      return false;
    }
    target = parsed.value;
    version = versionOf(section);
    status = { code: 200, description: '' };
    for (const spec of target.modules.values()) {
      const { problems } = spec.settings;
      if (problems.length > 0) {
        log.error('a module is refused, the others are not', { module: spec.name, problems });
      }
      if (spec.settings.unhonoured.length > 0) {
        log.warn('settings that have no meaning here', {
          module: spec.name,
          settings: spec.settings.unhonoured,
        });
      }
    }
    return true;
  }

  async function turn(): Promise<'again' | 'done'> {
    cancelWake();
    if (target === undefined) return 'done';
    bundles.keep([...target.modules.values()], target.credentials);
    const observation = { modules: modules.observe(), bundles: bundles.states() };
    const { steps, wakeAtMs } = plan(target.modules, observation, clock.now());
    for (const step of steps) {
      log.info('step', { step: describeStep(step) });
      await carryOut(step);
    }
    deps.changed();
    if (steps.length > 0) return 'again';
    await collectOnce(target);
    if (wakeAtMs !== undefined) wakeAt(clock, wakeAtMs);
    return 'done';
  }

  /** Old bundles go when the new deployment has all of its own, never before. */
  async function collectOnce(deployment: Deployment): Promise<void> {
    const specs = [...deployment.modules.values()];
    const states = bundles.states();
    const here = specs.every(
      ({ status: wanted, image, settings }) =>
        wanted === 'stopped' || settings.problems.length > 0 || states.get(image)?.kind === 'ready',
    );
    if (!here || collectedFor === deployment) return;
    collectedFor = deployment;
    await bundles.collect(specs.map(({ image }) => image));
  }

  function wakeAt(at: Clock, wakeAtMs: number): void {
    cancelWake = at.after(Math.max(10, wakeAtMs - at.now()), loop.wake);
  }

  return {
    desired(section) {
      if (use(section)) {
        void deps.write([
          { kind: 'document', name: DOCUMENT, value: { desired: withVersion(section) } },
        ]);
        deps.retargeted(target as Deployment);
        loop.wake();
      }
      deps.changed();
    },
    wake: loop.wake,
    target: () => target,
    lastDesired: () => ({ version, status }),
    async stop() {
      cancelWake();
      await loop.stop();
    },
  };
}

function withVersion(section: JsonObject): JsonObject {
  const version = versionOf(section);
  return { ...stripMetadata(section), ...(version === undefined ? {} : { $version: version }) };
}
