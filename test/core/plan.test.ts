import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readCreateOptions } from '../../src/core/create-options.ts';
import type { ModuleSpec } from '../../src/core/deployment.ts';
import {
  type BundleState,
  describeStep,
  type ModuleObservation,
  type Observation,
  plan,
} from '../../src/core/plan.ts';
import type { StatisticsRow } from '../../src/core/ports.ts';

const test = suite('plan');
const NOW = 1_000_000_000;

const spec = (name: string, change: Partial<ModuleSpec> = {}): ModuleSpec => ({
  name,
  version: '1',
  type: 'docker',
  status: 'running',
  restartPolicy: 'always',
  imagePullPolicy: 'on-create',
  startupOrder: 9,
  image: `${name}@1`,
  createOptions: {},
  settings: readCreateOptions({}, ''),
  env: {},
  ...change,
});

const statistics: StatisticsRow = {
  restartCount: 0,
  lastRestartAtMs: null,
  lastStartAtMs: NOW - 5000,
  lastExitAtMs: null,
  exitCode: 0,
  exitReason: '',
  quarantined: false,
};

const running = (of: ModuleSpec): ModuleObservation => ({
  state: 'running',
  spec: of,
  endingCause: undefined,
  statistics,
});
const ended = (
  of: ModuleSpec,
  cause: ModuleObservation['endingCause'],
  change: Partial<StatisticsRow> = {},
): ModuleObservation => ({
  state: 'ended',
  spec: of,
  endingCause: cause,
  statistics: { ...statistics, exitCode: 1, lastExitAtMs: NOW - 1000, ...change },
});

function steps(
  desired: readonly ModuleSpec[],
  modules: Readonly<Record<string, ModuleObservation>> = {},
  bundles: Readonly<Record<string, BundleState>> = {},
): { steps: string[]; wakeInMs: number | undefined } {
  const result = plan(
    new Map(desired.map((module) => [module.name, module])),
    { modules: new Map(Object.entries(modules)), bundles: new Map(Object.entries(bundles)) },
    NOW,
  );
  return {
    steps: result.steps.map(describeStep),
    wakeInMs: result.wakeAtMs === undefined ? undefined : result.wakeAtMs - NOW,
  };
}
const ready: BundleState = { kind: 'ready' };

test('a module that asks for the impossible is neither fetched nor started, and its old version runs on', () => {
  const Memory = { HostConfig: { Memory: 0 } };
  const bad = spec('a', { createOptions: Memory, settings: readCreateOptions(Memory, '') });
  assert.equal(steps([bad, spec('b')]).steps, ['fetch b@1']);
  assert.equal(steps([bad], { a: running(spec('a')) }, { 'a@1': ready }).steps, []);
  assert.equal(steps([bad], { a: ended(spec('a'), 'error') }, { 'a@1': ready }).steps, []);
  const off: ModuleSpec = { ...bad, status: 'stopped' };
  assert.is(steps([off], { a: running(spec('a')) }).steps.length, 1);
});

test('a new module is fetched, then started', () => {
  assert.equal(steps([spec('a')]).steps, ['fetch a@1']);
  assert.equal(steps([spec('a')], {}, { 'a@1': { kind: 'fetching' } }).steps, []);
  assert.equal(steps([spec('a')], {}, { 'a@1': ready }).steps, ['start a']);
});

test('modules start in their order', () => {
  const modules = [spec('b', { startupOrder: 2 }), spec('z', { startupOrder: 0 }), spec('a')];
  const bundles = { 'a@1': ready, 'b@1': ready, 'z@1': ready };
  assert.equal(steps(modules, {}, bundles).steps, ['start z', 'start b', 'start a']);
});

test('the old version runs on while the new one is fetched', () => {
  const before = spec('a');
  const after = spec('a', { image: 'a@2' });
  assert.equal(steps([after], { a: running(before) }).steps, ['fetch a@2']);
  const failed: BundleState = { kind: 'failed', problem: 'no such bundle', retryAtMs: undefined };
  assert.equal(steps([after], { a: running(before) }, { 'a@2': failed }).steps, []);
  assert.equal(steps([after], { a: running(before) }, { 'a@2': ready }).steps, [
    'stop a: its settings changed',
  ]);
  assert.equal(steps([after], { a: ended(before, 'stopped') }, { 'a@2': ready }).steps, [
    'start a',
  ]);
});

