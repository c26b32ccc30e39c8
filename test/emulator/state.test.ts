/** What the hub remembers: over restarts, within bounds, and what it says when it cannot. */
import { mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Fault } from '../../src/core/fault.ts';
import { systemClock } from '../../src/lib/system-clock.ts';
import { listEvents, newFolder, rest, startHub } from './hub-kit.ts';
import { connectRaw, endRawClients } from './raw-mqtt.ts';

const test = suite('state');
test.after.each(endRawClients);

test('a restart on the same folder keeps everything', async () => {
  const first = await startHub();
  const { dataDir, port } = first;
  const device = first.createDevice('edge1', { iotEdge: true });
  const one = await connectRaw(first, device, { clean: false });
  await one.client.subscribeAsync('$iothub/twin/res/#');
  await one.client.publishAsync('devices/edge1/messages/events/', 'before', { qos: 1 });
  await rest(first, 'PATCH', '/twins/edge1', { body: { properties: { desired: { a: 1 } } } });
  await first.close();

  const again = await startHub({ dataDir, port });
  assert.is(again.createDevice('edge1'), device);
  assert.is(again.ownerConnectionString, first.ownerConnectionString);
  assert.equal(again.devices(), { edge1: device });
  assert.ok(again.connectionString('edge1', '$edgeAgent'));
  const two = await connectRaw(again, device, { clean: false });
  assert.ok(two.sessionPresent);
  await two.client.publishAsync('devices/edge1/messages/events/', 'after', { qos: 1 });
  const events = await listEvents(again);
  assert.equal(
    events.map(({ body, seq }) => [seq, body]),
    [
      [1, 'before'],
      [2, 'after'],
    ],
  );
  assert.is((await rest(again, 'GET', '/twins/edge1')).json.properties.desired.a, 1);
  assert.is(statSync(join(dataDir, 'ca.key')).mode & 0o777, 0o600);
  assert.is(statSync(join(dataDir, 'server.key')).mode & 0o777, 0o600);
  await again.forget();
});

test('a certificate near its end is renewed, and the authority stays', async () => {
  const first = await startHub();
  const { dataDir } = first;
  await first.close();
  const yearLater = { ...systemClock, now: () => Date.now() + 380 * 86_400_000 };
  const warnings: string[] = [];
  const log = {
    debug() {},
    info() {},
    error() {},
    warn: (message: string) => warnings.push(message),
  };
  const before = statSync(join(dataDir, 'ca.pem')).mtimeMs;
  const server = statSync(join(dataDir, 'server.pem')).mtimeMs;
  const again = await startHub({ dataDir, clock: yearLater, log });
  assert.is(statSync(join(dataDir, 'ca.pem')).mtimeMs, before);
  assert.ok(statSync(join(dataDir, 'server.pem')).mtimeMs > server);
  assert.equal(warnings, []);
  await again.forget();
});

test('the oldest events make room, by rows and by bytes', async () => {
  const hub = await startHub({ settings: { eventRowsMax: 5, eventBytesMax: 3_000 } });
  const { client } = await connectRaw(hub, hub.createDevice('d1'));
  const send = (body: string) =>
    client.publishAsync('devices/d1/messages/events/', body, { qos: 1 });
  for (let n = 1; n <= 8; n++) await send(String(n));
  const bodies = async () => (await listEvents(hub)).map(({ body }) => body);
  assert.equal(await bodies(), ['4', '5', '6', '7', '8']);
  await send('x'.repeat(2_000));
  assert.equal((await bodies()).map((body) => body.length).at(-1), 2_000);
  assert.ok((await bodies()).length < 4);
  await send('y'.repeat(5_000));
  assert.is((await bodies()).length, 1);
  assert.is(hub.counters.eventsPruned, 9);
  await hub.forget();
});

test('one folder, one emulator', async () => {
  const hub = await startHub();
  await refused(
    { dataDir: hub.dataDir },
    'DATA_FOLDER_UNUSABLE',
    /in use by another emulator: stop that one/,
  );
  await hub.forget();
});

test('damage is named, with the remedy', async () => {
  const folder = newFolder();
  writeFileSync(
    join(folder, 'hub.sqlite'),
    'this is no database at all, whatever it is '.repeat(50),
  );
  await refused({ dataDir: folder }, 'STORE_DAMAGED', /hub\.sqlite is damaged: move it away/);
  rmSync(join(folder, 'hub.sqlite'));
  writeFileSync(join(folder, 'ca.pem'), 'x');
  writeFileSync(join(folder, 'ca.key'), 'x');
  await refused({ dataDir: folder }, 'STORE_DAMAGED', /ca\.pem and .*ca\.key .*delete both/);
  writeFileSync(join(folder, 'file'), '');
  await refused({ dataDir: join(folder, 'file', 'data') }, 'DATA_FOLDER_UNUSABLE', /ENOTDIR/);
  mkdirSync(join(folder, 'other', 'hub.sqlite'), { recursive: true });
  await refused({ dataDir: join(folder, 'other') }, 'DATA_FOLDER_UNUSABLE', /cannot be written/);
  rmSync(folder, { recursive: true });
});

test('a taken port is named', async () => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  const { port } = taken.address() as AddressInfo;
  const dataDir = newFolder();
  await refused({ dataDir, port }, 'PORT_TAKEN', new RegExp(`port ${port} .*--port`));
  // And the folder is free again.
  await (await startHub({ dataDir })).forget();
  taken.close();
});

async function refused(
  options: Parameters<typeof startHub>[0],
  code: string,
  message: RegExp,
): Promise<void> {
  try {
    await (await startHub(options)).forget();
  } catch (cause) {
    if (!(cause instanceof Fault)) throw cause;
    assert.is(cause.code, code);
    assert.match(cause.message, message);
    return;
  }
  assert.unreachable(`it must be refused with ${code}`);
}

test.run();
