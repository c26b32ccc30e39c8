/** What to do now so that what runs becomes what the deployment asks for. Pure: data in, steps out. */
import type { ModuleSpec } from './deployment.ts';
import type { ModuleName } from './message.ts';
import type { EndingCause, StatisticsRow } from './ports.ts';
import { restartVerdict, type Verdict } from './restart-policy.ts';
import { createStartOrder } from './start-order.ts';
import { sameJson } from './twin.ts';
import { updateOrder } from './update-order.ts';

/** Every step there is. An executor for each is in supervisor/steps.ts; a missing one does not compile. */
export type Step =
  | { readonly kind: 'fetch'; readonly module: ModuleName; readonly image: string }
  | { readonly kind: 'start'; readonly spec: ModuleSpec; readonly counts: boolean }
  /** Start it beside the version that runs, from which it takes over. */
  | { readonly kind: 'replace'; readonly spec: ModuleSpec }
  /** End the version that stands beside the one that runs. */
  | { readonly kind: 'withdraw'; readonly module: ModuleName; readonly why: string }
  | { readonly kind: 'stop'; readonly module: ModuleName; readonly why: string }
  /** The module is in no deployment any more: drop what is remembered of it. */
  | { readonly kind: 'forget'; readonly module: ModuleName };

/** One sentence for the log. */
export function describeStep(step: Step): string {
  switch (step.kind) {
    case 'fetch':
      return `fetch ${step.image}`;
    case 'start':
      return `start ${step.spec.name}`;
    case 'replace':
      return `replace ${step.spec.name}`;
    case 'withdraw':
      return `withdraw the new ${step.module}: ${step.why}`;
    case 'stop':
      return `stop ${step.module}: ${step.why}`;
    case 'forget':
      return `forget ${step.module}`;
  }
}

/** What is known of one module at this moment. */
export type ModuleObservation = {
  /** `idle`: not started since this process began. */
  readonly state: 'idle' | 'starting' | 'running' | 'stopping' | 'ended';
  /** It has said so itself, since it was last started. */
  readonly ready?: boolean;
  /** What it was last started with. */
  readonly spec: ModuleSpec | undefined;
  readonly endingCause: EndingCause | undefined;
  readonly statistics: StatisticsRow;
  /** What stands beside it, to take over from it. */
  readonly successor?: Successor | undefined;
  /** The last that could not. */
  readonly failedSuccessor?: FailedSuccessor | undefined;
};

type Successor = {
  readonly state: ModuleObservation['state'];
  readonly spec: ModuleSpec;
};

/** It ended before it could take over. */
export type FailedSuccessor = {
  readonly spec: ModuleSpec;
  /** How often this has happened to it. */
  readonly attempts: number;
  readonly lastExitAtMs: number;
  /** In words for a person. */
  readonly reason: string;
};

export type BundleState =
  | { readonly kind: 'absent' }
  | { readonly kind: 'fetching' }
  | { readonly kind: 'ready' }
  /** It could not be had; `retryAtMs` undefined = only another reference can help. */
  | { readonly kind: 'failed'; readonly problem: string; readonly retryAtMs: number | undefined };

export type Observation = {
  readonly modules: ReadonlyMap<ModuleName, ModuleObservation>;
  /** By image reference. */
  readonly bundles: ReadonlyMap<string, BundleState>;
};

export type Plan = {
  readonly steps: readonly Step[];
  /** When time alone makes another step due; undefined = only an event can. */
  readonly wakeAtMs: number | undefined;
};

/**
 * Steps that can be done now, in order. Planning again after they are done leads on, until nothing is
 * left to do. `desired` undefined = no deployment known yet: leave everything as it is.
 */
