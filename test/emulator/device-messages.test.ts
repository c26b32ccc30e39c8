/** Cloud-to-device messages: what waits, what is delivered again, what is given up, and who is told. */
import type { IPublishPacket, Packet } from 'mqtt-packet';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { NewDeviceMessage } from '../../src/emulator/device-messages.ts';
import { createFakeClock, type FakeClock } from '../fakes/clock.ts';
import { until, within } from '../fakes/within.ts';
import { rest, startHub } from './hub-kit.ts';
import { connectRaw, endRawClients, packetClient } from './raw-mqtt.ts';

type Hub = Awaited<ReturnType<typeof startHub>>;
type Context = { hub: Hub; clock: FakeClock; device: string };
const test = suite<Context>('cloud-to-device messages');
const FILTER = 'devices/d1/messages/devicebound/#';
const MINUTE_MS = 60_000;

test.before.each(async (context) => {
  // From now on: certificates and tokens are checked by this machine's clock, too.
  context.clock = createFakeClock(Date.now());
  context.hub = await startHub({ clock: context.clock });
  context.device = context.hub.createDevice('d1');
});
test.after.each(async ({ hub }) => {
  endRawClients();
  await hub.forget();
});

const message = (text: string, more: Partial<NewDeviceMessage> = {}): NewDeviceMessage => ({
  body: Buffer.from(text),
  properties: {},
  system: { 'message-id': text },
  ack: 'full',
  expiresAtMs: undefined,
  ...more,
});
const isPublish = (packet: Packet): packet is IPublishPacket => packet.cmd === 'publish';
const statuses = (hub: Hub) =>
  hub.feedback.read(100).map(({ record }) => [record.originalMessageId, record.statusCode]);
const subscribe = (messageId: number, qos: 0 | 1): Packet => ({
  cmd: 'subscribe',
  messageId,
  subscriptions: [{ topic: FILTER, qos }],
});

test('a message waits, is delivered with its properties, and its PUBACK completes it', async ({
  hub,
  device,
}) => {
  hub.messages.send(
    'd1',
    message('m/1', {
      properties: { 'p 1': 'a b', nothing: null, empty: '' },
      system: { 'message-id': 'm/1', 'correlation-id': 'q', 'content-type': 'application/json' },
    }),
  );
  const shown = await rest(hub, 'GET', '/devices/d1');
  assert.is(shown.json.cloudToDeviceMessageCount, 1);
  const { client, received } = await connectRaw(hub, device, { clean: false });
  await client.subscribeAsync(FILTER, { qos: 1 });
  const got = await until(5_000, 'the message', () => received[0]);
  assert.is(
    got.topic,
    'devices/d1/messages/devicebound/%24.mid=m%2F1&%24.cid=q&%24.to=%2Fdevices%2Fd1%2Fmessages%2Fdevicebound&%24.ct=application%2Fjson&iothub-ack=full&p%201=a%20b&nothing&empty=',
  );
  await until(5_000, 'its end', () => hub.messages.count('d1') === 0);
  assert.equal(statuses(hub), [['m/1', 'Success']]);
  const [{ record, seq }] = hub.feedback.read(1) as [any];
  assert.equal(Object.keys(record), [
    'originalMessageId',
    'deviceGenerationId',
    'deviceId',
    'enqueuedTimeUtc',
    'statusCode',
    'description',
  ]);
  hub.feedback.confirm(seq);
  assert.equal(hub.feedback.read(1), []);
});

test('what is not acknowledged comes again: after the lock, and after a new connection', async ({
  hub,
  clock,
  device,
}) => {
  const first = await packetClient(hub, device);
  first.send(subscribe(1, 1));
  await until(5_000, 'SUBACK', () => first.packets.find(({ cmd }) => cmd === 'suback'));
  hub.messages.send('d1', message('again'));
  const one = await until(5_000, 'a delivery', () => first.packets.find(isPublish));
  assert.is(one.dup, false);
  await clock.advance(MINUTE_MS);
  const two = await until(5_000, 'another', () => first.packets.filter(isPublish)[1]);
  assert.is(two.dup, true);
  assert.is(two.messageId, one.messageId);
  first.end();

  const second = await packetClient(hub, device);
  // The session knows what it was subscribed to.
  const three = await until(5_000, 'a third', () => second.packets.find(isPublish));
  assert.is(three.dup, true);
  second.send({ cmd: 'puback', messageId: three.messageId as number });
  await until(5_000, 'its end', () => hub.messages.count('d1') === 0);
  assert.is(hub.counters.messagesCompleted, 1);
  second.end();
});

test('after ten deliveries in vain it is given up', async ({ hub, clock, device }) => {
  const client = await packetClient(hub, device);
  client.send(subscribe(1, 1));
  hub.messages.send('d1', message('in vain', { ack: 'negative' }));
  for (let times = 1; times <= 10; times++) {
    await until(
      5_000,
      `delivery ${times}`,
      () => client.packets.filter(isPublish).length === times,
    );
    await clock.advance(MINUTE_MS);
  }
  assert.is(hub.messages.count('d1'), 0);
  assert.equal(statuses(hub), [['in vain', 'DeliveryCountExceeded']]);
  client.end();
});

