/** The emulator as the unmodified official SDKs see it. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { until, within } from '../fakes/within.ts';
import {
  closeClients,
  listEvents,
  Message,
  sdkClient,
  sdkModuleClient,
  sdkRegistry,
  sdkService,
  startHub,
} from './hub-kit.ts';

type Hub = Awaited<ReturnType<typeof startHub>>;
type Context = { hub: Hub; device: string; module: string };

const test = suite<Context>('official Azure SDKs');

test.before(async (context) => {
  context.hub = await startHub();
  context.device = context.hub.createDevice('edge1', { iotEdge: true });
  const registry = sdkRegistry(context.hub);
  await registry.addModule({ deviceId: 'edge1', moduleId: 'filter' } as never);
  context.module = context.hub.connectionString('edge1', 'filter') as string;
});
test.after.each(closeClients);
test.after(async ({ hub }) => await hub.forget());

test('a module opens, sends with all properties, and closes', async ({ hub, module }) => {
  const client = await sdkModuleClient(hub, module);
  await within(10_000, 'open', client.open());
  const message = new Message(JSON.stringify({ temp: 21 }));
  message.messageId = 'm 1';
  message.contentType = 'application/json';
  message.contentEncoding = 'utf-8';
  message.properties.add('a b', 'v&=é');
  await within(10_000, 'send', client.sendEvent(message));
  await within(10_000, 'send', client.sendOutputEvent('out/1', new Message('plain')));
  await client.close();

  const events = await listEvents(hub, 'device=edge1&module=filter');
  assert.is(events.length, 2);
  const [first, second] = events;
  assert.equal(first.body, { temp: 21 });
  assert.equal(first.properties, { 'a b': 'v&=é' });
  assert.is(first.systemProperties['message-id'], 'm 1');
  assert.is(first.annotations['iothub-connection-module-id'], 'filter');
  assert.is(JSON.parse(first.annotations['iothub-connection-auth-method']).scope, 'module');
  assert.is(second.body, 'plain');
  assert.is(second.systemProperties['iothub-outputname'], 'out/1');
  assert.ok(second.seq > first.seq);
});

test('a wrong key is refused as unauthorized', async ({ hub, device }) => {
  const wrong = device.replace(/SharedAccessKey=.*/, `SharedAccessKey=${'A'.repeat(43)}=`);
  const client = await sdkClient(hub, wrong);
  try {
    await within(10_000, 'open', client.open());
    assert.unreachable('it must not connect');
  } catch (error) {
    assert.is((error as Error).name, 'UnauthorizedError');
    assert.match((error as Error).message, /Not authorized/);
  }
});

test('a twin is read, reported, and told of desired changes', async ({ hub, module }) => {
  const registry = sdkRegistry(hub);
  const client = await sdkModuleClient(hub, module);
  await within(10_000, 'open', client.open());
  const twin = await within(10_000, 'getTwin', client.getTwin());
  const patches: Record<string, unknown>[] = [];
  twin.on('properties.desired', (patch: Record<string, unknown>) => patches.push(patch));
  await within(
    10_000,
    'report',
    new Promise<void>((resolve, reject) =>
      twin.properties.reported['update']({ fw: '1.0', deep: { x: 1 } }, (error?: Error) =>
        error ? reject(error) : resolve(),
      ),
    ),
  );
  const before = await registry.getModuleTwin('edge1', 'filter');
  const seen = before.responseBody as unknown as Record<string, any>;
  assert.is(seen['properties'].reported.fw, '1.0');
  assert.is(seen['properties'].reported.$version, 2);
  assert.ok(seen['properties'].reported.$metadata.deep.x.$lastUpdated);
  assert.is(seen['connectionState'], 'Connected');

  await registry.updateModuleTwin(
    'edge1',
    'filter',
    { properties: { desired: { a: 1, gone: null } } } as never,
    '*',
  );
  const patch = await until(10_000, 'a patch', () => patches.find((p) => 'gone' in p));
  assert.equal(patch, { a: 1, gone: null, $version: 2 });

  await new Promise<void>((resolve) =>
    twin.properties.reported['update']({ 'with.dot': 1 }, (error?: Error) => {
      assert.match(error?.message ?? '', /dot/);
      resolve();
    }),
  );
  await client.close();
});

