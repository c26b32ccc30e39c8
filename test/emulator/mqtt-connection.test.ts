/** The MQTT side without any SDK: who gets in, what is answered, what gets a client cut off. */
import { connect as connectTcp } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { until, within } from '../fakes/within.ts';
import { createSas, deviceToken, fieldsOf, listEvents, rest, startHub } from './hub-kit.ts';
import { bareSocket, connectRaw, endRawClients } from './raw-mqtt.ts';

type Context = { hub: Awaited<ReturnType<typeof startHub>>; device: string };
const test = suite<Context>('mqtt connections');

test.before(async (context) => {
  context.hub = await startHub({ settings: { clockSkewMs: 0 } });
  context.device = context.hub.createDevice('d1');
});
test.after.each(endRawClients);
test.after(async ({ hub }) => await hub.forget());

const codeOf = async (attempt: Promise<unknown>): Promise<number> => {
  try {
    await attempt;
  } catch (error) {
    return (error as { code: number }).code;
  }
  return 0;
};

test('return codes: 5 for whom it does not know, 1 for old protocols, 0x84 for MQTT 5, 3 when busy', async ({
  hub,
  device,
}) => {
  const { HostName: host } = fieldsOf(device);
  assert.is(await codeOf(connectRaw(hub, device.replace('=d1', '=d2'))), 5);
  assert.is(await codeOf(connectRaw(hub, device, { clientId: 'other' })), 5);
  assert.is(await codeOf(connectRaw(hub, device, { username: `${host}/d1/` })), 5);
  assert.is(await codeOf(connectRaw(hub, device, { password: deviceToken(device, -2_000) })), 5);
  assert.is(await codeOf(connectRaw(hub, device, { protocolVersion: 3 })), 1);
  assert.is(await codeOf(connectRaw(hub, device, { protocolVersion: 5 })), 0x84);
  hub.faults.change({ throttle: true });
  assert.is(await codeOf(connectRaw(hub, device)), 3);
  assert.is((await rest(hub, 'GET', '/devices')).status, 429);
  hub.faults.change({ throttle: false });
});

test('a policy with DeviceConnect opens the door, one without does not', async ({
  hub,
  device,
}) => {
  const fields = fieldsOf(hub.ownerConnectionString);
  const password = createSas(
    `${fields['HostName']}/devices/d1`,
    fields['SharedAccessKey'] as string,
    Date.now() + 60_000,
    'iothubowner',
  );
  const { client } = await connectRaw(hub, device, { password });
  await client.publishAsync('devices/d1/messages/events/by=policy', 'x', { qos: 1 });
  const event = (await listEvents(hub)).find((each) => each.properties.by === 'policy');
  assert.is(JSON.parse(event.annotations['iothub-connection-auth-method']).scope, 'hub');
  const asService = password.replace('skn=iothubowner', 'skn=service');
  assert.is(await codeOf(connectRaw(hub, device, { password: asService })), 5);
});

test('a session keeps its subscriptions, a clean one does not', async ({ hub, device }) => {
  const first = await connectRaw(hub, device, { clean: false });
  assert.not.ok(first.sessionPresent);
  const granted = await first.client.subscribeAsync(
    ['$iothub/twin/res/#', '$iothub/methods/POST/#', 'devices/d1/messages/devicebound/#'],
    { qos: 1 },
  );
  assert.equal(
    granted.map(({ qos }) => qos),
    [0, 0, 1],
  );
  hub.drop('d1');
  await within(5_000, 'the drop', first.closed);

  const second = await connectRaw(hub, device, { clean: false });
  assert.ok(second.sessionPresent);
  second.client.publish('$iothub/twin/GET/?$rid=r1', ' ');
  const reply = await until(5_000, 'a reply', () => second.received[0]);
  assert.is(reply.topic, '$iothub/twin/res/200/?$rid=r1');
  await second.client.endAsync();

  const third = await connectRaw(hub, device, { clean: true });
  await third.client.endAsync();
  const fourth = await connectRaw(hub, device, { clean: false });
  assert.not.ok(fourth.sessionPresent);
});

test('filters that are not its own are not granted', async ({ hub, device }) => {
  const { client } = await connectRaw(hub, device);
  for (const filter of ['#', 'devices/d2/messages/devicebound/#', '$iothub/+/res/#']) {
    let refused = false;
    await client.subscribeAsync(filter).catch(() => (refused = true));
    assert.ok(refused, filter);
  }
});

test('the newer of two connections with one identity stays', async ({ hub, device }) => {
  const older = await connectRaw(hub, device);
  const evicted = hub.counters.evicted;
  const newer = await connectRaw(hub, device);
  await within(5_000, 'the older to go', older.closed);
  assert.is(hub.counters.evicted, evicted + 1);
  await newer.client.publishAsync('devices/d1/messages/events/', 'still here', { qos: 1 });
});

test('retain and will become properties', async ({ hub, device }) => {
  const { client, closed } = await connectRaw(hub, device, {
    will: { topic: 'devices/d1/messages/events/why=will', payload: Buffer.from('gone') },
  });
  await client.publishAsync('devices/d1/messages/events/why=retain', 'r', { qos: 1, retain: true });
  hub.drop('d1');
  await within(5_000, 'the drop', closed);
  const events = await listEvents(hub, 'device=d1&module=');
  const by = (why: string) => events.find((event) => event.properties.why === why);
  assert.is(by('retain').properties['mqtt-retain'], 'true');
  assert.is(by('will').properties['iothub-MessageType'], 'Will');
  assert.is(by('will').body, 'gone');
});