test('a label, a policy or an order restarts nothing', () => {
  const changed = spec('a', { version: '2', restartPolicy: 'never', startupOrder: 0 });
  assert.equal(steps([changed], { a: running(spec('a')) }, { 'a@1': ready }).steps, []);
});

test('what is in no deployment is stopped, then forgotten', () => {
  assert.equal(steps([], { a: running(spec('a')) }).steps, [
    'stop a: it is not in the deployment any more',
  ]);
  assert.equal(steps([], { a: ended(spec('a'), 'stopped') }).steps, ['forget a']);
});

test('stopped means stopped', () => {
  const stopped = spec('a', { status: 'stopped' });
  assert.equal(steps([stopped], { a: running(stopped) }).steps, [
    'stop a: the deployment asks for it',
  ]);
  assert.equal(steps([stopped], { a: ended(stopped, 'stopped') }, { 'a@1': ready }).steps, []);
});

test('a crash waits out its pause; a lost host does not', () => {
  const bundles = { 'a@1': ready };
  assert.equal(steps([spec('a')], { a: ended(spec('a'), 'error') }, bundles), {
    steps: [],
    wakeInMs: 9_000,
  });
  assert.equal(steps([spec('a')], { a: ended(spec('a'), 'host lost') }, bundles).steps, [
    'start a',
  ]);
  const young = ended(spec('a'), 'host lost', { lastStartAtMs: NOW - 100 });
  assert.equal(steps([spec('a')], { a: young }, bundles), { steps: [], wakeInMs: 400 });
});

test('a download that failed is tried again when it is time', () => {
  const failed: BundleState = { kind: 'failed', problem: 'away', retryAtMs: NOW + 2_000 };
  assert.equal(steps([spec('a')], {}, { 'a@1': failed }), { steps: [], wakeInMs: 2_000 });
  const due: BundleState = { kind: 'failed', problem: 'away', retryAtMs: NOW };
  assert.equal(steps([spec('a')], {}, { 'a@1': due }).steps, ['fetch a@1']);
});

test('with no deployment known, nothing is touched', () => {
  const observed: Observation = {
    modules: new Map([['a', running(spec('a'))]]),
    bundles: new Map(),
  };
  assert.equal(plan(undefined, observed, NOW), { steps: [], wakeAtMs: undefined });
});

test('doing the steps reaches the target, and there is nothing left to do', () => {
  const name = fc.constantFrom('a', 'b', 'c');
  const module = fc.record({
    name,
    image: fc.constantFrom('x@1', 'x@2'),
    status: fc.constantFrom('running' as const, 'stopped' as const),
  });
  const deployment = fc
    .uniqueArray(module, { selector: (of) => of.name })
    .map((modules) => new Map(modules.map((of) => [of.name, spec(of.name, of)])));
  fc.assert(
    fc.property(deployment, deployment, (first, second) => {
      const modules = new Map<string, ModuleObservation>();
      const bundles = new Map<string, BundleState>();
      for (const target of [first, second]) {
        let rounds = 0;
        for (;;) {
          const { steps: next } = plan(target, { modules, bundles }, NOW);
          if (next.length === 0) break;
          if (++rounds > 10) return false;
          for (const step of next) {
            if (step.kind === 'fetch') bundles.set(step.image, ready);
            if (step.kind === 'start') modules.set(step.spec.name, running(step.spec));
            if (step.kind === 'forget') modules.delete(step.module);
            if (step.kind === 'stop') {
              const of = modules.get(step.module)?.spec as ModuleSpec;
              modules.set(step.module, ended(of, 'stopped'));
            }
          }
        }
        const alive = [...modules].filter(([, of]) => of.state === 'running');
        const wanted = [...target.values()].filter((of) => of.status === 'running');
        if (alive.length !== wanted.length) return false;
        if (!wanted.every((of) => modules.get(of.name)?.spec?.image === of.image)) return false;
      }
      return true;
    }),
  );
});

test.run();
