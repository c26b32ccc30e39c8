/** The official service SDK's configurations: edge deployments at scale, settings for devices and modules. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { eventually, openTarget, PATIENCE_MS, rejection, type Target } from './target.ts';

type Context = { target: Target; edge: string; leaf: string; made: string[] };
const test = suite<Context>('sdk configurations');
/** A real hub looks at the devices every five minutes. */
const ROUND_MS = process.env['ISOLET_TEST_HUB'] === undefined ? PATIENCE_MS : 600_000;
const run = `run${Date.now()}`;

test.before(async (context) => {
  const target = await openTarget();
  const edge = await target.newDevice(undefined, { capabilities: { iotEdge: true } });
  const leaf = await target.newDevice();
  for (const id of [edge.id, leaf.id]) {
    await target.registry.updateTwin(id, { tags: { run } } as never, '*');
  }
  Object.assign(context, { target, edge: edge.id, leaf: leaf.id, made: [] });
});
test.after.each(async ({ target, made }) => {
  for (const id of made.splice(0)) {
    await target.registry.removeConfiguration(id).catch(() => undefined);
  }
});
test.after(async ({ target }) => await target.close());

const module = (image: string) => ({
  type: 'docker',
  status: 'running',
  restartPolicy: 'always',
  settings: { image, createOptions: '' },
});
const base = (threshold: number) => ({
  modulesContent: {
    $edgeAgent: {
      'properties.desired': {
        schemaVersion: '1.1',
        runtime: { type: 'docker', settings: {} },
        systemModules: {
          edgeAgent: { type: 'docker', settings: { image: 'agent:1', createOptions: '' } },
          edgeHub: { ...module('hub:1'), env: {} },
        },
        modules: { filter: module('filter:1') },
      },
    },
    $edgeHub: {
      'properties.desired': {
        schemaVersion: '1.1',
        routes: { up: 'FROM /messages/* INTO $upstream' },
        storeAndForwardConfiguration: { timeToLiveSecs: 7200 },
      },
    },
    filter: { 'properties.desired': { threshold } },
  },
});

async function add(
  { target, made }: Context,
  name: string,
  priority: number,
  content: object,
  more: object = {},
): Promise<any> {
  const id = `isolet-test-${run}-${name}`;
  made.push(id);
  const targetCondition = `tags.run='${run}'`;
  const whole = { id, priority, targetCondition, content, labels: { by: 'test' }, ...more };
  return (await target.registry.addConfiguration(whole as never)).responseBody;
}

const desiredOf = async ({ target, edge }: Context, moduleId: string): Promise<any> =>
  ((await target.registry.getModuleTwin(edge, moduleId)).responseBody as any).properties.desired;

test('a deployment reaches the devices it means, and is measured', async (context) => {
  const { target, edge, leaf } = context;
  const metrics = { queries: { all: `SELECT deviceId FROM devices WHERE tags.run = '${run}'` } };
  const made = await add(context, 'base', 10, base(25), { metrics });
  assert.is(made.priority, 10);
  assert.equal(made.labels, { by: 'test' });
  assert.match(made.systemMetrics.queries.targetedCount, /^select deviceId from devices where/);
  await eventually(
    ROUND_MS,
    'the deployment',
    async () => (await desiredOf(context, '$edgeAgent')).modules?.filter !== undefined,
  );
  assert.is((await desiredOf(context, 'filter')).threshold, 25);
  assert.is((await desiredOf(context, '$edgeHub')).routes.up, 'FROM /messages/* INTO $upstream');
  const twin = (await target.registry.getTwin(edge)).responseBody as any;
  assert.ok(twin.configurations[made.id]);
  assert.equal((await target.registry.getModulesOnDevice(leaf)).responseBody, []);
  await eventually(ROUND_MS, 'the metrics', async () => {
    const { systemMetrics, metrics: own } = (await target.registry.getConfiguration(made.id))
      .responseBody as any;
    const { targetedCount, appliedCount } = systemMetrics.results;
    return targetedCount === 1 && appliedCount === 1 && own.results.all === 2;
  });
});