test('QoS 2, foreign topics and oversized messages end the connection', async ({ hub, device }) => {
  const offences: [string, Buffer, 0 | 1 | 2][] = [
    ['devices/d1/messages/events/', Buffer.from('x'), 2],
    ['devices/d2/messages/events/', Buffer.from('x'), 1],
    ['anything/else', Buffer.from('x'), 0],
    ['devices/d1/messages/events/', Buffer.alloc(262_145), 1],
  ];
  for (const [topic, payload, qos] of offences) {
    const { client, closed } = await connectRaw(hub, device);
    client.publish(topic, payload, { qos }, () => {});
    await within(5_000, `the end after ${topic}, QoS ${qos}`, closed);
  }
  const { client } = await connectRaw(hub, device);
  await client.publishAsync('devices/d1/messages/events/', Buffer.alloc(262_144), { qos: 1 });
});

test('twin errors carry an errorCode', async ({ hub, device }) => {
  const { client, received } = await connectRaw(hub, device);
  await client.subscribeAsync('$iothub/twin/res/#');
  const patches: [string, string, number][] = [
    ['', '{"a":1', 400],
    ['', '[1]', 400],
    ['', '{"a":{"$b":1}}', 400],
    ['&$version=99', '{"a":1}', 412],
    ['&$version=1', '{"a":1,"b":null}', 204],
  ];
  for (const [index, [version, body, status]] of patches.entries()) {
    client.publish(`$iothub/twin/PATCH/properties/reported/?$rid=${index}${version}`, body);
    const reply = await until(5_000, `reply ${index}`, () => received[index]);
    const tail = status === 204 ? '&$version=2' : '';
    assert.is(reply.topic, `$iothub/twin/res/${status}/?$rid=${index}${tail}`);
    if (status === 204) assert.is(reply.text, '');
    else assert.ok(JSON.parse(reply.text).errorCode >= 400_000);
  }
});

test('methods: null for no payload, the answer by its number, 404 when it leaves', async ({
  hub,
  device,
}) => {
  const { client, received } = await connectRaw(hub, device);
  await client.subscribeAsync('$iothub/methods/POST/#');
  const call = rest(hub, 'POST', '/twins/d1/methods', { body: { methodName: 'm' } });
  const request = await until(5_000, 'the request', () => received[0]);
  assert.is(request.text, 'null');
  const rid = /\$rid=(\w+)$/.exec(request.topic)?.[1];
  client.publish(`$iothub/methods/res/201/?$rid=${rid}`, '');
  assert.equal((await call).json, { status: 201, payload: null });

  const lost = rest(hub, 'POST', '/twins/d1/methods', { body: { methodName: 'm' } });
  await until(5_000, 'the request', () => received[1]);
  hub.drop('d1');
  const reply = await within(5_000, 'an answer', lost);
  assert.is(reply.status, 404);
  assert.is(reply.headers['iothub-errorcode'], 'DeviceConnectionClosedRemotely');
});

test('a client whose token runs out is cut off', async ({ hub, device }) => {
  const { closed } = await connectRaw(hub, device, { password: deviceToken(device, 1_000) });
  await within(5_000, 'the end of the token', closed);
});

test('silence beyond the keepalive ends the connection', async ({ hub, device }) => {
  const { client, closed } = await connectRaw(hub, device, { keepalive: 1 });
  client.sendPing = () => {};
  await within(5_000, 'the keepalive', closed);
});

test('bytes that are no MQTT close their own connection only', async ({ hub, device }) => {
  const { client } = await connectRaw(hub, device);
  const junk = [
    Buffer.from([0x10, 0xff, 0xff, 0xff, 0xff, 0xff]),
    Buffer.from([0x10, 0x05, 0, 4, 0x4d, 0x51, 0x54]),
    Buffer.from([0x10, 0x0c, 0, 4, 0x4d, 0x51, 0x54, 0x54, 9, 0, 0, 0, 0, 0]),
    Buffer.concat([Buffer.from([0x10, 0xff, 0xff, 0xff, 0x7f]), Buffer.alloc(400_000)]),
    Buffer.from([0x00, 0x01, 0x02, 0x03]),
  ];
  for (const bytes of junk) {
    const { socket, closed } = await bareSocket(hub);
    socket.on('error', () => {});
    socket.write(bytes);
    await within(5_000, `the end after ${bytes.subarray(0, 6).toString('hex')}`, closed);
  }
  // No TLS at all.
  const plain = connectTcp(hub.port, '127.0.0.1');
  const ended = new Promise((resolve) => plain.on('close', resolve));
  plain.on('error', () => {});
  plain.write('GET / HTTP/1.1\r\n\r\n');
  await within(5_000, 'the end of plain text', ended);
  await client.publishAsync('devices/d1/messages/events/', 'fine', { qos: 1 });
});

test('a CONNECT without a name is told no, and then the end', async ({ hub }) => {
  const { socket, closed } = await bareSocket(hub);
  const connect = Buffer.from([0x10, 12, 0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 2, 0, 60, 0, 0]);
  socket.write(connect);
  assert.equal(await within(5_000, 'a refusal', closed), Buffer.from([0x20, 2, 0, 5]));
});

test('a thousand messages in one go are all there, in order', async ({ hub, device }) => {
  const since = (await listEvents(hub, 'since=0')).at(-1)?.seq ?? 0;
  const { client } = await connectRaw(hub, device);
  const sends = Array.from({ length: 1_000 }, (_, n) =>
    client.publishAsync('devices/d1/messages/events/', String(n), { qos: 1 }),
  );
  await within(20_000, 'all PUBACKs', Promise.all(sends));
  const events = await listEvents(hub, `device=d1&since=${since}`);
  assert.equal(
    events.map((event) => event.body),
    Array.from({ length: 1_000 }, (_, n) => String(n)),
  );
});

test.run();
