/** `azure-iot-device`'s Client, unmodified, over TCP and over WebSockets. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { until, within } from '../../fakes/within.ts';
import {
  dropConnections,
  Message,
  openTarget,
  PATIENCE_MS,
  report,
  type SdkClient,
  type Target,
  type Transport,
} from './target.ts';

type Context = { target: Target; device: { id: string; login: string } };

for (const transport of ['tcp', 'websockets'] as const) deviceClientSuite(transport);

function deviceClientSuite(transport: Transport): void {
  const test = suite<Context>(`device client over ${transport}`);
  test.before(async (context) => {
    context.target = await openTarget();
    context.device = await context.target.newDevice();
  });
  test.after.each(async ({ target }) => await target.closeClients());
  test.after(async ({ target }) => await target.close());

  const open = async ({ target, device }: Context, options = {}): Promise<SdkClient> => {
    const client = await target.client(device.login, transport, options);
    await within(PATIENCE_MS, 'open', client.open());
    return client;
  };

  test('it opens, sends with all properties, and closes', async (context) => {
    const client = await open(context);
    const message = new Message(JSON.stringify({ temperature: 21 }));
    message.messageId = 'm 1';
    message.correlationId = 'c/1';
    message.contentType = 'application/json';
    message.contentEncoding = 'utf-8';
    message.properties.add('a b', 'v&=é');
    message.properties.add('empty', '');
    const sent = await within(PATIENCE_MS, 'send', client.sendEvent(message));
    assert.is(sent.constructor.name, 'MessageEnqueued');
    await client.close();
    const events = await context.target.events(context.device.id);
    if (events === undefined) return;
    const [event] = events;
    assert.equal(event.body, { temperature: 21 });
    assert.equal(event.properties, { 'a b': 'v&=é', empty: '' });
    assert.is(event.systemProperties['message-id'], 'm 1');
    assert.is(event.systemProperties['correlation-id'], 'c/1');
    assert.is(event.annotations['iothub-connection-device-id'], context.device.id);
  });

  test('its twin is read and reported, and desired changes arrive', async (context) => {
    const client = await open(context);
    const twin = await within(PATIENCE_MS, 'getTwin', client.getTwin());
    assert.is((twin.properties.desired as { $version: number }).$version, 1);
    const patches: Record<string, unknown>[] = [];
    twin.on('properties.desired', (patch: Record<string, unknown>) => patches.push(patch));
    await report(twin, { firmware: '1.0', nested: { x: 1 } });
    const { registry } = context.target;
    const seen = (await registry.getTwin(context.device.id)).responseBody as any;
    assert.is(seen.properties.reported.firmware, '1.0');
    const change = { properties: { desired: { wanted: { deep: true } } } };
    await registry.updateTwin(context.device.id, change as never, '*');
    const patch = await until(PATIENCE_MS, 'a patch', () => patches.find((p) => 'wanted' in p));
    assert.equal(patch, { wanted: { deep: true }, $version: 2 });
    await report(twin, { firmware: null });
    const after = (await registry.getTwin(context.device.id)).responseBody as any;
    assert.not.ok('firmware' in after.properties.reported);
  });

  test('methods are called and answered', async (context) => {
    const client = await open(context);
    client.onDeviceMethod('double', (request, response) => {
      void response.send(200, { doubled: request.payload.n * 2 });
    });
    const { service } = context.target;
    const answer = await within(
      PATIENCE_MS,
      'an answer',
      service.invokeDeviceMethod(context.device.id, {
        methodName: 'double',
        payload: { n: 21 },
        responseTimeoutInSeconds: 10,
        connectTimeoutInSeconds: 10,
      }),
    );
    assert.equal(answer.result, { status: 200, payload: { doubled: 42 } });
  });

  test('cloud-to-device messages wait for it, arrive with their properties, and are acknowledged', async (context) => {
    const { target, device } = context;
    const message = new Message('hello');
    message.messageId = 'first';
    message.properties.add('p 1', 'a b');
    await target.sendToDevice(device.id, message);
    const waiting = (await target.registry.get(device.id)).responseBody as any;
    assert.is(waiting.cloudToDeviceMessageCount, 1);

    const client = await open(context);
    const received: any[] = [];
    client.on('message', (each: any) => {
      received.push(each);
      void client.complete(each);
    });
    const first = await until(PATIENCE_MS, 'a message', () => received[0]);
    assert.is(first.getData().toString(), 'hello');
    assert.is(first.messageId, 'first');
    assert.is(first.properties.getValue('p 1'), 'a b');
    await target.sendToDevice(device.id, new Message('second'));
    const second = await until(PATIENCE_MS, 'a second', () => received[1]);
    assert.is(second.getData().toString(), 'second');
    await until(PATIENCE_MS, 'no more', () => received.length === 2);
  });

  test('after a drop it comes back with everything it had', async (context) => {
    const { target, device } = context;
    const client = await open(context);
    const twin = await within(PATIENCE_MS, 'getTwin', client.getTwin());
    const patches: Record<string, unknown>[] = [];
    twin.on('properties.desired', (patch: Record<string, unknown>) => patches.push(patch));
    client.onDeviceMethod('ping', (_, response) => void response.send(200, 'pong'));
    const received: any[] = [];
    client.on('message', (each: any) => received.push(each));
    await report(twin, { before: 'the drop' });

    dropConnections();
    await target.sendToDevice(device.id, new Message('while away'));
    await until(PATIENCE_MS, 'what waited', () => received[0]);
    const change = { properties: { desired: { after: 'the drop' } } };
    await target.registry.updateTwin(device.id, change as never, '*');
    await until(PATIENCE_MS, 'a patch', () => patches.some((p) => p['after'] === 'the drop'));
    await report(twin, { after: 'the drop' });
    await within(PATIENCE_MS, 'send', client.sendEvent(new Message('after the drop')));
    const answer = await target.service.invokeDeviceMethod(device.id, {
      methodName: 'ping',
      responseTimeoutInSeconds: 10,
      connectTimeoutInSeconds: 10,
    } as never);
    assert.is(answer.result.payload, 'pong');
  });

  test('it renews its token, and hears on', async (context) => {
    const { target, device } = context;
    const renewal = { tokenValidTimeInSeconds: 4, tokenRenewalMarginInSeconds: 3 };
    const client = await open(context, { tokenRenewal: renewal });
    const twin = await within(PATIENCE_MS, 'getTwin', client.getTwin());
    const patches: Record<string, unknown>[] = [];
    twin.on('properties.desired', (patch: Record<string, unknown>) => patches.push(patch));
    await report(twin, { renewed: false });
    // Past the end of the first token: whoever did not renew it is gone.
    const startedAt = performance.now();
    await until(30_000, 'the time', () => performance.now() - startedAt > 5_500);
    const value = `renewed over ${transport}`;
    const change = { properties: { desired: { value } } };
    await target.registry.updateTwin(device.id, change as never, '*');
    await until(PATIENCE_MS, 'a patch', () => patches.some((p) => p['value'] === value));
    await within(PATIENCE_MS, 'send', client.sendEvent(new Message('with a new token')));
  });

  test.run();
}
