/** The whole supervisor on fakes: a deployment, messages, twins, methods, restarts, power cuts. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Fault } from '../../src/core/fault.ts';
import type { JsonObject } from '../../src/core/json.ts';
import { noPolicy, type Policy } from '../../src/core/policy.ts';
import { startSupervisor } from '../../src/supervisor/supervisor.ts';
import { createFakeBundles } from '../fakes/bundles.ts';
import { createFakeClock } from '../fakes/clock.ts';
import { createFakeLog } from '../fakes/log.ts';
import { createFakeModuleHost, type FakeProgram } from '../fakes/module-host.ts';
import { createMemoryStore, type MemoryStore } from '../fakes/store.ts';
import { createFakeUpstream, type FakeUpstream } from '../fakes/upstream.ts';

const test = suite('supervisor');

/** Sends a numbered reading whenever its desired `go` changes. */
const sensor: FakeProgram = (module) => {
  let call = 0;
  module.onEvents((events) => {
    for (const event of events) {
      if (event.t !== 'desired') continue;
      const b = `{"reading":${String(event.patch['go'])}}`;
      module.request([
        {
          t: 'send',
          call: ++call,
          output: 'out',
          p: {},
          s: { contentType: 'application/json' },
          b,
        },
      ]);
    }
  });
  module.request([{ t: 'listen', what: 'desired' }]);
};

/** Hands every input on, and acknowledges it in the same turn, without waiting. */
const filter: FakeProgram = (module) => {
  let call = 0;
  module.onEvents((events) => {
    for (const event of events) {
      if (event.t === 'input') {
        module.request([
          {
            t: 'send',
            call: ++call,
            output: 'alerts',
            p: { ...event.p, MessageType: 'Alert' },
            s: {},
            b: event.b,
          },
          { t: 'ack', ids: [event.id] },
        ]);
      }
      if (event.t === 'method') {
        module.request([
          { t: 'answer', id: event.id, status: 200, payload: { echo: event.payload } },
        ]);
      }
    }
  });
  module.request([
    { t: 'listen', what: 'inputs' },
    { t: 'listen', what: 'methods' },
    { t: 'report', call: 1000, patch: { ready: true } },
  ]);
};

const crash: FakeProgram = () => {
  throw new Error('it broke at load');
};

const docker = (image: string, change: JsonObject = {}): JsonObject => ({
  type: 'docker',
  version: '1.0',
  status: 'running',
  restartPolicy: 'always',
  settings: { image },
  ...change,
});

const deployment = (modules: JsonObject): JsonObject => ({
  schemaVersion: '1.1',
  runtime: { type: 'docker', settings: {} },
  systemModules: {},
  modules,
});

const routes: JsonObject = {
  schemaVersion: '1.1',
  routes: {
    in: 'FROM /messages/modules/sensor/outputs/out INTO BrokeredEndpoint("/modules/filter/inputs/in")',
    up: 'FROM /messages/modules/filter/* INTO $upstream',
  },
};

async function setUp(
  store: MemoryStore = createMemoryStore(),
  upstream: FakeUpstream = createFakeUpstream(),
  policy: Policy = noPolicy,
) {
  const clock = createFakeClock();
  const log = createFakeLog();
  const host = createFakeModuleHost({ sensor, filter, crash });
  const bundles = createFakeBundles({
    'sensor:1': 'sensor',
    'filter:1': 'filter',
    'crash:1': 'crash',
  });
  const supervisor = await startSupervisor({
    store,
    host,
    upstream,
    bundles,
    clock,
    random: () => 0.5,
    log,
    device: { id: 'edge', hub: 'hub', version: '0', architecture: 'arm64', pid: 1 },
    policy,
    moduleLimits: { heapMb: 32, startMs: 5000, turnMs: 1000 },
  });
  return { clock, log, host, store, upstream, bundles, supervisor };
}

const both: JsonObject = { sensor: docker('sensor:1'), filter: docker('filter:1') };

async function running() {
  const world = await setUp();
  world.upstream.desired('$edgeAgent', deployment(both));
  world.upstream.desired('$edgeHub', routes);
  world.upstream.goOnline();
  await world.clock.advance(3_000);
  return world;
}

