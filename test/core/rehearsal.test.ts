/** A deployment in thought: what it ends in is what the planner wants, and nothing is told twice or with a value. */
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readCreateOptions } from '../../src/core/create-options.ts';
import type { ModuleSpec } from '../../src/core/deployment.ts';
import type { BundleState, ModuleObservation, Observation } from '../../src/core/plan.ts';
import { type Rehearsal, rehearse } from '../../src/core/rehearsal.ts';

const test = suite('rehearsal');
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

const observed = (
  of: ModuleSpec,
  state: ModuleObservation['state'] = 'running',
): ModuleObservation => ({
  state,
  spec: of,
  endingCause: state === 'ended' ? 'error' : undefined,
  statistics: {
    restartCount: 1,
    lastRestartAtMs: null,
    lastStartAtMs: NOW - 5_000,
    lastExitAtMs: state === 'ended' ? NOW - 10 : null,
    exitCode: 1,
    exitReason: '',
    quarantined: false,
  },
});

const READY: BundleState = { kind: 'ready' };
const world = (running: readonly ModuleObservation[], here: readonly string[]): Observation => ({
  modules: new Map(running.map((one) => [(one.spec as ModuleSpec).name, one])),
  bundles: new Map(here.map((image) => [image, READY])),
});
const wanted = (...specs: readonly ModuleSpec[]): ReadonlyMap<string, ModuleSpec> =>
  new Map(specs.map((one) => [one.name, one]));
const told = ({ steps, untouched }: Rehearsal): string[] => [
  ...steps.map(({ kind, module, why }) => `${kind} ${module}: ${why}`),
  ...untouched.map(({ module, why }) => `- ${module}: ${why}`),
];

test('a device with two modules gets a deployment that touches each in another way', () => {
  const before = [
    observed(spec('gone')),
    observed(spec('kept')),
    observed(spec('label')),
    observed(spec('newer')),
    observed(spec('secret', { env: { KEY: 'old', SAME: '1' } })),
    observed(spec('crashed'), 'ended'),
  ];
  const rehearsal = rehearse(
    wanted(
      spec('added'),
      spec('kept'),
      spec('label', { version: '2', restartPolicy: 'never' }),
      spec('newer', { image: 'newer@2' }),
      spec('secret', { env: { KEY: 'hunter2', SAME: '1' } }),
      spec('crashed'),
    ),
    world(before, ['kept@1', 'label@1', 'secret@1', 'crashed@1']),
    NOW,
  );
  assert.equal(told(rehearsal), [
    'stop gone: it is not in the deployment any more',
    'fetch added: added@1 is not on this device',
    'fetch newer: newer@2 is not on this device',
    'replace secret: env changes: KEY; it takes over while the old version runs',
    'forget gone: what is remembered of it is dropped',
    'start added: it is new',
    'replace newer: image newer@1 becomes newer@2; it takes over while the old version runs',
    '- kept: nothing changes',
    '- label: only version, restartPolicy: it runs on',
    '- crashed: it ended (error); its restart policy decides',
  ]);
  assert.not.match(JSON.stringify(rehearsal), /hunter2/);
});

test('whatever runs and whatever is asked for: in the end just that runs, and a second rehearsal has no step', () => {
  const specs = fc.record({
    image: fc.constantFrom('a', 'b'),
    status: fc.constantFrom<ModuleSpec['status']>('running', 'stopped'),
    startupOrder: fc.nat(3),
    env: fc.constantFrom({}, { A: '1' }),
    settings: fc.constantFrom(
      readCreateOptions({}, ''),
      readCreateOptions({ Labels: { 'isolet.update_order': 'stop-first' } }, ''),
    ),
  });
  const names = fc.constantFrom('one', 'two', 'three');
  const deployments = fc.dictionary(names, specs);
  const states = fc.constantFrom<ModuleObservation['state']>(
    'idle',
    'starting',
    'running',
    'stopping',
  );
  fc.assert(
    fc.property(
      fc.dictionary(names, fc.tuple(specs, states)),
      deployments,
      fc.subarray(['a', 'b']),
      (before, after, here) => {
        const desired = wanted(
          ...Object.entries(after).map(([name, change]) => spec(name, change)),
        );
        const running = Object.entries(before).map(([name, [change, state]]) =>
          observed(spec(name, change), state),
        );
        const { steps, untouched } = rehearse(desired, world(running, here), NOW);
        const ends = new Map<string, boolean>(
          running.map(({ spec: of, state }) => [
            (of as ModuleSpec).name,
            state === 'running' || state === 'starting',
          ]),
        );
        for (const { kind, module } of steps) {
          if (kind === 'start' || kind === 'replace') ends.set(module, true);
          if (kind === 'stop') ends.set(module, false);
          if (kind === 'forget') ends.delete(module);
        }
        for (const { name, status } of desired.values())
          assert.is(ends.get(name) ?? false, status === 'running', name);
        for (const [name, runs] of ends) if (!desired.has(name)) assert.not.ok(runs);
        const all = [...steps, ...untouched];
        assert.ok(all.every(({ why }) => why !== '' && !/undefined/.test(why)));
      },
    ),
  );
});

test.run();
