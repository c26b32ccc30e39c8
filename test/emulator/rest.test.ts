/** The REST side without any SDK: rights, conditions, errors, events. */
import { readFileSync } from 'node:fs';
import https from 'node:https';
import { connect as connectTcp } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { until, within } from '../fakes/within.ts';
import { createSas, deviceToken, fieldsOf, listEvents, rest, startHub } from './hub-kit.ts';
import { connectRaw, endRawClients } from './raw-mqtt.ts';

type Context = { hub: Awaited<ReturnType<typeof startHub>>; device: string };
const test = suite<Context>('rest');

test.before(async (context) => {
  context.hub = await startHub({ settings: { requestBytesMax: 100_000 } });
  context.device = context.hub.createDevice('edge1', { iotEdge: true });
});
test.after.each(endRawClients);
test.after(async ({ hub }) => await hub.forget());

const module = (id: string): string => `/devices/edge1/modules/${encodeURIComponent(id)}`;

test('a device manages its own modules with its own key, as the identity service does', async ({
  hub,
  device,
}) => {
  const fields = fieldsOf(device);
  const token = createSas(
    `${fields['HostName']}/devices/EDGE1`.toLowerCase(),
    fields['SharedAccessKey'] as string,
    Date.now() + 30_000,
  );
  const primaryKey = Buffer.alloc(32, 1).toString('base64');
  const secondaryKey = Buffer.alloc(32, 2).toString('base64');
  const body = {
    moduleId: 'own',
    deviceId: 'edge1',
    managedBy: 'IotEdge',
    authentication: { type: 'sas', symmetricKey: { primaryKey, secondaryKey } },
  };
  const query = '?api-version=2017-11-08-preview';
  const created = await rest(hub, 'PUT', module('own') + query, { body, token });
  assert.is(created.status, 200);
  assert.match(created.json.generationId, /^\d+$/);
  assert.is(created.json.authentication.symmetricKey.primaryKey, primaryKey);
  assert.is(created.json.managedBy, 'IotEdge');
  assert.is((await rest(hub, 'PUT', module('own'), { body, token })).status, 409);

  for (const condition of ['*', '"*"', `"${created.json.etag}"`]) {
    const update = { moduleId: 'own', authentication: { type: 'sas' } };
    const headers = { 'if-match': condition };
    const updated = await rest(hub, 'PUT', module('own'), { body: update, token, headers });
    assert.is(updated.status, condition.includes('*') ? 200 : 412, condition);
    if (updated.status === 200) {
      assert.is(updated.json.authentication.symmetricKey.primaryKey, primaryKey);
      assert.is(updated.json.generationId, created.json.generationId);
    }
  }
  const listed = await rest(hub, 'GET', '/devices/edge1/modules', { token });
  assert.equal(
    listed.json.map((each: { moduleId: string }) => each.moduleId),
    ['$edgeAgent', '$edgeHub', 'own'],
  );
  const headers = { 'if-match': '*' };
  assert.is((await rest(hub, 'DELETE', module('own'), { token, headers })).status, 204);
  assert.is((await rest(hub, 'GET', module('own'), { token })).status, 404);
  // Not its business:
  assert.is((await rest(hub, 'GET', '/devices/edge1', { token })).status, 401);
  assert.is((await rest(hub, 'GET', '/twins/edge1', { token })).status, 401);
  hub.createDevice('other');
  assert.is((await rest(hub, 'GET', '/devices/other/modules', { token })).status, 401);
});

test('who may not is told so in the documented shape', async ({ hub, device }) => {
  for (const token of ['', 'Bearer x', deviceToken(device)]) {
    const reply = await rest(hub, 'GET', '/devices', { token });
    assert.is(reply.status, 401);
    assert.is(reply.headers['iothub-errorcode'], 'IotHubUnauthorizedAccess');
    assert.is(reply.json.Message, 'ErrorCode:IotHubUnauthorizedAccess;Unauthorized');
    assert.match(
      reply.json.ExceptionMessage,
      /^Tracking ID:[0-9A-F]{32}-G:0-TimeStamp:\d\d\/\d\d\/\d{4} [\d:]{8}$/,
    );
  }
});