/** What a module reported, at a path. */
function reported(upstream: FakeUpstream, ...path: readonly string[]): unknown {
  let value: unknown = upstream.twin('$edgeAgent').reported;
  for (const key of path) value = (value as Record<string, unknown> | undefined)?.[key];
  return value;
}
const bodies = (upstream: FakeUpstream): string[] =>
  upstream.sent('filter').map(({ body }) => Buffer.from(body).toString());

test('a deployment in the hub makes modules run, and says so in IoT Edge’s shape', async () => {
  const { upstream, supervisor } = await running();
  assert.equal(
    supervisor.status.modules().map(({ name, status }) => [name, status]),
    [
      ['sensor', 'running'],
      ['filter', 'running'],
    ],
  );
  assert.equal(reported(upstream, 'lastDesiredStatus'), { code: 200, description: '' });
  assert.is(reported(upstream, 'lastDesiredVersion'), 2);
  assert.is(reported(upstream, 'modules', 'filter', 'runtimeStatus'), 'running');
  assert.is((upstream.twin('$edgeHub').reported['lastDesiredStatus'] as JsonObject)['code'], 200);
  assert.is(upstream.twin('filter').reported['ready'], true);
});

test('createOptions asking for the impossible fail their module alone; put right, it runs', async () => {
  const { upstream, clock } = await setUp();
  const asking = (HostConfig: JsonObject): JsonObject => {
    // As text: a patch would merge objects.
    const createOptions = JSON.stringify({ HostConfig });
    return {
      ...both,
      filter: docker('filter:1', { settings: { image: 'filter:1', createOptions } }),
    };
  };
  const statuses = () =>
    ['sensor', 'filter'].map((name) => reported(upstream, 'modules', name, 'runtimeStatus'));
  upstream.desired('$edgeAgent', deployment(asking({ Memory: 0, Binds: ['/:/host'] })));
  upstream.goOnline();
  await clock.advance(3_000);
  assert.is(reported(upstream, 'lastDesiredStatus', 'code'), 500);
  assert.match(String(reported(upstream, 'lastDesiredStatus', 'description')), 'HostConfig.Memory');
  assert.equal(statuses(), ['running', 'failed']);
  const told = String(reported(upstream, 'modules', 'filter', 'statusDescription'));
  assert.match(told, /HostConfig\.Memory must be .*HostConfig\.Binds\[0\]: the whole device/);
  upstream.desired('$edgeAgent', deployment(asking({})));
  await clock.advance(3_000);
  assert.equal(statuses(), ['running', 'running']);
  upstream.desired('$edgeAgent', deployment(asking({ Memory: 1 })));
  await clock.advance(3_000);
  assert.equal(statuses(), ['running', 'running'], 'the version that runs goes on');
  assert.match(String(reported(upstream, 'modules', 'filter', 'statusDescription')), /Memory must/);
});

test('what the policy of the device forbids fails its module alone, with the field and the remedy', async () => {
  const policy = { ...noPolicy, binds: [{ path: '/srv', writable: false }] };
  const { upstream, clock } = await setUp(undefined, undefined, policy);
  const createOptions = { HostConfig: { Binds: ['/srv/site:/data'] } };
  const asking = {
    ...both,
    filter: docker('filter:1', { settings: { image: 'filter:1', createOptions } }),
  };
  upstream.desired('$edgeAgent', deployment(asking));
  upstream.goOnline();
  await clock.advance(3_000);
  assert.is(reported(upstream, 'modules', 'sensor', 'runtimeStatus'), 'running');
  assert.is.not(reported(upstream, 'modules', 'filter', 'runtimeStatus'), 'running');
  const told = String(reported(upstream, 'modules', 'filter', 'statusDescription'));
  assert.match(told, /Binds\[0\]: the policy of this device allows \/srv\/site for reading only/);
});

test('a new device says that it has no deployment, and nothing is an error', async () => {
  const { upstream, clock, log } = await setUp();
  upstream.goOnline();
  await clock.advance(3_000);
  assert.is(reported(upstream, 'lastDesiredStatus', 'code'), 417);
  assert.is((upstream.twin('$edgeHub').reported['lastDesiredStatus'] as JsonObject)['code'], 406);
  assert.equal(
    log.entries.filter(({ level }) => level === 'error'),
    [],
  );
});