export function plan(
  desired: ReadonlyMap<ModuleName, ModuleSpec> | undefined,
  observed: Observation,
  nowMs: number,
): Plan {
  const steps: Step[] = [];
  let wakeAtMs: number | undefined;
  const wakeAt = (atMs: number): void => {
    wakeAtMs = Math.min(wakeAtMs ?? atMs, atMs);
  };
  if (desired === undefined) return { steps, wakeAtMs };

  for (const [name, module] of observed.modules) {
    if (desired.has(name)) continue;
    if (module.state === 'running' || module.state === 'starting') {
      steps.push({ kind: 'stop', module: name, why: 'it is not in the deployment any more' });
    } else if (module.state !== 'stopping') {
      steps.push({ kind: 'forget', module: name });
    }
  }
  const inOrder = [...desired.values()].sort(
    (a, b) => a.startupOrder - b.startupOrder || (a.name < b.name ? -1 : 1),
  );
  const order = createStartOrder();
  for (const spec of inOrder) {
    const module = observed.modules.get(spec.name);
    const alive = module?.state === 'running' || module?.state === 'starting';
    if (module?.state === 'stopping') continue;
    if (spec.status === 'stopped') {
      if (alive) steps.push({ kind: 'stop', module: spec.name, why: 'the deployment asks for it' });
      continue;
    }
    const changed = module?.spec !== undefined && needsRestart(module.spec, spec);
    if (alive) {
      const startedAtMs = module.statistics.lastStartAtMs ?? nowMs;
      order.begun(spec, { ready: module.ready === true, startedAtMs }, nowMs);
    }
    const successor = alive ? module.successor : undefined;
    if (successor !== undefined && (!changed || needsRestart(successor.spec, spec))) {
      if (successor.state !== 'stopping')
        steps.push({ kind: 'withdraw', module: spec.name, why: 'the deployment asks for another' });
      continue;
    }
    if (successor !== undefined || (alive && !changed)) continue;
    // No start can succeed; an old version that runs is better than none.
    if (spec.settings.problems.length > 0) continue;

    // The bundle comes first, while the old version runs on.
    const bundle = observed.bundles.get(spec.image) ?? { kind: 'absent' };
    if (bundle.kind === 'failed' && bundle.retryAtMs !== undefined && nowMs < bundle.retryAtMs) {
      wakeAt(bundle.retryAtMs);
    } else if (
      bundle.kind === 'absent' ||
      (bundle.kind === 'failed' && bundle.retryAtMs !== undefined)
    ) {
      steps.push({ kind: 'fetch', module: spec.name, image: spec.image });
    }
    const onItsWay = { ready: false, startedAtMs: undefined };
    if (bundle.kind === 'absent' || bundle.kind === 'fetching') order.begun(spec, onItsWay, nowMs);
    if (bundle.kind !== 'ready') continue;

    if (alive && updateOrder(module.spec as ModuleSpec, spec) === 'start-first') {
      const again = whenToReplace(module.failedSuccessor, spec, nowMs);
      if (again.kind === 'wait') wakeAt(again.untilMs);
      if (again.kind === 'start') steps.push({ kind: 'replace', spec });
      continue;
    }
    if (alive) {
      steps.push({ kind: 'stop', module: spec.name, why: 'its settings changed' });
      continue;
    }
    const isFirst = module === undefined || module.state === 'idle' || changed;
    const again: Again = isFirst
      ? { kind: 'start', counts: false }
      : whenAgain(module, spec, nowMs);
    if (again.kind === 'wait') wakeAt(again.untilMs);
    if (again.kind !== 'start' || order.holds(spec)) continue;
    steps.push({ kind: 'start', spec, counts: again.counts });
    order.begun(spec, onItsWay, nowMs);
  }
  const heldUntilMs = order.wakeAtMs();
  if (heldUntilMs !== undefined) wakeAt(heldUntilMs);
  return { steps, wakeAtMs };
}

/** A new version that could not take over is tried again at the pace of a module that crashes. */
function whenToReplace(
  failed: FailedSuccessor | undefined,
  spec: ModuleSpec,
  nowMs: number,
): Verdict {
  if (failed === undefined || needsRestart(failed.spec, spec)) return { kind: 'start' };
  const { attempts, lastExitAtMs } = failed;
  return restartVerdict(
    { failed: true, policy: 'always', restartCount: attempts - 1, lastExitAtMs },
    nowMs,
  );
}

/** No module is started more often than this because its host was lost. */
const HOST_LOST_PACE_MS = 500;

type Again =
  | { readonly kind: 'start'; readonly counts: boolean }
  | { readonly kind: 'wait'; readonly untilMs: number }
  | { readonly kind: 'leave' };

/** An ended module: those we stopped and those that lost their host for no fault of theirs start at once. */
function whenAgain(module: ModuleObservation, spec: ModuleSpec, nowMs: number): Again {
  const cause = module.endingCause;
  const { statistics } = module;
  if (cause === 'stopped') return { kind: 'start', counts: false };
  if (cause === 'host lost') {
    // At once, but a host that dies at every start must not make us spin.
    const untilMs = (statistics.lastStartAtMs ?? 0) + HOST_LOST_PACE_MS;
    const pacing = nowMs < untilMs && nowMs >= untilMs - HOST_LOST_PACE_MS;
    return pacing ? { kind: 'wait', untilMs } : { kind: 'start', counts: false };
  }
  const verdict = restartVerdict(
    {
      failed: statistics.exitCode !== 0,
      policy: spec.restartPolicy,
      restartCount: statistics.restartCount,
      lastExitAtMs: statistics.lastExitAtMs ?? nowMs,
    },
    nowMs,
  );
  return verdict.kind === 'start' ? { kind: 'start', counts: true } : verdict;
}

/**
 * Does the change need a new start? A label, a policy or an order does not; IoT Edge's agent would
 * recreate the container for those too (spec/iotedge.md §3.1, docs/differences.md).
 */
export function needsRestart(before: ModuleSpec, after: ModuleSpec): boolean {
  return (
    before.image !== after.image ||
    !sameJson(before.createOptions, after.createOptions) ||
    !sameJson(before.env, after.env)
  );
}