test('what is not there, not possible or not readable', async ({ hub }) => {
  const cases: [string, string, string | undefined, number, string][] = [
    ['GET', '/devices/none', undefined, 404, 'DeviceNotFound'],
    ['GET', '/twins/edge1/modules/none', undefined, 404, 'ModuleNotFound'],
    ['POST', '/twins/none/methods', '{"methodName":"m"}', 404, 'DeviceNotFound'],
    ['GET', '/nothing/here', undefined, 404, 'NotFound'],
    ['PATCH', '/devices/edge1', '{}', 405, 'MethodNotAllowed'],
    ['PUT', '/devices/x', '{"deviceId":', 400, 'ArgumentInvalid'],
    ['PUT', '/devices/x', '{"deviceId":"y","status":"odd"}', 400, 'ArgumentInvalid'],
    ['PUT', '/devices/with%20space', '{}', 400, 'ArgumentInvalid'],
    ['PUT', '/devices/x', 'x'.repeat(100_001), 413, 'MessageTooLarge'],
    ['POST', '/twins/edge1/methods', '{"methodName":"a/b"}', 400, 'ArgumentInvalid'],
    [
      'POST',
      '/twins/edge1/methods',
      '{"methodName":"m","responseTimeoutInSeconds":301}',
      400,
      'ArgumentInvalid',
    ],
    ['PATCH', '/twins/edge1', '{"tags":{"a.b":1}}', 400, 'ArgumentInvalid'],
    ['GET', '/devices?top=-1', undefined, 400, 'ArgumentInvalid'],
    ['POST', '/devices', '{}', 400, 'ArgumentInvalid'],
    ['POST', '/devices', '[{"id":"x"}]', 400, 'BulkRegistryOperationFailure'],
    ['POST', '/devices/query', '{"query":"SELECT"}', 400, 'ArgumentInvalid'],
    ['PUT', '/configurations/UPPER', '{"content":{}}', 400, 'ArgumentInvalid'],
    ['PUT', '/configurations/empty', '{}', 400, 'ArgumentInvalid'],
    ['GET', '/configurations/none', undefined, 404, 'ConfigurationNotFound'],
    ['PUT', '/jobs/v2/one', '{}', 501, 'NotImplemented'],
    ['POST', '/jobs/create', '{}', 501, 'NotImplemented'],
    ['GET', '/emulator/events?since=yesterday', undefined, 400, 'ArgumentInvalid'],
  ];
  for (const [method, path, text, status, code] of cases) {
    const reply = await rest(hub, method, path, text === undefined ? {} : { text });
    assert.is(reply.status, status, `${method} ${path}`);
    assert.is(reply.headers['iothub-errorcode'], code);
    if (code !== 'BulkRegistryOperationFailure') {
      assert.match(reply.json.Message, new RegExp(`^ErrorCode:${code};`));
    } else assert.match(reply.json.errors[0].errorStatus, /importMode "" is none of create/);
  }
});

test('twins: merge, replace, etags, and who is told', async ({ hub, device }) => {
  const { client, received } = await connectRaw(hub, device);
  await client.subscribeAsync('$iothub/twin/PATCH/properties/desired/#');
  const merged = await rest(hub, 'PATCH', '/twins/edge1', {
    body: { tags: { site: 'a' }, properties: { desired: { a: 1, b: { c: 2, d: 3 } } } },
  });
  assert.is(merged.headers['etag'], `"${merged.json.etag}"`);
  assert.is(merged.json.connectionState, 'Connected');
  const headers = { 'if-match': `"${merged.json.etag}"` };
  const whole = { ...merged.json, properties: { desired: { b: { c: 2 }, $version: 7 } } };
  const replaced = await rest(hub, 'PUT', '/twins/edge1', { body: whole, headers });
  assert.is(replaced.status, 200);
  assert.equal(replaced.json.tags, { site: 'a' });
  assert.is((await rest(hub, 'PUT', '/twins/edge1', { body: whole, headers })).status, 412);
  await until(5_000, 'two notices', () => received.length === 2);
  assert.equal(
    received.map(({ topic, text }) => [topic, JSON.parse(text)]),
    [
      [
        '$iothub/twin/PATCH/properties/desired/?$version=2',
        { a: 1, b: { c: 2, d: 3 }, $version: 2 },
      ],
      [
        '$iothub/twin/PATCH/properties/desired/?$version=3',
        { a: null, b: { c: 2, d: null }, $version: 3 },
      ],
    ],
  );
});

