/** Configurations at scale where the SDK's suite does not look: drift, limits, restarts, settings that go. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Json } from '../../src/core/json.ts';
import type { ConfigurationDocument } from '../../src/emulator/configuration-document.ts';
import { inOrder, planDeployment } from '../../src/emulator/configuration-plan.ts';
import { createEmulator, type Emulator } from '../../src/emulator/emulator.ts';
import { rest } from './hub-kit.ts';

type Context = { hub: Emulator; dataDir: string };
const test = suite<Context>('configurations');
const settings = { configurationDelayMs: 1, configurationBatch: 2 };

test.before.each(async (context) => {
  context.dataDir = mkdtempSync(join(tmpdir(), 'isolet-configurations-'));
  context.hub = await createEmulator({ dataDir: context.dataDir, port: 0, settings });
});
test.after.each(async ({ hub, dataDir }) => {
  await hub.close();
  rmSync(dataDir, { recursive: true, force: true });
});

const base = (value: Json) => ({
  modulesContent: {
    $edgeAgent: { 'properties.desired': { modules: { filter: { version: value } } } },
    $edgeHub: { 'properties.desired': { routes: {} } },
    filter: { 'properties.desired': { value } },
  },
});

async function put(hub: Emulator, id: string, body: Record<string, unknown>): Promise<any> {
  const whole = { targetCondition: '*', priority: 1, ...body };
  const reply = await rest(hub, 'PUT', `/configurations/${id}`, { body: whole as never });
  assert.is(reply.status, 200, reply.text);
  return reply.json;
}

const twinOf = async (hub: Emulator, path: string): Promise<any> =>
  (await rest(hub, 'GET', `/twins/${path}`)).json;
const desiredOf = async (hub: Emulator, path: string): Promise<any> =>
  (await twinOf(hub, path))?.properties?.desired ?? {};

async function eventually(what: string, ask: () => Promise<boolean>): Promise<void> {
  for (const endsAt = performance.now() + 10_000; performance.now() < endsAt; ) {
    if (await ask()) return;
  }
  throw new Error(`${what} did not come`);
}

test('what the runtime shall do is put right again, what a module shall do is left', async ({
  hub,
}) => {
  for (const id of ['a', 'b', 'c', 'd', 'e']) hub.createDevice(id, { iotEdge: true });
  await put(hub, 'base', { content: base(1) });
  await eventually('all five', async () => {
    const values = await Promise.all(
      ['a', 'b', 'c', 'd', 'e'].map((id) => desiredOf(hub, `${id}/modules/filter`)),
    );
    return values.every(({ value }) => value === 1);
  });
  const patch = (desired: object) => ({ body: { properties: { desired } } as never });
  await rest(hub, 'PATCH', '/twins/a/modules/filter', patch({ value: 2, own: true }));
  await rest(hub, 'PATCH', '/twins/a/modules/$edgeAgent', patch({ modules: { odd: {} } }));
  await eventually('the agent as before', async () => {
    const { modules } = await desiredOf(hub, 'a/modules/$edgeAgent');
    return modules.odd === undefined && modules.filter !== undefined;
  });
  const { value, own } = await desiredOf(hub, 'a/modules/filter');
  assert.equal([value, own], [2, true]);
  assert.equal((await twinOf(hub, 'a')).configurations, { base: { status: 'Applied' } });
});

test('a device goes back to the next deployment, and from none it keeps the last', async ({
  hub,
}) => {
  hub.createDevice('a', { iotEdge: true });
  await put(hub, 'low', { content: base('low') });
  await put(hub, 'high', { content: base('high'), priority: 2 });
  const is = (value: string) =>
    eventually(value, async () => (await desiredOf(hub, 'a/modules/filter')).value === value);
  await is('high');
  assert.equal((await twinOf(hub, 'a/modules/$edgeAgent')).configurations, {
    high: { status: 'Applied' },
    low: { status: 'Targeted' },
  });
  await rest(hub, 'DELETE', '/configurations/high');
  await is('low');
  await rest(hub, 'DELETE', '/configurations/low');
  await eventually('no word of it', async () => {
    return (await twinOf(hub, 'a')).configurations === undefined;
  });
  await is('low');
});

test('settings for a device come, change hands, and go', async ({ hub }) => {
  hub.createDevice('a');
  const patch = { tags: { on: true }, properties: { desired: { net: { own: 1 } } } };
  await rest(hub, 'PATCH', '/twins/a', { body: patch });
  const content = (dns: string, more: object = {}) => ({
    deviceContent: { 'properties.desired.net.dns': dns, ...more },
  });
  const extra = { 'properties.desired.extra': { deep: true } };
  await put(hub, 'one', { content: content('1', extra), targetCondition: 'tags.on = true' });
  const net = async () => (await desiredOf(hub, 'a')).net;
  await eventually('one', async () => (await net()).dns === '1');
  await put(hub, 'two', { content: content('2'), priority: 5, targetCondition: 'tags.on = true' });
  await eventually('two', async () => (await net()).dns === '2');
  assert.is((await desiredOf(hub, 'a')).extra, undefined);
  await rest(hub, 'PATCH', '/twins/a', { body: { tags: { on: null } } });
  await eventually('none', async () => (await net()).dns === undefined);
  assert.equal(await net(), { own: 1 });
});

test('what a twin has no room for changes nothing, and the hub lives on', async ({ hub }) => {
  hub.createDevice('a', { iotEdge: true });
  const text = 'x'.repeat(4_000);
  const large = Object.fromEntries(Array.from({ length: 9 }, (_, n) => [`n${n}`, text]));
  const content = base(1);
  await put(hub, 'large', {
    content: {
      modulesContent: { ...content.modulesContent, filter: { 'properties.desired': large } },
    },
    priority: 9,
  });
  const agent = await twinOf(hub, 'a/modules/$edgeAgent');
  assert.equal(agent.properties.desired.modules, undefined);
  await rest(hub, 'DELETE', '/configurations/large');
  await put(hub, 'small', { content: base(1) });
  await eventually('the small one', async () => {
    return (await desiredOf(hub, 'a/modules/filter')).value === 1;
  });
});

test('all of it is there after a restart', async (context) => {
  const { hub, dataDir } = context;
  hub.createDevice('a', { iotEdge: true });
  await put(hub, 'base', { content: base(1) });
  await eventually('it', async () => (await desiredOf(hub, 'a/modules/filter')).value === 1);
  await hub.close();
  context.hub = await createEmulator({ dataDir, port: 0, settings });
  context.hub.createDevice('b', { iotEdge: true });
  await eventually('the new one', async () => {
    return (await desiredOf(context.hub, 'b/modules/filter')).value === 1;
  });
  const { json } = await rest(context.hub, 'GET', '/configurations?top=1');
  assert.is(json[0].systemMetrics.results.appliedCount, 2);
  await rest(context.hub, 'DELETE', '/devices/b');
  const after = await rest(context.hub, 'GET', '/configurations/base');
  assert.is(after.json.systemMetrics.results.appliedCount, 1);
});

test('refusals name every problem', async ({ hub }) => {
  const tries: readonly (readonly [object, RegExp])[] = [
    [
      { content: { modulesContent: { a: { tags: 1 }, 'b c': {} } } },
      /tags is not below.*b c is no module id/,
    ],
    [
      {
        content: {
          deviceContent: { 'properties.desired.a': 1 },
          moduleContent: { 'properties.desired.a': 1 },
        },
      },
      /one of deviceContent, moduleContent/,
    ],
    [{ content: base(1), priority: -1, labels: [] }, /priority must be .*labels must be/],
    [
      { content: base(1), targetCondition: 'tags.x = ' },
      /targetCondition: the query at character 9/,
    ],
    [
      { content: base(1), targetCondition: "FROM devices.modules WHERE moduleId = 'x'" },
      /needs moduleContent/,
    ],
    [
      { content: { moduleContent: { 'properties.desired.a': 1 } }, targetCondition: '*' },
      /needs a targetCondition FROM/,
    ],
    [{ content: base(1), metrics: { queries: { odd: 'SELECT' } } }, /the metric odd: the query/],
    [{ content: base(1), id: 'another' }, /not the one in the address/],
    [{}, /content must have something in it/],
  ];
  for (const [body, words] of tries) {
    const reply = await rest(hub, 'PUT', '/configurations/one', { body: body as never });
    assert.is(reply.status, 400);
    assert.match(reply.json.Message, words);
  }
  const body = {
    targetCondition: 'tags.',
    customMetricQueries: { good: 'SELECT * FROM devices', bad: 'x' },
  };
  const tested = await rest(hub, 'POST', '/configurations/testQueries', { body });
  assert.match(tested.json.targetConditionError, /must be a property/);
  assert.equal(Object.keys(tested.json.customMetricQueryErrors), ['bad']);
});

test('of equal priorities the newest wins; a layer needs something to lie on', () => {
  const document = (id: string, created: number, content: object): ConfigurationDocument => ({
    id,
    content: { modulesContent: {}, deviceContent: {}, moduleContent: {}, ...content } as never,
    labels: {},
    targetCondition: '*',
    priority: 1,
    metrics: {},
    etag: 1,
    createdTimeUtc: new Date(created).toISOString(),
    lastUpdatedTimeUtc: new Date(created).toISOString(),
  });
  const [older, newer] = [document('older', 1, base(1)), document('newer', 2, base(2))];
  const layer = document('layer', 3, {
    modulesContent: { filter: { 'properties.desired.more': true } },
  });
  assert.equal(planDeployment(inOrder([older, newer])).statuses, {
    newer: 'Applied',
    older: 'Targeted',
  });
  assert.is(planDeployment([layer]).modules, undefined);
  // A layer of the same priority does not lie on top.
  assert.equal(planDeployment(inOrder([layer, newer])).modules?.['filter'], { value: 2 });
  const above = { ...layer, priority: 2 };
  assert.equal(planDeployment(inOrder([newer, above])).modules?.['filter'], {
    value: 2,
    more: true,
  });
});

test.run();
