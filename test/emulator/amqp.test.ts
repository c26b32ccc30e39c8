/** AMQP without any SDK: strangers, nonsense and cuts. */

import { readFileSync } from 'node:fs';
import { connect, type TLSSocket } from 'node:tls';
import rhea from 'rhea';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createServiceClient } from '../../src/cli/cloud/service-client.ts';
import { until, within } from '../fakes/within.ts';
import { startHub } from './hub-kit.ts';

type Context = { hub: Awaited<ReturnType<typeof startHub>> };
const test = suite<Context>('amqp');
const HEADER = Buffer.from([0x41, 0x4d, 0x51, 0x50, 0, 1, 0, 0]);

test.before(async (context) => {
  context.hub = await startHub({ settings: { deviceMessagesMax: 2 } });
});
test.after(async ({ hub }) => await hub.forget());

const dial = (hub: Context['hub']): Promise<TLSSocket> =>
  new Promise((resolve, reject) => {
    const socket = connect(
      { host: 'localhost', port: hub.port, ca: readFileSync(hub.caFile) },
      () => resolve(socket),
    );
    socket.on('error', reject);
  });

const ending = (socket: TLSSocket): Promise<unknown> =>
  new Promise((resolve) =>
    socket
      .once('close', resolve)
      .on('error', () => {})
      .resume(),
  );

test('nonsense ends that connection only', async ({ hub }) => {
  const frame = (size: number, rest: number[]): Buffer => {
    const bytes = Buffer.alloc(4 + rest.length);
    bytes.writeUInt32BE(size);
    return Buffer.concat([HEADER, Buffer.from([...bytes.subarray(0, 4), ...rest])]);
  };
  for (const bytes of [
    Buffer.from('AMQP what?'),
    frame(3, [1, 2, 3]),
    frame(16, [2, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
    Buffer.concat([frame(4_000_000_000, [2, 0, 0, 0]), Buffer.alloc(200_000)]),
  ]) {
    const socket = await dial(hub);
    const ended = ending(socket);
    socket.write(bytes);
    await within(5_000, 'the end', ended);
  }
  hub.createDevice('fine');
});

test('without a token there is nothing', async ({ hub }) => {
  const connection = rhea.create_container().connect({
    transport: 'tls',
    host: 'localhost',
    port: hub.port,
    ca: readFileSync(hub.caFile),
    reconnect: false,
  } as never);
  let problem = '';
  connection.on('connection_error', () => {
    problem = String((connection.error as { condition?: string } | undefined)?.condition);
  });
  connection.on('disconnected', () => {});
  connection.open_sender('/messages/devicebound');
  await until(5_000, 'a refusal', () => problem !== '');
  assert.is(problem, 'amqp:unauthorized-access');
  connection.close();
});

test('what the hub does not take, the command line says', async ({ hub }) => {
  hub.createDevice('taker');
  const login = { connectionString: hub.ownerConnectionString, caFile: hub.caFile };
  const client = createServiceClient(login);
  await client.send('taker', { body: 'one', properties: { a: 'b' }, messageId: '1' });
  const [first] = [hub.messages.take('taker')];
  assert.is(Buffer.from(first?.body ?? []).toString(), 'one');
  assert.equal(first?.properties, { a: 'b' });
  await client.send('taker', { body: 'two', properties: {} });
  await rejects(client.send('taker', { body: 'three', properties: {} }), /has 2 messages waiting/);
  await rejects(client.send('nobody', { body: 'x', properties: {} }), /no device nobody/);
  await rejects(
    client.send('taker', { body: 'x', properties: {}, ack: 'perhaps' }),
    /iothub-ack must be one of/,
  );
  hub.faults.change({ throttle: true });
  await rejects(client.send('taker', { body: 'x', properties: {} }), /the hub is busy/);
  hub.faults.clear();
  const key = `SharedAccessKey=${'A'.repeat(43)}=`;
  const stranger = createServiceClient({
    ...login,
    connectionString: hub.ownerConnectionString.replace(/SharedAccessKey=.*/, key),
  });
  await rejects(stranger.send('taker', { body: 'x', properties: {} }), /does not know this policy/);
  const nowhere = createServiceClient({
    ...login,
    connectionString: hub.ownerConnectionString.replace(/localhost:\d+/, 'localhost:1'),
  });
  await rejects(nowhere.send('taker', { body: 'x', properties: {} }), /ECONNREFUSED/);
});

async function rejects(promise: Promise<unknown>, words: RegExp): Promise<void> {
  try {
    await within(10_000, 'a refusal', promise);
  } catch (cause) {
    assert.match((cause as Error).message, words);
    return;
  }
  assert.unreachable(`it was not refused: ${words}`);
}

test.run();
