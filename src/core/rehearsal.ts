/**
 * What a deployment would do to what runs now: the planner's own steps, taken in thought until nothing is
 * left to do. Pure: data in, data out. A rehearsal believes that every fetch and every start succeeds.
 */
import type { ModuleSpec } from './deployment.ts';
import type { ModuleName } from './message.ts';
import {
  type BundleState,
  type ModuleObservation,
  needsRestart,
  type Observation,
  plan,
  type Step,
} from './plan.ts';
import { sameJson } from './twin.ts';

type RehearsedStep = {
  readonly kind: Step['kind'];
  readonly module: ModuleName;
  /** For a person; names of variables, never their values. */
  readonly why: string;
};

export type Rehearsal = {
  /** In the order they would be taken. */
  readonly steps: readonly RehearsedStep[];
  /** What goes on as it is, and what of it changes all the same. */
  readonly untouched: readonly { readonly module: ModuleName; readonly why: string }[];
};

type Modules = Map<ModuleName, ModuleObservation>;

/** Each round takes a module at least one step on its way, which has four at most; more would be a bug. */
const ROUNDS_MAX = 10;

const NO_STATISTICS: ModuleObservation['statistics'] = {
  restartCount: 0,
  lastRestartAtMs: null,
  lastStartAtMs: null,
  lastExitAtMs: null,
  exitCode: 0,
  exitReason: '',
  quarantined: false,
};

export function rehearse(
  desired: ReadonlyMap<ModuleName, ModuleSpec>,
  observed: Observation,
  nowMs: number,
): Rehearsal {
  const modules: Modules = new Map(
    [...observed.modules].map(([name, one]) => [name, settled(one)]),
  );
  const bundles = new Map([...observed.bundles].map(([image, state]) => [image, arrived(state)]));
  const steps: RehearsedStep[] = [];
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const next = plan(desired, { modules, bundles }, nowMs).steps;
    if (next.length === 0) break;
    for (const step of next) {
      const module = nameOf(step);
      steps.push({
        kind: step.kind,
        module,
        why: whyOf(step, observed.modules.get(module), desired),
      });
      take(step, modules, bundles);
    }
  }
  const touched = new Set(steps.map(({ module }) => module));
  const untouched = [...desired.values()]
    .filter(({ name }) => !touched.has(name))
    .map((spec) => ({
      module: spec.name,
      why: whyUntouched(spec, observed.modules.get(spec.name)),
    }));
  return { steps, untouched };
}

/** What is on its way has arrived, in thought. */
function settled(module: ModuleObservation): ModuleObservation {
  if (module.state === 'stopping') return { ...module, state: 'ended', endingCause: 'stopped' };
  return module;
}

function arrived(state: BundleState): BundleState {
  return state.kind === 'fetching' ? { kind: 'ready' } : state;
}

function take(step: Step, modules: Modules, bundles: Map<string, BundleState>): void {
  switch (step.kind) {
    case 'fetch':
      return void bundles.set(step.image, { kind: 'ready' });
    case 'start':
    case 'replace': {
      const statistics = modules.get(step.spec.name)?.statistics ?? NO_STATISTICS;
      const { spec } = step;
      return void modules.set(spec.name, {
        state: 'running',
        ready: true,
        spec,
        endingCause: undefined,
        statistics,
      });
    }
    case 'withdraw':
    case 'stop': {
      const before = modules.get(step.module) as ModuleObservation;
      const after: Partial<ModuleObservation> =
        step.kind === 'stop' ? { state: 'ended', endingCause: 'stopped' } : {};
      return void modules.set(step.module, { ...before, ...after, successor: undefined });
    }
    case 'forget':
      return void modules.delete(step.module);
  }
}

function nameOf(step: Step): ModuleName {
  return 'spec' in step ? step.spec.name : step.module;
}

function whyOf(
  step: Step,
  before: ModuleObservation | undefined,
  desired: ReadonlyMap<ModuleName, ModuleSpec>,
): string {
  const wanted = desired.get(nameOf(step));
  switch (step.kind) {
    case 'fetch':
      return `${step.image} is not on this device`;
    case 'forget':
      return 'what is remembered of it is dropped';
    case 'withdraw':
      return step.why;
    case 'replace':
      return `${changes(before?.spec as ModuleSpec, step.spec)}; it takes over while the old version runs`;
    case 'stop':
      if (wanted === undefined || wanted.status === 'stopped') return step.why;
      return `${changes(before?.spec as ModuleSpec, wanted)}; two of it cannot run side by side`;
    case 'start':
      if (before === undefined) return 'it is new';
      if (before.spec !== undefined && needsRestart(before.spec, step.spec))
        return changes(before.spec, step.spec);
      return before.state === 'ended' ? `it ended (${before.endingCause})` : 'it does not run yet';
  }
}

/** What of it asks for a new start. */
function changes(before: ModuleSpec, after: ModuleSpec): string {
  const names = new Set([...Object.keys(before.env), ...Object.keys(after.env)]);
  const variables = [...names].filter((name) => before.env[name] !== after.env[name]).sort();
  return [
    ...(before.image === after.image ? [] : [`image ${before.image} becomes ${after.image}`]),
    ...(sameJson(before.createOptions, after.createOptions) ? [] : ['createOptions change']),
    ...(variables.length === 0 ? [] : [`env changes: ${variables.join(', ')}`]),
  ].join(', ');
}

function whyUntouched(spec: ModuleSpec, before: ModuleObservation | undefined): string {
  if (spec.settings.problems.length > 0) return 'it is refused';
  if (spec.status === 'stopped') return 'it is stopped, as the deployment asks';
  if (before?.spec === undefined) return 'it waits for its bundle';
  if (before.state === 'ended')
    return `it ended (${before.endingCause}); its restart policy decides`;
  const labels = (['version', 'restartPolicy', 'startupOrder', 'imagePullPolicy'] as const).filter(
    (field) => before.spec?.[field] !== spec[field],
  );
  return labels.length === 0 ? 'nothing changes' : `only ${labels.join(', ')}: it runs on`;
}