test('messages flow module to module and up, as their sender', async () => {
  const { upstream, clock } = await running();
  upstream.desired('sensor', { go: 1 });
  upstream.desired('sensor', { go: 2 });
  await clock.advance(1_000);
  assert.equal(bodies(upstream), ['{"reading":1}', '{"reading":2}']);
  const [message] = upstream.sent('filter');
  assert.is(message?.sender, 'filter');
  assert.equal(message?.properties, { MessageType: 'Alert' });
  assert.is(message?.system['connectionModuleId'], 'filter');
});

test('offline, messages wait; back online they go up in order, and nothing twice', async () => {
  const { upstream, clock } = await running();
  upstream.desired('sensor', { go: 0 });
  await clock.advance(500);
  upstream.goOffline();
  upstream.desired('sensor', { go: 7 });
  await clock.advance(5_000);
  upstream.goOnline();
  await clock.advance(120_000);
  assert.equal(bodies(upstream), ['{"reading":0}', '{"reading":7}']);
});

test('what was accepted survives a power cut and reaches the hub after it', async () => {
  const { upstream, clock, store } = await running();
  upstream.desired('sensor', { go: 1 });
  await clock.advance(1_000);
  const before = bodies(upstream).length;
  // The hub stops taking messages; readings pile up on the device.
  for (let go = 2; go < 30; go++) upstream.desired('sensor', { go });
  upstream.failSends(new Fault('UPSTREAM_REFUSED', 'throttled'));
  await clock.advance(10_000);
  const cut = store.afterPowerCut();
  upstream.failSends(undefined);
  const after = await setUp(cut, upstream);
  await after.clock.advance(180_000);
  const seen = new Set(bodies(upstream));
  assert.is(before, 1);
  for (let go = 1; go < 30; go++) assert.ok(seen.has(`{"reading":${go}}`), `reading ${go}`);
});

test('a clock that jumps from 1970 to today costs no message its life', async () => {
  const { upstream, clock } = await running();
  upstream.desired('$edgeHub', {
    routes: {
      up: { route: 'FROM /messages/modules/filter/* INTO $upstream', timeToLiveSecs: 7200 },
    },
  });
  await clock.advance(100);
  upstream.failSends(new Fault('UPSTREAM_REFUSED', 'throttled'));
  upstream.desired('sensor', { go: 1 });
  await clock.advance(5_000);
  clock.step(56 * 365 * 86_400_000);
  upstream.failSends(undefined);
  await clock.advance(120_000);
  assert.equal(bodies(upstream), ['{"reading":1}']);
});

test('with no network at all, the last deployment runs', async () => {
  const { store, clock } = await running();
  await clock.advance(1_000);
  const offline = await setUp(store.afterPowerCut());
  await offline.clock.advance(1_000);
  assert.equal(
    offline.supervisor.status.modules().map(({ status }) => status),
    ['running', 'running'],
  );
});

test('a twin saved but not yet used when the plug was pulled is used at the next start', async () => {
  const { store, clock } = await running();
  await clock.advance(1_000);
  const cut = store.afterPowerCut();
  const { twins } = await cut.load();
  const row = twins['$edgeAgent'];
  assert.ok(row);
  const desired = { ...deployment({ filter: docker('filter:1') }), $version: 9 };
  await cut.commit([{ kind: 'twin', module: '$edgeAgent', twin: { ...row, desired } }]);
  const after = await setUp(cut);
  await after.clock.advance(1_000);
  assert.equal(
    after.supervisor.status.modules().map(({ name }) => name),
    ['filter'],
  );
});