test('what waits too long expires: after an hour, when its sender says, and after two days at most', async ({
  hub,
  clock,
}) => {
  const hour = 60 * MINUTE_MS;
  hub.messages.send('d1', message('an hour'));
  hub.messages.send('d1', message('a minute', { expiresAtMs: clock.now() + MINUTE_MS }));
  hub.messages.send('d1', message('for ever', { expiresAtMs: clock.now() + 1_000 * hour }));
  hub.messages.send('d1', message('unheard', { ack: 'positive' }));
  await clock.advance(MINUTE_MS + 1_000);
  assert.equal(statuses(hub), [['a minute', 'Expired']]);
  await clock.advance(hour);
  assert.equal(statuses(hub), [
    ['a minute', 'Expired'],
    ['an hour', 'Expired'],
  ]);
  assert.is(hub.messages.count('d1'), 1);
  await clock.advance(48 * hour);
  assert.is(hub.messages.count('d1'), 0);
});

test('fifty wait, no more; one has 64 KB, no more; purged ones are told of', async ({ hub }) => {
  const refusal = (send: () => void): string => {
    try {
      send();
    } catch (cause) {
      return (cause as { errorName: string }).errorName;
    }
    return 'none';
  };
  assert.is(
    refusal(() => hub.messages.send('nobody', message('x'))),
    'DeviceNotFound',
  );
  const large = Buffer.alloc(65_537);
  assert.is(
    refusal(() => hub.messages.send('d1', message('x', { body: large }))),
    'MessageTooLarge',
  );
  assert.is(
    refusal(() => hub.messages.send('d1', message('x'.repeat(129)))),
    'ArgumentInvalid',
  );
  for (let n = 0; n < 50; n++) hub.messages.send('d1', message(String(n)));
  assert.is(
    refusal(() => hub.messages.send('d1', message('51'))),
    'DeviceMaximumQueueDepthExceeded',
  );
  assert.is(hub.messages.purge('d1'), 50);
  assert.is(hub.messages.count('d1'), 0);
  assert.is(statuses(hub).filter(([, status]) => status === 'Purged').length, 50);
});

test('a subscription with QoS 0 gets them once, and asks for no acknowledgement', async ({
  hub,
  device,
}) => {
  const client = await packetClient(hub, device);
  client.send(subscribe(1, 0));
  hub.messages.send('d1', message('once'));
  const got = await until(5_000, 'the message', () => client.packets.find(isPublish));
  assert.is(got.qos, 0);
  assert.is(hub.messages.count('d1'), 0);
  client.end();
});

test('they survive a restart, and go with their device', async ({ hub, clock, device }) => {
  hub.messages.send('d1', message('kept'));
  await hub.close();
  const again = await startHub({ dataDir: hub.dataDir, clock });
  assert.is(again.messages.count('d1'), 1);
  const { client, received } = await connectRaw(again, again.connectionString('d1') ?? device);
  await client.subscribeAsync(FILTER, { qos: 1 });
  const got = await until(5_000, 'the message', () => received[0]);
  assert.is(got.text, 'kept');
  await client.unsubscribeAsync(FILTER);
  again.messages.send('d1', message('nobody listens'));
  await within(5_000, 'the end', client.endAsync());
  assert.is(received.length, 1);
  await rest(again, 'DELETE', '/devices/d1');
  assert.is(again.messages.count('d1'), 0);
  await again.close();
});

test('by REST: what is sent arrives; mistakes and a full queue are told as the hub does', async ({
  hub,
  clock,
  device,
}) => {
  const to = '/devices/d1/messages/devicebound';
  const send = (headers: Record<string, string>, text = 'x') =>
    rest(hub, 'POST', '/messages/deviceBound', { headers, text });
  const sent = await send(
    {
      'iothub-to': to,
      'iothub-messageid': 'r1',
      'iothub-ack': 'Positive',
      'iothub-expiry': new Date(clock.now() + MINUTE_MS).toISOString(),
      'iothub-app-colour': 'green',
    },
    'not {json',
  );
  assert.is(sent.status, 204);
  const { client, received } = await connectRaw(hub, device);
  await client.subscribeAsync(FILTER, { qos: 1 });
  const got = await until(5_000, 'the message', () => received[0]);
  assert.is(got.text, 'not {json');
  assert.match(got.topic, /%24\.mid=r1&.*&iothub-ack=positive&colour=green$/);
  await until(5_000, 'feedback', () => statuses(hub).length === 1);
  await client.endAsync();

  const wrong = await send({ 'iothub-to': '/devices/d1', 'iothub-ack': 'x', 'iothub-expiry': 'x' });
  assert.is(wrong.status, 400);
  assert.match(
    wrong.json.Message,
    /^ErrorCode:ArgumentInvalid;.*iothub-to.*iothub-ack.*iothub-expiry/,
  );
  assert.is((await send({ 'iothub-to': to.replace('d1', 'd2') })).status, 404);
  for (let n = 0; n < 50; n++) await send({ 'iothub-to': to });
  const full = await send({ 'iothub-to': to });
  assert.is(full.status, 403);
  assert.is(full.headers['iothub-errorcode'], 'DeviceMaximumQueueDepthExceeded');
  const purged = await rest(hub, 'DELETE', '/devices/d1/commands');
  assert.equal(purged.json, { deviceId: 'd1', moduleId: null, totalMessagesPurged: 50 });
});

test.run();