test('a method is called and answered; nobody there is 404, no answer 504', async ({
  hub,
  module,
}) => {
  const service = sdkService(hub);
  const call = (methodName: string, responseTimeoutInSeconds = 5) =>
    service.invokeDeviceMethod('edge1', 'filter', {
      methodName,
      payload: { n: 2 },
      responseTimeoutInSeconds,
    });
  await rejects(call('double'), (error) => {
    assert.is(error.message, 'Not found');
    assert.match(error.responseBody, /404103/);
  });

  const client = await sdkModuleClient(hub, module);
  client.onMethod('double', (request, response) => {
    void response?.send(200, { doubled: request?.payload.n * 2 });
  });
  await within(10_000, 'open', client.open());
  const answer = await service.invokeDeviceMethod('edge1', 'filter', {
    methodName: 'double',
    payload: { n: 2 },
    responseTimeoutInSeconds: 5,
    connectTimeoutInSeconds: 5,
  });
  assert.equal(answer.result, { status: 200, payload: { doubled: 4 } });

  const startedAt = performance.now();
  await rejects(call('nobodyHandlesThis'), (error) => {
    assert.is(error.name, 'GatewayTimeoutError');
  });
  assert.ok(performance.now() - startedAt < 5_500);
  await client.close();
});

test('after a drop the client comes back and its twin still works', async ({ hub, module }) => {
  const registry = sdkRegistry(hub);
  const client = await sdkModuleClient(hub, module);
  await within(10_000, 'open', client.open());
  const twin = await within(10_000, 'getTwin', client.getTwin());
  const patches: Record<string, unknown>[] = [];
  twin.on('properties.desired', (patch: Record<string, unknown>) => patches.push(patch));
  client.onMethod('ping', (_, response) => void response?.send(200, 'pong'));
  await new Promise<void>((resolve) =>
    twin.properties.reported['update']({ alive: true }, () => resolve()),
  );
  const connected = hub.counters.connected;
  assert.ok(hub.drop('edge1', 'filter'));
  await until(20_000, 'reconnect', () => hub.counters.connected > connected);
  await registry.updateModuleTwin(
    'edge1',
    'filter',
    { properties: { desired: { after: 'drop' } } } as never,
    '*',
  );
  await until(10_000, 'a patch after the drop', () => patches.some((p) => p['after'] === 'drop'));
  await within(10_000, 'getTwin after the drop', client.getTwin());
  await client.close();
});

test('a deployment creates modules and replaces what they want', async ({ hub }) => {
  const registry = sdkRegistry(hub);
  const agent = await sdkModuleClient(hub, hub.connectionString('edge1', '$edgeAgent') as string);
  await within(10_000, 'open', agent.open());
  const twin = await within(10_000, 'getTwin', agent.getTwin());
  const patches: Record<string, unknown>[] = [];
  twin.on('properties.desired', (patch: Record<string, unknown>) => patches.push(patch));
  await new Promise<void>((resolve) =>
    twin.properties.reported['update']({ up: true }, () => resolve()),
  );
  const deploy = (agentDesired: object) =>
    registry.applyConfigurationContentOnDevice('edge1', {
      modulesContent: {
        $edgeAgent: { 'properties.desired': agentDesired },
        sensor: { 'properties.desired': { interval: 5 } },
      },
    } as never);
  await deploy({ schemaVersion: '1.1', modules: { sensor: { settings: { image: 'a' } }, old: 1 } });
  await until(10_000, 'first deployment', () => patches.some((p) => 'schemaVersion' in p));
  await deploy({ modules: { sensor: { settings: { image: 'b' } } } });
  const last = await until(10_000, 'second deployment', () =>
    patches.find((p) => p['schemaVersion'] === null),
  );
  assert.equal(last['modules'], { sensor: { settings: { image: 'b' } }, old: null });
  const modules = await registry.getModulesOnDevice('edge1');
  const names = (modules.responseBody as { moduleId: string }[]).map((m) => m.moduleId);
  assert.ok(['$edgeAgent', '$edgeHub', 'filter', 'sensor'].every((name) => names.includes(name)));
  await agent.close();
});

test('registry: create, get, list, update keeps keys, delete', async ({ hub }) => {
  const registry = sdkRegistry(hub);
  const created = (await registry.create({ deviceId: 'leaf1' } as never)).responseBody as any;
  assert.is(created.status, 'enabled');
  const key = created.authentication.symmetricKey.primaryKey;
  assert.is(Buffer.from(key, 'base64').length, 32);
  await rejects(registry.create({ deviceId: 'leaf1' } as never), (error) =>
    assert.is(error.name, 'DeviceAlreadyExistsError'),
  );
  const updated = (await registry.update({ deviceId: 'leaf1', status: 'disabled' } as never))
    .responseBody as any;
  assert.is(updated.status, 'disabled');
  assert.is(updated.authentication.symmetricKey.primaryKey, key);
  const listed = (await registry.list()).responseBody as unknown as { deviceId: string }[];
  assert.ok(listed.some((device) => device.deviceId === 'leaf1'));
  await registry.delete('leaf1');
  await rejects(registry.get('leaf1'), (error) => assert.is(error.name, 'DeviceNotFoundError'));
});

async function rejects(promise: Promise<unknown>, check: (error: any) => void): Promise<void> {
  let error: unknown;
  try {
    await within(10_000, 'a refusal', promise);
  } catch (cause) {
    error = cause;
  }
  if (error === undefined) assert.unreachable('it must be refused');
  check(error);
}

test.run();
