/** What becomes of messages that are large, that nobody wants, or that bring their receiver down. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { until, within } from '../fakes/within.ts';
import { bundleSource, type Device, deployment, spec, startDevice } from './device.ts';

const test = suite('delivery on real parts');

const BEGIN = `
import { ModuleClient, Message } from 'azure-iot-device';
import { Mqtt } from 'azure-iot-device-mqtt';
const client = await ModuleClient.fromEnvironment(Mqtt);
await client.open();
`;

/** Sends what its twin asks for and prints what it was told. */
const SENDER = `${BEGIN}
const twin = await client.getTwin();
twin.on('properties.desired', async ({ send }) => {
  for (const { output, text, bytes } of send ?? []) {
    const message = new Message(text ?? new Uint8Array(bytes).fill(7));
    await client.sendOutputEvent(output, message).then(
      () => console.log('told yes ' + output),
      (error) => console.log('told ' + error.name + ' ' + error.message),
    );
  }
});
`;

/** Ends with an uncaught error at every "poison", as a handler without a try does. */
const FRAGILE = `${BEGIN}
client.on('inputMessage', async (input, message) => {
  const text = message.getBytes().toString();
  await undefined;
  if (text === 'poison') JSON.parse('{');
  console.log('got ' + (text.length > 100 ? text.length : text));
});
`;

let device: Device;

test.before(async () => {
  device = await within(20_000, 'start', startDevice());
  const { upstream } = device;
  upstream.desired('$edgeHub', {
    schemaVersion: '1.1',
    routes: {
      in: 'FROM /messages/modules/sender/outputs/in INTO BrokeredEndpoint("/modules/fragile/inputs/in")',
      up: 'FROM /messages/modules/sender/outputs/up INTO $upstream',
    },
  });
  upstream.desired(
    '$edgeAgent',
    deployment({
      sender: spec(await bundleSource('sender', SENDER)),
      fragile: spec(await bundleSource('fragile', FRAGILE)),
    }),
  );
  await until(20_000, 'they run', () => device.module('fragile')?.status === 'running');
});

test.after(async () => {
  await within(15_000, 'stop', device.close());
});

const printed = (module: string): string[] =>
  device.logs.tail(module, 1_000).map(({ text }) => text);

test('a large message goes whole from module to module, and is refused on the way up', async () => {
  device.upstream.desired('sender', {
    send: [
      { output: 'in', bytes: 5_000_000 },
      { output: 'in', text: 'ö'.repeat(300_000) },
      { output: 'up', bytes: 300_000 },
      { output: 'nowhere', text: 'x' },
    ],
  });
  await until(20_000, 'all is told', () => printed('sender').length === 4);
  const [first, second, tooLarge, noRoute] = printed('sender');
  assert.equal([first, second], ['told yes in', 'told yes in']);
  assert.match(tooLarge as string, /^told MessageTooLargeError .*262144/);
  assert.match(noRoute as string, /^told InvalidOperationError .*outputs\/nowhere/);
  await until(20_000, 'it arrives', () => printed('fragile').length === 2);
  assert.equal(printed('fragile'), ['got 5000000', 'got 300000']);
});

test('a message that brings its module down is found out; those around it arrive in order', async () => {
  const texts = ['1', '2', 'poison', '3', '4'];
  device.upstream.desired('sender', { send: texts.map((text) => ({ output: 'in', text })) });
  // It takes the two restarts IoT Edge's back-off spaces by 10 and 20 s.
  await until(90_000, 'the others', () => printed('fragile').includes('got 4'));
  const got = printed('fragile').slice(2);
  assert.equal([...new Set(got)], ['got 1', 'got 2', 'got 3', 'got 4'], got.join());
  assert.ok((device.module('fragile')?.restartCount ?? 0) >= 1);
});

test.run();
