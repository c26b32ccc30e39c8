/**
 * The promise at the heart of it: what a module was told is stored reaches the hub, whatever is
 * killed. Real emulator, real supervisor and host processes, SIGKILL at random moments.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createServiceClient, type HubEvent } from '../../src/cli/cloud/service-client.ts';
import { until, within } from '../fakes/within.ts';
import { bundleSource, deployment, spec } from './device.ts';
import { build, newFolder, type Started, start } from './programs.ts';

const test = suite('killed at any moment');

test.before(build);

/** Sends numbers and prints each one it was told is stored. Goes on after the last it knows of. */
const COUNTER = `
import { ModuleClient, Message } from 'azure-iot-device';
import { Mqtt } from 'azure-iot-device-mqtt';
const client = await ModuleClient.fromEnvironment(Mqtt);
await client.open();
const run = Date.now();
let number = 0;
setInterval(() => {
  for (let i = 0; i < 5; i++) {
    const name = run + '-' + number++;
    client.sendOutputEvent('out', new Message(JSON.stringify({ name }))).then(() => console.log('told ' + name));
  }
}, 10);
`;

/** Hands on what it gets, as the IoT Edge template does: without waiting for anything. */
const PIPE = `
const { Mqtt } = require('azure-iot-device-mqtt');
const { ModuleClient, Message } = require('azure-iot-device');
ModuleClient.fromEnvironment(Mqtt, (err, client) => {
  if (err) throw err;
  client.open((err) => {
    if (err) throw err;
    client.on('inputMessage', (inputName, msg) => {
      client.complete(msg, () => {});
      client.sendOutputEvent('out', new Message(msg.getBytes().toString('utf8')), () => {});
    });
  });
});
`;

test('no message a module was told is stored is missing at the hub', async () => {
  const folder = newFolder();
  const startHub = (port: number): Started =>
    start('emulator', ['--data', join(folder, 'hub'), '--port', String(port), '--json']);
  let hub = startHub(0);
  const line = await until(20_000, 'the hub', () => hub.lines[0]);
  const ready = JSON.parse(line) as {
    ownerConnectionString: string;
    caFile: string;
    mqttPort: number;
  };
  const client = createServiceClient({
    connectionString: ready.ownerConnectionString,
    caFile: ready.caFile,
  });
  const device = (await client.call('PUT', '/devices/edge', {
    deviceId: 'edge',
    capabilities: { iotEdge: true },
  })) as { authentication: { symmetricKey: { primaryKey: string } } };
  await client.call('POST', '/devices/edge/applyConfigurationContent', {
    modulesContent: {
      $edgeAgent: {
        'properties.desired': deployment({
          counter: spec(await bundleSource('counter', COUNTER)),
          pipe: spec(await bundleSource('pipe', PIPE)),
        }),
      },
      $edgeHub: {
        'properties.desired': {
          schemaVersion: '1.1',
          routes: {
            in: 'FROM /messages/modules/counter/* INTO BrokeredEndpoint("/modules/pipe/inputs/in")',
            up: 'FROM /messages/modules/pipe/* INTO $upstream',
          },
        },
      },
    },
  });
  const arrived = new Map<string, number>();
  const watch = () =>
    client.events({ device: 'edge', module: 'pipe' }, ({ body }: HubEvent) => {
      const { name } = body as unknown as { name?: string };
      const text = name ?? (JSON.parse(String(body)) as { name: string }).name;
      arrived.set(text, (arrived.get(text) ?? 0) + 1);
    });
  let stream = watch();
  stream.ended.catch(() => {});

  mkdirSync(join(folder, 'device'));
  const config = join(folder, 'device/config.toml');
  const key = device.authentication.symmetricKey.primaryKey;
  writeFileSync(
    config,
    [
      `trust_bundle_cert = ${JSON.stringify(ready.caFile)}`,
      '[provisioning]',
      'source = "manual"',
      `connection_string = "HostName=localhost:${ready.mqttPort};DeviceId=edge;SharedAccessKey=${key}"`,
      '[isolet]',
      'data_dir = "."',
      // It tells of each message by a line.
      '[isolet.module]',
      'log_lines_per_second = 1000000',
    ].join('\n'),
  );

  const told: string[] = [];
  const collect = (supervisor: Started): void => {
    for (const text of supervisor.lines) {
      const found = /"message":"told ([0-9-]+)"/.exec(text);
      if (found !== null) told.push(found[1] as string);
    }
  };
  const lives = [1_200, 700, 1_500, 900];
  for (const [index, lifeMs] of lives.entries()) {
    // From the second life on there is no hub: the device runs what it has, and keeps what it makes.
    if (index === 1) {
      hub.child.kill('SIGKILL');
      await within(10_000, 'the hub dies', hub.ended);
    }
    const supervisor = start('supervisor', ['--config', config]);
    await until(20_000, `told in life ${index}`, () =>
      supervisor.lines.some((text) => text.includes('"told ')),
    );
    await new Promise((resolve) => setTimeout(resolve, lifeMs));
    supervisor.child.kill('SIGKILL');
    await within(10_000, 'the supervisor dies', supervisor.ended);
    collect(supervisor);
  }
  assert.ok(told.length > 200, `${told.length} told`);

  hub = startHub(ready.mqttPort);
  await until(20_000, 'the hub is back', () => hub.lines[0]);
  arrived.clear();
  stream = watch();
  stream.ended.catch(() => {});
  const last = start('supervisor', ['--config', config]);
  const missing = (): string[] => told.filter((name) => !arrived.has(name));
  try {
    await until(30_000, 'everything told is at the hub', () => missing().length === 0);
  } catch {
    assert.equal(missing().slice(0, 10), [], `${missing().length} of ${told.length} are missing`);
  }
  await until(20_000, 'it runs', () => last.lines.some((text) => text.includes('isolet runs')));
  last.child.kill('SIGTERM');
  assert.is(await within(20_000, 'the supervisor stops', last.ended), 0, last.errors());
  stream.stop();
  hub.child.kill('SIGTERM');
  assert.is(await within(20_000, 'the hub stops', hub.ended), 0, hub.errors());
});

test.run();
