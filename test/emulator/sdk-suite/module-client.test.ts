/** `azure-iot-device`'s ModuleClient, unmodified, over TCP and over WebSockets. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { until, within } from '../../fakes/within.ts';
import {
  dropConnections,
  Message,
  openTarget,
  PATIENCE_MS,
  report,
  type SdkModuleClient,
  type Target,
  type Transport,
} from './target.ts';

type Context = { target: Target; device: string; login: string };
const MODULE = 'filter';

for (const transport of ['tcp', 'websockets'] as const) moduleClientSuite(transport);

function moduleClientSuite(transport: Transport): void {
  const test = suite<Context>(`module client over ${transport}`);
  test.before(async (context) => {
    context.target = await openTarget();
    context.device = (await context.target.newDevice()).id;
    context.login = await context.target.newModule(context.device, MODULE);
  });
  test.after.each(async ({ target }) => await target.closeClients());
  test.after(async ({ target }) => await target.close());

  const open = async ({ target, login }: Context): Promise<SdkModuleClient> => {
    const client = await target.moduleClient(login, transport);
    await within(PATIENCE_MS, 'open', client.open());
    return client;
  };

  test('it sends events, and messages to outputs', async (context) => {
    const client = await open(context);
    await within(PATIENCE_MS, 'send', client.sendEvent(new Message('plain')));
    const alert = new Message(JSON.stringify({ o: 1 }));
    alert.contentType = 'application/json';
    alert.contentEncoding = 'utf-8';
    alert.properties.add('MessageType', 'Alert');
    await within(PATIENCE_MS, 'send', client.sendOutputEvent('out/2', alert));
    const events = await context.target.events(context.device, MODULE);
    if (events === undefined) return;
    assert.equal(
      events.map(({ body }) => body),
      ['plain', { o: 1 }],
    );
    assert.is(events[1].systemProperties['iothub-outputname'], 'out/2');
    assert.equal(events[1].properties, { MessageType: 'Alert' });
    assert.is(events[1].annotations['iothub-connection-module-id'], MODULE);
  });

  test('its twin is its own', async (context) => {
    const client = await open(context);
    const twin = await within(PATIENCE_MS, 'getTwin', client.getTwin());
    const patches: Record<string, unknown>[] = [];
    twin.on('properties.desired', (patch: Record<string, unknown>) => patches.push(patch));
    await report(twin, { ready: true });
    const { registry } = context.target;
    const change = { properties: { desired: { threshold: 25 } } };
    await registry.updateModuleTwin(context.device, MODULE, change as never, '*');
    const patch = await until(PATIENCE_MS, 'a patch', () => patches.find((p) => 'threshold' in p));
    assert.equal(patch, { threshold: 25, $version: 2 });
    const seen = (await registry.getModuleTwin(context.device, MODULE)).responseBody as any;
    assert.is(seen.properties.reported.ready, true);
    const device = (await registry.getTwin(context.device)).responseBody as any;
    assert.not.ok('ready' in device.properties.reported);
  });

  test('methods and inputs may be listened to; a method is answered, also after a drop', async (context) => {
    const client = await open(context);
    // A cloud hub grants inputs and never delivers any.
    client.on('inputMessage', () => assert.unreachable('no input in the cloud'));
    client.onMethod('ping', (_, response) => void response?.send(200, 'pong'));
    const call = async (): Promise<unknown> =>
      (
        await within(
          PATIENCE_MS,
          'an answer',
          context.target.service.invokeDeviceMethod(context.device, MODULE, {
            methodName: 'ping',
            responseTimeoutInSeconds: 10,
            connectTimeoutInSeconds: 10,
          }),
        )
      ).result;
    assert.equal(await call(), { status: 200, payload: 'pong' });
    dropConnections();
    // The SDK comes back when it notices; a call that meets it half way is lost with its connection.
    await within(PATIENCE_MS, 'send', client.sendEvent(new Message('back')));
    assert.equal(await call(), { status: 200, payload: 'pong' });
  });

  test.run();
}
