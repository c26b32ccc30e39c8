/** A module that reads a sensor, from the deployment's createOptions to what the hub receives. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { until, within } from '../fakes/within.ts';
import { bundleSource, type Device, deployment, spec, startDevice } from './device.ts';

const test = suite<{ device: Device }>('devices, end to end');
const LIMIT_MS = 20_000;

test.before(async (context) => {
  context.device = await within(
    LIMIT_MS,
    'start',
    startDevice({
      simulated: {
        '/dev/i2c-1': {
          kind: 'i2c',
          chips: [{ address: 0x48, bytes: [0x19, 0x80], registerBytes: 2 }],
        },
        '/dev/i2c-2': { kind: 'i2c', chips: [] },
      },
    }),
  );
});
test.after(({ device }) => within(LIMIT_MS, 'stop', device.close()));

const sensor = `
  import { ModuleClient, Message } from 'azure-iot-device';
  import { Mqtt } from 'azure-iot-device-mqtt';
  import { openI2c } from 'isolet';
  const client = await ModuleClient.fromEnvironment(Mqtt);
  const bus = await openI2c('/dev/i2c-1');
  const raw = await bus.writeRead(0x48, [0], 2);
  const refused = await openI2c('/dev/i2c-2').catch((error) => error.code);
  const body = { celsius: raw.readInt16BE() / 256, refused };
  await client.sendOutputEvent('temperature', new Message(JSON.stringify(body)));
`;

/** The thermometer of docs/devices.md, word for word. */
const document = readFileSync(join(import.meta.dirname, '../../docs/devices.md'), 'utf8');
const sample = /```js\n([\s\S]*?)```/.exec(document)?.[1] ?? '';

const neighbour = `
  import { openI2c } from 'isolet';
  openI2c('/dev/i2c-1').catch((error) => console.log(error.message));
`;

test('a module granted one bus reads its sensor; another bus, and a neighbour, are refused', async ({
  device,
}) => {
  const [sensorImage, sampleImage, neighbourImage] = await Promise.all([
    bundleSource('sensor', sensor),
    bundleSource('sample', sample),
    bundleSource('neighbour', neighbour),
  ]);
  const options = (devices: readonly object[]): string =>
    JSON.stringify({ HostConfig: { Devices: devices } });
  const granted = options([
    { PathOnHost: '/dev/i2c-1', PathInContainer: '/dev/i2c-1', CgroupPermissions: 'rwm' },
    { PathOnHost: '/dev/null', PathInContainer: '/dev/null', CgroupPermissions: 'rwm' },
  ]);
  device.upstream.desired('$edgeHub', {
    schemaVersion: '1.1',
    routes: { up: 'FROM /messages/* INTO $upstream' },
  });
  device.upstream.desired(
    '$edgeAgent',
    deployment({
      sensor: spec(sensorImage, { settings: { image: sensorImage, createOptions: granted } }),
      sample: spec(sampleImage, { settings: { image: sampleImage, createOptions: granted } }),
      neighbour: spec(neighbourImage),
      absent: spec(neighbourImage, {
        settings: {
          image: neighbourImage,
          createOptions: options([{ PathOnHost: '/dev/i2c-77' }]),
        },
      }),
    }),
  );
  const [message] = await until(LIMIT_MS, 'the reading', () => {
    const sent = device.upstream.sent('sensor');
    return sent.length > 0 && sent;
  });
  assert.equal(JSON.parse(Buffer.from(message?.body ?? []).toString()), {
    celsius: 25.5,
    refused: 'EACCES',
  });
  const [told] = await until(LIMIT_MS, 'the sample', () => {
    const sent = device.upstream.sent('sample');
    return sent.length > 0 && sent;
  });
  assert.is(Buffer.from(told?.body ?? []).toString(), '{"celsius":25.5}');
  await until(LIMIT_MS, 'the neighbour is refused', () =>
    device.log.entries.some((entry) => /i2c-1 is not granted to this/.test(JSON.stringify(entry))),
  );
  const groups = device.log.entries
    .filter(({ message }) => message === 'module host started')
    .map(({ fields }) => String(fields['group']));
  assert.equal(
    [...new Set(groups)].toSorted(),
    ['devices', 'shared'],
    'the neighbour is elsewhere',
  );
  const absent = await until(LIMIT_MS, 'the third is refused', () => {
    const ended = device.log.entries.find(
      ({ fields }) => fields?.['module'] === 'absent' && fields['cause'] === 'refused',
    );
    return ended;
  });
  assert.match(
    String(absent.fields?.['reason']),
    /Devices\[0\].*\/dev\/i2c-77 is not on this device/,
  );
});

test.run();
