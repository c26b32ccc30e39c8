/**
 * edgeAgent's part: `$edgeAgent`'s desired properties become the target, the target is stored, and a
 * loop observes, plans, does the steps and observes again until what runs is what was asked for.
 */
import { type Deployment, type DesiredStatus, parseDeployment } from '../core/deployment.ts';
import { deploymentStatus } from '../core/deployment-status.ts';
import { isJsonObject, type Json, type JsonObject } from '../core/json.ts';
import { describeStep, type Observation, plan, type Step } from '../core/plan.ts';
import type { Cancel, StoreWrite } from '../core/ports.ts';
import { stripMetadata, versionOf } from '../core/twin.ts';
import type { BundleStates } from './bundle-states.ts';
import { createLoop, type Loop, type LoopDeps } from './loop.ts';
import type { Modules } from './modules.ts';
import { createSteps } from './steps.ts';
import type { Trials } from './trials.ts';

export interface Agent {
  /** The `$edgeAgent` desired section is now this one. */
  desired(section: JsonObject): void;
  /** Something was observed: look again. */
  wake(): void;
  /**
   * What is to run, undefined before the first deployment: what was asked for, with the last good version of a
   * module whose new one was given up. And what became of the last asking.
   */
  target(): Deployment | undefined;
  lastDesired(): { readonly version: number | undefined; readonly status: DesiredStatus };
  stop(): Promise<void>;
}

export type AgentDeps = LoopDeps & {
  readonly modules: Modules;
  readonly bundles: BundleStates;
  readonly trials: Trials;
  /** Called before and after each step, and waited for: tests cut the power there. */
  readonly onStep?: ((step: Step, when: 'before' | 'after') => Promise<void>) | undefined;
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
  const { modules, bundles, clock, log, trials, onStep } = deps;
  let wanted: Deployment | undefined;
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
    wanted = parsed.value;
    target = trials.settle(wanted);
    version = versionOf(section);
    status = { code: 200, description: '' };
    if (wanted.notices.length > 0) {
      log.warn('parts of the deployment are ignored', { notices: wanted.notices });
    }
    for (const spec of wanted.modules.values()) {
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
    if (wanted === undefined) return 'done';
    const { changed, againInMs } = trials.look(wanted, modules.observe());
    if (changed) target = trials.settle(wanted);
    const { modules: specs } = target as Deployment;
    const good = trials.images().map((image) => ({ image, imagePullPolicy: 'on-create' as const }));
    bundles.keep([...specs.values(), ...good], wanted.credentials);
    const { steps, wakeAtMs } = plan(specs, observe(), clock.now());
    for (const step of steps) {
      log.info('step', { step: describeStep(step) });
      await onStep?.(step, 'before');
      await carryOut(step);
      await onStep?.(step, 'after');
    }
    deps.changed();
    if (steps.length > 0) return 'again';
    await collectOnce(target as Deployment);
    const untilMs = wakeAtMs === undefined ? Infinity : wakeAtMs - clock.now();
    const soonestMs = Math.min(untilMs, againInMs ?? Infinity);
    if (soonestMs !== Infinity) wakeIn(soonestMs);
    return 'done';
  }

  function observe(): Observation {
    return { modules: modules.observe(), bundles: bundles.states() };
  }

  /** Old bundles go when the new deployment has all of its own, never before. */
  async function collectOnce(deployment: Deployment): Promise<void> {
    const specs = [...deployment.modules.values()];
    const states = bundles.states();
    const here = specs.every(
      ({ status: wanted, image, settings }) =>
        wanted === 'stopped' || settings.problems.length > 0 || states.get(image)?.kind === 'ready',
    );
    if (!here || collectedFor === deployment || !trials.isSaved()) return;
    collectedFor = deployment;
    await bundles.collect([...specs.map(({ image }) => image), ...trials.images()]);
  }

  function wakeIn(delayMs: number): void {
    cancelWake = clock.after(Math.max(10, delayMs), loop.wake);
  }

  return {
    desired(section) {
      const before = wanted;
      if (use(section)) {
        void deps.write([
          ...trials.supersede(before, wanted as Deployment, modules.observe()),
          { kind: 'document', name: DOCUMENT, value: { desired: withVersion(section) } },
        ]);
        deps.retargeted(target as Deployment);
        loop.wake();
      }
      deps.changed();
    },
    wake: loop.wake,
    target: () => target,
    lastDesired: () => ({ version, status: deploymentStatus(status, target, observe()) }),
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
