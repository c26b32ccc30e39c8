/** MQTT over WebSockets without any SDK: what is let through, and what is told no. */
import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import WebSocket from 'ws';
import { until, within } from '../fakes/within.ts';
import { listEvents, startHub } from './hub-kit.ts';
import { connectRaw, endRawClients } from './raw-mqtt.ts';

type Context = { hub: Awaited<ReturnType<typeof startHub>>; device: string };
const test = suite<Context>('websockets');
const PATH = '/$iothub/websocket';

test.before(async (context) => {
  context.hub = await startHub();
  context.device = context.hub.createDevice('d1');
});
test.after.each(endRawClients);
test.after(async ({ hub }) => await hub.forget());

test('a client sends, reads its twin, and is cut off as over TCP', async ({ hub, device }) => {
  const { client, received, closed } = await connectRaw(hub, device, { path: PATH });
  await client.publishAsync('devices/d1/messages/events/', Buffer.alloc(262_144), { qos: 1 });
  await client.subscribeAsync('$iothub/twin/res/#');
  client.publish('$iothub/twin/GET/?$rid=1', '');
  await until(5_000, 'an answer', () => received[0]);
  assert.is((await listEvents(hub)).length, 1);
  hub.drop('d1');
  await within(5_000, 'the end', closed);
});

test('other paths and other subprotocols are refused in HTTP', async ({ hub }) => {
  const statusOf = (path: string, protocol: string): Promise<number> =>
    within(
      5_000,
      'an answer',
      new Promise((resolve, reject) => {
        const socket = new WebSocket(`wss://localhost:${hub.port}${path}`, protocol, {
          ca: readFileSync(hub.caFile),
        });
        socket.on('error', () => {});
        socket.on('open', () => reject(new Error('it was let in')));
        socket.on('unexpected-response', (_, response) => {
          resolve(response.statusCode as number);
          socket.terminate();
        });
      }),
    );
  assert.is(await statusOf('/elsewhere', 'mqtt'), 404);
  assert.is(await statusOf(PATH, 'something'), 400);
});

test('what is no MQTT, and a text frame, end their own connection only', async ({
  hub,
  device,
}) => {
  const { client } = await connectRaw(hub, device, { path: PATH });
  for (const junk of [Buffer.from([1, 2, 3, 4]), 'text', Buffer.alloc(400_000)]) {
    const socket = new WebSocket(`wss://localhost:${hub.port}${PATH}`, 'mqtt', {
      ca: readFileSync(hub.caFile),
    });
    const ended = new Promise((resolve) => socket.on('close', resolve));
    socket.on('error', () => {});
    socket.on('open', () => socket.send(junk));
    await within(5_000, 'the end', ended);
  }
  await client.publishAsync('devices/d1/messages/events/', 'still here', { qos: 1 });
});

test.run();