test('a deployment is applied whole or not at all', async ({ hub }) => {
  const apply = (modulesContent: object) =>
    rest(hub, 'POST', '/devices/edge1/applyConfigurationContent', {
      body: { modulesContent, moduleContent: {}, deviceContent: {} } as never,
    });
  const bad = await apply({
    fine: { 'properties.desired': { a: 1 } },
    wrong: { 'properties.desired': { 'a.b': 1 } },
  });
  assert.is(bad.status, 400);
  assert.is((await rest(hub, 'GET', module('fine'))).status, 404);
  const odd = await apply({ a: {}, b: { 'properties.desired.x': 1 } });
  assert.match(odd.json.Message, /modulesContent\.a.*modulesContent\.b/);
  assert.is((await apply({ fine: { 'properties.desired': { a: 1 } } })).status, 204);
  assert.is((await rest(hub, 'GET', module('fine'))).json.managedBy, 'IotEdge');
  hub.createDevice('leaf');
  const leaf = await rest(hub, 'POST', '/devices/leaf/applyConfigurationContent', {
    body: { modulesContent: {} },
  });
  assert.is(leaf.status, 400);
});

test('a disabled or deleted device is cut off at once', async ({ hub }) => {
  const text = hub.createDevice('going');
  const first = await connectRaw(hub, text);
  const headers = { 'if-match': '*' };
  const put = (status: string) =>
    rest(hub, 'PUT', '/devices/going', { headers, body: { deviceId: 'going', status } });
  await put('disabled');
  await within(5_000, 'the cut', first.closed);
  await put('enabled');
  const second = await connectRaw(hub, text);
  await rest(hub, 'DELETE', '/devices/going');
  await within(5_000, 'the cut', second.closed);
});

test('closing waits for nobody', async () => {
  const hub = await startHub();
  hub.createDevice('absent');
  const body = { methodName: 'm', connectTimeoutInSeconds: 300 };
  const call = rest(hub, 'POST', '/twins/absent/methods', { body }).catch(() => 'cut');
  const halfOpen = connectTcp(hub.port, '127.0.0.1');
  halfOpen.on('error', () => {});
  await new Promise((resolve) => halfOpen.on('connect', resolve));
  await within(5_000, 'the close', hub.forget());
  assert.is(await within(5_000, 'the end of the call', call), 'cut');
});

test('events: a stream starts with what is stored and goes on', async ({ hub, device }) => {
  const { client } = await connectRaw(hub, device);
  const send = (bag: string, body: string | Buffer) =>
    client.publishAsync(`devices/edge1/messages/events/${bag}`, body, { qos: 1 });
  await send('%24.ct=application%2Fjson&%24.ce=utf-8', '{"n":1}');
  await send('%24.ct=application%2Fjson&%24.ce=utf-8', '{"n":');
  await send('flag&empty=', Buffer.from([0xff, 0xfe]));

  const seen: any[] = [];
  const stream = await openStream(hub, 'device=edge1&module=', (event) => seen.push(event));
  await until(5_000, 'what is stored', () => seen.length === 3);
  await send('', 'live');
  await until(5_000, 'what is new', () => seen.length === 4);
  assert.equal(
    seen.map(({ body }) => body),
    [{ n: 1 }, '{"n":', { base64: '//4=' }, 'live'],
  );
  assert.equal(seen[2].properties, { flag: null, empty: '' });
  assert.is(seen[0].moduleId, null);

  const late: any[] = [];
  const latest = await openStream(hub, 'since=latest', (event) => late.push(event));
  await send('', 'last');
  await until(5_000, 'the last', () => late.length === 1 && seen.length === 5);
  assert.is(late[0].body, 'last');

  const since = async (time: string): Promise<number> =>
    (await listEvents(hub, `device=edge1&since=${time}`)).length;
  assert.is(await since(seen[0].enqueuedTime), 5);
  assert.is(await since('2999-01-01T00:00:00Z'), 0);
  stream.destroy();
  latest.destroy();
});

async function openStream(
  hub: Context['hub'],
  query: string,
  onEvent: (event: any) => void,
): Promise<{ destroy(): void }> {
  const fields = fieldsOf(hub.ownerConnectionString);
  const authorization = createSas(
    fields['HostName'] as string,
    fields['SharedAccessKey'] as string,
    Date.now() + 60_000,
    'iothubowner',
  );
  return await new Promise((resolve, reject) => {
    const request = https.get(
      {
        host: 'localhost',
        port: hub.port,
        path: `/emulator/events?${query}`,
        ca: readFileSync(hub.caFile),
        agent: false,
        headers: { authorization },
      },
      (response) => {
        assert.is(response.headers['content-type'], 'text/event-stream');
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          const blocks = (text + chunk).split('\n\n');
          text = blocks.pop() as string;
          for (const block of blocks) onEvent(JSON.parse(block.split('data: ')[1] as string));
        });
        response.on('error', () => {});
        resolve(request);
      },
    );
    request.on('error', reject);
  });
}

test.run();
