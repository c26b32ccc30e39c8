import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readCreateOptions } from '../../src/core/create-options.ts';
import type { ModuleSpec } from '../../src/core/deployment.ts';
import type { JsonObject } from '../../src/core/json.ts';
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
  assert.equal(steps([after], { a: running(before) }, { 'a@2': ready }).steps, ['replace a']);
  assert.equal(steps([after], { a: ended(before, 'stopped') }, { 'a@2': ready }).steps, [
    'start a',
  ]);
});

test('a new version starts beside the old one, unless only one can have what it uses', () => {
  const options = (createOptions: JsonObject): Partial<ModuleSpec> => ({
    createOptions,
    settings: readCreateOptions(createOptions, ''),
  });
  const order = (before: JsonObject, after: JsonObject): string | undefined =>
    steps([spec('a', options(after))], { a: running(spec('a', options(before))) }, { 'a@1': ready })
      .steps[0];
  const first = 'replace a';
  const after = 'stop a: its settings changed';
  const memory = { HostConfig: { Memory: 64 * 1_048_576 } };
  const port = { HostConfig: { PortBindings: { '80/tcp': [{ HostPort: '8080' }] } } };
  const device = { HostConfig: { Devices: [{ PathOnHost: '/dev/i2c-1' }] } };
  const reads = { HostConfig: { Binds: ['/srv/data:/data:ro'] } };
  const writes = { HostConfig: { Binds: ['/srv/data:/data'] } };
  const label = (value: string): JsonObject => ({ Labels: { 'isolet.update_order': value } });
  assert.is(order({}, memory), first);
  assert.is(order({}, port), after);
  assert.is(order(device, {}), after);
  assert.is(order(reads, writes), first);
  assert.is(order(writes, { ...writes, ...memory }), first);
  assert.is(order(writes, { ...writes, Env: ['A=1'] }), after);
  assert.is(order(writes, { ...writes, ...label('start-first') }), first);
  assert.is(order({}, label('stop-first')), after);
  assert.is(order(device, { ...device, ...label('start-first') }), after);
});

test('what stands beside is withdrawn when it is not what is asked for any more', () => {
  const [old, next, third] = [spec('a'), spec('a', { image: 'a@2' }), spec('a', { image: 'a@3' })];
  const bundles = { 'a@1': ready, 'a@2': ready, 'a@3': ready };
  const beside = (state: 'starting' | 'stopping'): ModuleObservation => ({
    ...running(old),
    successor: { state, spec: next },
  });
  assert.equal(steps([next], { a: beside('starting') }, bundles).steps, []);
  const withdrawn = ['withdraw the new a: the deployment asks for another'];
  assert.equal(steps([third], { a: beside('starting') }, bundles).steps, withdrawn);
  assert.equal(steps([old], { a: beside('starting') }, bundles).steps, withdrawn);
  assert.equal(steps([old], { a: beside('stopping') }, bundles).steps, []);
});

test('a new version that could not take over is tried again at the pace of one that crashes', () => {
  const next = spec('a', { image: 'a@2' });
  const failed = (attempts: number): ModuleObservation => ({
    ...running(spec('a')),
    failedSuccessor: { spec: next, attempts, lastExitAtMs: NOW - 1_000, reason: 'it threw' },
  });
  const bundles = { 'a@2': ready, 'a@3': ready };
  assert.equal(steps([next], { a: failed(1) }, bundles), { steps: [], wakeInMs: 9_000 });
  assert.equal(steps([next], { a: failed(2) }, bundles), { steps: [], wakeInMs: 19_000 });
  assert.equal(steps([spec('a', { image: 'a@3' })], { a: failed(2) }, bundles).steps, [
    'replace a',
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
            if (step.kind === 'start' || step.kind === 'replace') {
              modules.set(step.spec.name, running(step.spec));
            }
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

test('a later startupOrder waits for those that say themselves when they are ready, and no longer than they may take', () => {
  const labels = { Labels: { 'isolet.ready_seconds': '30' } };
  const first = spec('first', { startupOrder: 0, settings: readCreateOptions(labels, '') });
  const same = spec('same', { startupOrder: 0 });
  const later = spec('later', { startupOrder: 1 });
  const desired = new Map([later, same, first].map((one) => [one.name, one]));
  const here = new Map(
    [first, same, later].map(({ image }): [string, BundleState] => [image, { kind: 'ready' }]),
  );
  const at = (
    nowMs: number,
    observation: ModuleObservation | undefined,
    bundles: ReadonlyMap<string, BundleState> = here,
  ) => {
    const modules = new Map([[same.name, running(same)]]);
    if (observation !== undefined) modules.set(first.name, observation);
    const { steps, wakeAtMs } = plan(desired, { modules, bundles }, nowMs);
    return [...steps.map(describeStep), wakeAtMs];
  };
  const started = (ready: boolean): ModuleObservation => ({ ...running(first), ready });
  const startedAtMs = NOW - 5_000;
  assert.equal(at(NOW, undefined), ['start first', undefined]);
  assert.equal(at(NOW, started(false)), [startedAtMs + 30_000]);
  assert.equal(at(NOW, { ...started(false), state: 'starting' }), [startedAtMs + 30_000]);
  assert.equal(at(NOW, started(true)), ['start later', undefined]);
  assert.equal(at(startedAtMs + 30_000, started(false)), ['start later', undefined]);
  assert.equal(at(startedAtMs - 1, started(false)), ['start later', undefined], 'a clock set back');
  const withFirst = (state: BundleState): ReadonlyMap<string, BundleState> =>
    new Map([...here, [first.image, state]]);
  assert.equal(at(NOW, undefined, withFirst({ kind: 'absent' })), ['fetch first@1', undefined]);
  assert.equal(at(NOW, undefined, withFirst({ kind: 'fetching' })), [undefined]);
  const failed: BundleState = { kind: 'failed', problem: 'gone', retryAtMs: undefined };
  assert.equal(at(NOW, undefined, withFirst(failed)), ['start later', undefined]);
  const inBackOff = ended(first, 'error', { restartCount: 3, lastExitAtMs: NOW - 1 });
  assert.ok(at(NOW, inBackOff).includes('start later'), 'nobody waits for one that crashed');
});

test('seconds that are none are a problem of the module, with its path and what is allowed', () => {
  for (const value of ['0', '3601', 'soon', 30, null]) {
    const { problems, readyMs } = readCreateOptions(
      { Labels: { 'isolet.ready_seconds': value } },
      'at',
    );
    assert.is(readyMs, undefined);
    assert.ok(
      problems.some((one) =>
        /^at\.Labels\["isolet\.ready_seconds"\] must be whole seconds/.test(one),
      ),
      `${String(value)}: ${problems.join('; ')}`,
    );
  }
});

test.run();
