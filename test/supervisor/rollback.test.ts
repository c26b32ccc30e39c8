/** A new version that fails is given up by itself for the last good one: bundle and settings. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { JsonObject } from '../../src/core/json.ts';
import type { StoreWrite } from '../../src/core/ports.ts';
import { startSupervisor } from '../../src/supervisor/supervisor.ts';
import { createFakeBundles } from '../fakes/bundles.ts';
import { createFakeClock } from '../fakes/clock.ts';
import { createFakeLog } from '../fakes/log.ts';
import { createFakeModuleHost, type FakeProgram } from '../fakes/module-host.ts';
import { createMemoryStore } from '../fakes/store.ts';
import { createFakeUpstream } from '../fakes/upstream.ts';

const test = suite('rollback');
const MINUTE_MS = 60_000;

const well: FakeProgram = () => {};
const broken: FakeProgram = () => {
  throw new Error('it broke at load');
};

const docker = (image: string, change: JsonObject = {}): JsonObject => ({
  type: 'docker',
  version: image,
  status: 'running',
  restartPolicy: 'always',
  settings: { image, createOptions: '' },
  ...change,
});

/** One module `m` under test, and one beside it. */
async function device(store = createMemoryStore(), upstream = createFakeUpstream()) {
  const clock = createFakeClock();
  const host = createFakeModuleHost({ well, broken });
  const bundles = createFakeBundles({
    'm:1': 'well',
    'm:2': 'broken',
    'm:3': 'well',
    'm:4': 'well',
    'other:1': 'well',
  });
  const supervisor = await startSupervisor({
    store,
    host,
    upstream,
    bundles,
    clock,
    random: () => 0.5,
    log: createFakeLog(),
    device: { id: 'edge', hub: 'hub', version: '0', architecture: 'arm64', pid: 1 },
    moduleLimits: { heapMb: 32, startMs: 5000, turnMs: 1000 },
  });
  const deploy = async (m: JsonObject): Promise<void> => {
    const modules = { m, other: docker('other:1') };
    upstream.desired('$edgeAgent', {
      schemaVersion: '1.1',
      runtime: { type: 'docker', settings: {} },
      systemModules: {},
      modules,
    });
    await clock.advance(1_000);
  };
  const reported = (...path: readonly string[]): unknown =>
    path.reduce<unknown>(
      (value, key) => (value as JsonObject | undefined)?.[key],
      upstream.twin('$edgeAgent').reported,
    );
  const startsOf = (module: string): number =>
    host.starts.filter((start) => start.module === module).length;
  const status = () => supervisor.status.modules().find(({ name }) => name === 'm');
  return { clock, host, bundles, supervisor, store, upstream, deploy, reported, startsOf, status };
}

/** Runs, and has for long enough to be good. */
async function withGood(change: JsonObject = {}) {
  const world = await device();
  world.upstream.goOnline();
  await world.deploy(docker('m:1', change));
  await world.clock.advance(6 * MINUTE_MS);
  assert.is(world.status()?.status, 'running');
  return world;
}

const isLastGood = (write: StoreWrite): boolean =>
  write.kind === 'document' && write.name === 'lastGood';

const crash = (world: Awaited<ReturnType<typeof device>>): void =>
  world.host.end('m', { cause: 'error', exitCode: 1, reason: 'Error: it broke later.' });

