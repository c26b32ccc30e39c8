/** The official service SDK's Client: messages to devices over AMQP, and what became of them. */
import azureHub from 'azure-iothub';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { until, within } from '../../fakes/within.ts';
import { Message, openTarget, PATIENCE_MS, rejection, type Target } from './target.ts';

type Context = { target: Target };
const test = suite<Context>('sdk service client');

test.before(async (context) => {
  context.target = await openTarget();
});
test.after.each(async ({ target }) => await target.closeClients());
test.after(async ({ target }) => await target.close());

test('a message with everything reaches its device, and the sender hears of it', async ({
  target,
}) => {
  const { id, login } = await target.newDevice();
  const message = new Message(Buffer.from('wake up'));
  message.messageId = `m-${id}`;
  message.correlationId = 'c-1';
  message.contentType = 'application/json';
  message.ack = 'full';
  message.properties.add('colour', 'green & blue');
  await target.sendToDevice(id, message);

  const records: any[] = [];
  const receiver = await new Promise<any>((resolve, reject) =>
    target.service.getFeedbackReceiver((error, found) => (error ? reject(error) : resolve(found))),
  );
  receiver.on('message', (feedback: any) => {
    records.push(...JSON.parse(feedback.getData().toString()));
    receiver.complete(feedback, () => {});
  });
  const device = await target.client(login, 'tcp');
  const seen: any[] = [];
  device.on('message', (each: any) => {
    seen.push(each);
    void device.complete(each);
  });
  await within(PATIENCE_MS, 'open', device.open());
  const [arrived] = await until(PATIENCE_MS, 'the message', () => seen.length > 0 && seen);
  assert.is(arrived.getData().toString(), 'wake up');
  assert.is(arrived.messageId, `m-${id}`);
  assert.is(arrived.correlationId, 'c-1');
  assert.is(arrived.contentType, 'application/json');
  assert.is(arrived.properties.getValue('colour'), 'green & blue');
  const record = await until(PATIENCE_MS, 'the feedback', () =>
    records.find(({ originalMessageId }) => originalMessageId === `m-${id}`),
  );
  assert.is(record.statusCode, 'Success');
  assert.is(record.deviceId, id);
});

test('to a device that is not there, or with more than it may hold', async ({ target }) => {
  const nobody = await rejection(target.sendToDevice('isolet-test-nobody', new Message('x')));
  assert.is(nobody.name, 'DeviceNotFoundError');
  const { id } = await target.newDevice();
  const large = await rejection(target.sendToDevice(id, new Message('x'.repeat(70_000))));
  assert.is(large.name, 'MessageTooLargeError');
  await target.service.open();
  for (let each = 0; each < 50; each++) await target.service.send(id, new Message('x'));
  const full = await rejection(target.sendToDevice(id, new Message('x')));
  assert.is(full.name, 'DeviceMaximumQueueDepthExceededError');
});

test('a wrong key opens nothing', async ({ target }) => {
  const wrong = `HostName=${target.hostName};SharedAccessKeyName=iothubowner;SharedAccessKey=${'A'.repeat(43)}=`;
  const stranger = azureHub.Client.fromConnectionString(wrong);
  const refused = (await rejection(stranger.open())) as { amqpError?: Error };
  assert.is(refused.amqpError?.name, 'UnauthorizedError');
});

test('methods of devices and modules', async ({ target }) => {
  const { id, login } = await target.newDevice();
  const call = (methodName: string, payload: unknown = null) =>
    target.service.invokeDeviceMethod(id, { methodName, payload, responseTimeoutInSeconds: 5 });
  const absent = await rejection(call('add'));
  assert.is(absent.message, 'Not found');
  const device = await target.client(login, 'tcp');
  device.onDeviceMethod('add', (request, response) => {
    void response.send(201, { sum: request.payload.a + request.payload.b });
  });
  await within(PATIENCE_MS, 'open', device.open());
  const { result } = (await call('add', { a: 1, b: 2 })) as any;
  assert.equal(result, { status: 201, payload: { sum: 3 } });
  assert.is((await rejection(call('nobody'))).name, 'GatewayTimeoutError');
});

test.run();