test('a module that breaks at load is tried again after its pause, and its state says why', async () => {
  const { upstream, clock, host } = await running();
  upstream.desired('$edgeAgent', deployment({ ...both, crash: docker('crash:1') }));
  await clock.advance(2_000);
  assert.is(reported(upstream, 'modules', 'crash', 'runtimeStatus'), 'backoff');
  assert.match(
    String(reported(upstream, 'modules', 'crash', 'statusDescription')),
    'it broke at load',
  );
  const starts = (): number => host.starts.filter(({ module }) => module === 'crash').length;
  assert.is(starts(), 1);
  await clock.advance(10_000);
  assert.is(starts(), 2);
  await clock.advance(15_000);
  assert.is(starts(), 2);
  await clock.advance(10_000);
  assert.is(starts(), 3);
});

test('modules whose host was lost run again at once; what they had not acknowledged comes again', async () => {
  const { upstream, clock, host, supervisor } = await running();
  host.loseHost('shared');
  await clock.advance(100);
  assert.equal(
    supervisor.status.modules().map(({ status, restartCount }) => [status, restartCount]),
    [
      ['running', 0],
      ['running', 0],
    ],
  );
  upstream.desired('sensor', { go: 5 });
  await clock.advance(3_000);
  assert.ok(bodies(upstream).includes('{"reading":5}'));
});

test('one that took its host with it gets a host of its own', async () => {
  const { clock, host } = await running();
  host.end('sensor', {
    cause: 'wedged',
    exitCode: 137,
    reason: 'It could not be stopped.',
    tookHost: true,
  });
  await clock.advance(12_000);
  assert.equal(host.starts.at(-1)?.group, 'module sensor');
});

test('a bad deployment changes nothing, and every problem is reported', async () => {
  const { upstream, clock, supervisor } = await running();
  upstream.desired('$edgeAgent', { modules: { filter: { status: 'dancing', type: 'podman' } } });
  await clock.advance(3_000);
  assert.is(reported(upstream, 'lastDesiredStatus', 'code'), 400);
  const description = String(reported(upstream, 'lastDesiredStatus', 'description'));
  assert.match(description, 'modules.filter.status');
  assert.match(description, 'modules.filter.type');
  assert.is(reported(upstream, 'lastDesiredVersion'), 2);
  assert.equal(
    supervisor.status.modules().map(({ name }) => name),
    ['sensor', 'filter'],
  );
});

test('the bundle of an old version stays until the new one has proved itself, then leaves the disk', async () => {
  const { upstream, clock, bundles } = await running();
  upstream.desired(
    '$edgeAgent',
    deployment({ filter: docker('filter:2'), sensor: docker('sensor:1') }),
  );
  await clock.advance(3_000);
  assert.ok(await bundles.find('filter:1'));
  bundles.add('filter:2', 'filter');
  await clock.advance(10_000);
  assert.ok(await bundles.find('filter:2'));
  assert.ok(await bundles.find('filter:1'));
  await clock.advance(300_000);
  assert.is(await bundles.find('filter:1'), undefined);
  assert.ok(await bundles.find('sensor:1'));
});

test('a module taken out of the deployment ends, and is null in the report', async () => {
  const { upstream, clock, supervisor } = await running();
  upstream.desired('$edgeAgent', { modules: { sensor: null } });
  await clock.advance(3_000);
  assert.equal(
    supervisor.status.modules().map(({ name }) => name),
    ['filter'],
  );
  assert.equal(Object.keys(reported(upstream, 'modules') as object), ['filter']);
  assert.not.ok(upstream.opened().includes('sensor'));
});

test('methods reach the module, and the runtime itself', async () => {
  const { upstream, clock } = await running();
  assert.equal(await upstream.invoke('filter', { name: 'x', payload: 7 }), {
    status: 200,
    payload: { echo: 7 },
  });
  assert.equal(await upstream.invoke('$edgeAgent', { name: 'PING', payload: null }), {
    status: 200,
    payload: null,
  });
  assert.is((await upstream.invoke('$edgeAgent', { name: 'dance', payload: null }))?.status, 400);
  const asked = upstream.invoke('sensor', { name: 'x', payload: null });
  await clock.advance(2_000);
  assert.is((await asked)?.status, 404, 'it has no methods');
});

test('everything stops in order', async () => {
  const { supervisor, host, clock } = await running();
  const stopped = supervisor.stop();
  await clock.advance(1_000);
  await stopped;
  assert.equal(host.processes(), {});
});

test.run();