test('a version that does not start is given up, reported, and not tried again', async () => {
  const { deploy, clock, reported, startsOf, status, bundles, store } = await withGood();
  await deploy(docker('m:2'));
  await clock.advance(MINUTE_MS);
  assert.is(status()?.status, 'running');
  assert.match(
    String(status()?.description),
    'running the last good version; the new one was given',
  );
  assert.is(reported('modules', 'm', 'settings', 'image'), 'm:1');
  assert.is(reported('modules', 'm', 'version'), 'm:1');
  const rolledBack = reported('modules', 'm', 'rolledBack') as JsonObject;
  assert.is(rolledBack['version'], 'm:2');
  assert.match(String(rolledBack['reason']), /failed 3 times, last: .*it broke at load/s);
  assert.is(reported('lastDesiredStatus', 'code'), 500);
  assert.match(
    String(reported('lastDesiredStatus', 'description')),
    'modules.m: version m:2 was rolled back to the last good one',
  );
  const starts = startsOf('m');
  const commits = store.commits.length;
  await clock.advance(24 * 60 * MINUTE_MS);
  assert.is(startsOf('m'), starts);
  assert.ok(!store.commits.slice(commits).flat().some(isLastGood), 'nothing new is learnt');
  assert.is(startsOf('other'), 1);
  assert.ok(await bundles.find('m:1'));
});

test('another deployment ends it: a new version is tried, and the same one when its label is new', async () => {
  const { deploy, clock, reported, startsOf, status } = await withGood();
  await deploy(docker('m:2'));
  await clock.advance(MINUTE_MS);
  const starts = startsOf('m');
  await deploy(docker('m:2', { restartPolicy: 'on-failure' }));
  await clock.advance(MINUTE_MS);
  assert.is(startsOf('m'), starts);
  await deploy(docker('m:2', { version: 'once more' }));
  await clock.advance(MINUTE_MS);
  assert.ok(startsOf('m') > starts);
  await deploy(docker('m:3'));
  await clock.advance(MINUTE_MS);
  assert.is(status()?.image, 'm:3');
  assert.is(reported('modules', 'm', 'rolledBack'), undefined);
  assert.is(reported('lastDesiredStatus', 'code'), 200);
});

test('a version that crashes again and again goes back, with the settings it had', async () => {
  const world = await withGood({ env: { mode: { value: 'old' } } });
  await world.deploy(docker('m:3', { env: { mode: { value: 'new' } } }));
  assert.is(world.host.starts.at(-1)?.env['mode'], 'new');
  for (const pauseMs of [11_000, 21_000, 41_000]) {
    crash(world);
    await world.clock.advance(pauseMs);
  }
  assert.is(world.host.starts.at(-1)?.env['mode'], 'old');
  assert.is(world.status()?.image, 'm:1');
  assert.is(world.status()?.status, 'running');
  assert.match(String(world.reported('modules', 'm', 'rolledBack', 'reason')), 'it broke later');
});

test('what has proved itself is never given up', async () => {
  const world = await withGood();
  await world.deploy(docker('m:3'));
  await world.clock.advance(6 * MINUTE_MS);
  for (let time = 0; time < 6; time++) {
    crash(world);
    await world.clock.advance(6 * MINUTE_MS);
  }
  assert.is(world.status()?.image, 'm:3');
  assert.is(world.reported('modules', 'm', 'rolledBack'), undefined);
});

test('a first version has nothing to go back to, and is tried on', async () => {
  const { deploy, clock, upstream, startsOf } = await device();
  upstream.goOnline();
  await deploy(docker('m:2'));
  await clock.advance(60 * MINUTE_MS);
  assert.ok(startsOf('m') > 10);
});

test('after a power cut it is still given up, without a network', async () => {
  const first = await withGood();
  await first.deploy(docker('m:2'));
  await first.clock.advance(MINUTE_MS);
  const second = await device(first.store.afterPowerCut(), createFakeUpstream());
  await second.clock.advance(MINUTE_MS);
  assert.is(second.status()?.image, 'm:1');
  assert.is(second.status()?.status, 'running');
  assert.is(second.startsOf('m'), 1);
});

test('a version the deployment takes back while it is on trial is no failure of it', async () => {
  const world = await withGood();
  await world.deploy(docker('m:3'));
  crash(world);
  await world.deploy(docker('m:4'));
  await world.clock.advance(6 * MINUTE_MS);
  assert.is(world.status()?.image, 'm:4');
  assert.is(world.reported('modules', 'm', 'rolledBack'), undefined);
  assert.is(await world.bundles.find('m:1'), undefined);
});

test.run();