test('the highest priority wins, layers lie on top, and all gives way again', async (context) => {
  const { target } = context;
  const low = await add(context, 'low', 10, base(1));
  await add(context, 'high', 20, base(2));
  const layer = await add(context, 'layer', 30, {
    modulesContent: {
      $edgeAgent: { 'properties.desired.modules.extra': module('extra:1') },
      $edgeHub: {
        'properties.desired.routes.extra': 'FROM /messages/modules/extra/* INTO $upstream',
      },
      filter: { 'properties.desired.layered': true },
    },
  });
  await add(context, 'below', 5, {
    modulesContent: { $edgeAgent: { 'properties.desired.modules.never': module('never:1') } },
  });
  const agent = await eventually(ROUND_MS, 'all layers', async () => {
    const desired = await desiredOf(context, '$edgeAgent');
    return desired.modules?.extra === undefined ? undefined : desired;
  });
  assert.equal(Object.keys(agent.modules).sort(), ['extra', 'filter']);
  const { threshold, layered } = await desiredOf(context, 'filter');
  assert.equal([threshold, layered], [2, true]);
  assert.equal(Object.keys((await desiredOf(context, '$edgeHub')).routes).sort(), ['extra', 'up']);

  await target.registry.updateConfiguration(
    { ...(await target.registry.getConfiguration(low.id)).responseBody, priority: 25 } as never,
    true,
  );
  await eventually(
    ROUND_MS,
    'the one below',
    async () => (await desiredOf(context, 'filter')).threshold === 1,
  );
  await target.registry.removeConfiguration(layer.id);
  await eventually(
    ROUND_MS,
    'the layer gone',
    async () => (await desiredOf(context, '$edgeAgent')).modules.extra === undefined,
  );
});

test('a device that comes to match has it, too', async (context) => {
  const { target } = context;
  const condition = { targetCondition: `tags.run='${run}' AND tags.ring='late'` };
  await add(context, 'late', 50, base(50), condition);
  const late = await target.newDevice(undefined, { capabilities: { iotEdge: true } });
  await target.registry.updateTwin(late.id, { tags: { run, ring: 'late' } } as never, '*');
  await eventually(ROUND_MS, 'the deployment', async () => {
    const twin = (await target.registry.getModuleTwin(late.id, '$edgeAgent')).responseBody as any;
    return twin.properties.desired.modules?.filter !== undefined;
  });
});

test('settings for devices, and for modules', async (context) => {
  const { target, leaf } = context;
  await target.newModule(leaf, 'meter');
  const condition = { targetCondition: `tags.run='${run}' AND deviceId='${leaf}'` };
  await add(
    context,
    'device',
    1,
    { deviceContent: { 'properties.desired.net.dns': '1.1.1.1' } },
    condition,
  );
  await add(
    context,
    'module',
    1,
    { moduleContent: { 'properties.desired.rate': 5 } },
    { targetCondition: `FROM devices.modules WHERE deviceId='${leaf}' AND moduleId='meter'` },
  );
  await eventually(ROUND_MS, 'the settings', async () => {
    const device = (await target.registry.getTwin(leaf)).responseBody as any;
    const meter = (await target.registry.getModuleTwin(leaf, 'meter')).responseBody as any;
    return device.properties.desired.net?.dns === '1.1.1.1' && meter.properties.desired.rate === 5;
  });
});

test('made, listed, changed by its etag, deleted; refused where it must be', async (context) => {
  const { target } = context;
  const { registry } = target;
  const nobody = { targetCondition: '' };
  const made = await add(context, 'one', 1, base(1), nobody);
  const list = (await registry.getConfigurations()).responseBody as any[];
  assert.ok(list.some(({ id }) => id === made.id));
  await rejection(add(context, 'one', 1, base(1), nobody));
  const changed = (await registry.updateConfiguration({ ...made, priority: 2 }))
    .responseBody as any;
  assert.is(changed.priority, 2);
  const stale = await rejection(registry.updateConfiguration({ ...made, priority: 3 }));
  assert.is(stale.name, 'InvalidEtagError');
  const odd = await rejection(add(context, 'odd', 1, base(1), { targetCondition: 'tags.' }));
  assert.is(odd.name, 'ArgumentError');
  await registry.removeConfiguration(made.id);
  assert.ok(await rejection(registry.getConfiguration(made.id)));
});

test('a deployment for one device', async ({ target, edge, leaf, ...context }) => {
  await target.registry.applyConfigurationContentOnDevice(edge, base(77) as never);
  const one = { target, edge, leaf, ...context };
  assert.is((await desiredOf(one, 'filter')).threshold, 77);
  assert.ok(
    await rejection(target.registry.applyConfigurationContentOnDevice(leaf, base(1) as never)),
  );
});

test.run();
