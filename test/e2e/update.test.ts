/** Updates of a real module while messages flow through it: none is lost, doubled or out of its order. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { until } from '../fakes/within.ts';
import { bundleSource, deployment, spec, startDevice } from './device.ts';

const test = suite('updates, e2e');
const LIMIT_MS = 20_000;
const UPDATES = 3;

const SENSOR = `
import { ModuleClient, Message } from 'azure-iot-device';
import { Mqtt } from 'azure-iot-device-mqtt';
const client = await ModuleClient.fromEnvironment(Mqtt);
const twin = await client.getTwin();
let sent = 0, wanted = 0;
twin.on('properties.desired', ({ until }) => { wanted = until ?? wanted; });
setInterval(() => {
  for (let i = 0; i < 5 && sent < wanted; i++) {
    client.sendOutputEvent('out', new Message(String(++sent)), () => {});
  }
}, 1);
`;

/** It needs a moment until it listens, says so in its twin, and marks what it hands on. */
const stage = (version: number): string => `
import { ModuleClient, Message } from 'azure-iot-device';
import { Mqtt } from 'azure-iot-device-mqtt';
const client = await ModuleClient.fromEnvironment(Mqtt);
const twin = await client.getTwin();
await new Promise((resolve) => setTimeout(resolve, 50));
client.on('inputMessage', (input, message) => {
  client.sendOutputEvent('out', new Message('${version}:' + message.getBytes()), () => {});
});
twin.properties.reported.update({ version: ${version} }, () => {});
`;

test('through three updates every message comes once and in its order', async () => {
  const device = await startDevice();
  const { upstream } = device;
  try {
    const sensor = spec(await bundleSource('sensor', SENSOR));
    const stages = await Promise.all(
      Array.from({ length: UPDATES + 1 }, (_, version) => bundleSource('stage', stage(version))),
    );
    const deploy = (version: number): void => {
      const image = stages[version] as string;
      upstream.desired('$edgeAgent', deployment({ sensor, stage: spec(image) }));
    };
    const arrived = (): string[] =>
      upstream.sent('stage').map(({ body }) => Buffer.from(body).toString());
    upstream.desired('$edgeHub', {
      schemaVersion: '1.1',
      routes: {
        in: 'FROM /messages/modules/sensor/* INTO BrokeredEndpoint("/modules/stage/inputs/in")',
        up: 'FROM /messages/modules/stage/* INTO $upstream',
      },
    });
    deploy(0);
    upstream.goOnline();
    let sent = 0;
    for (let version = 0; version <= UPDATES; version++) {
      if (version > 0) deploy(version);
      // On and on, until the new version was heard, and then some more.
      await until(LIMIT_MS, `version ${version} is at work`, () => {
        if (arrived().length > sent - 200) sent += 200;
        upstream.desired('sensor', { until: sent });
        return arrived().at(-1)?.startsWith(`${version}:`) === true;
      });
      const said = (): boolean => upstream.twin('stage').reported['version'] === version;
      await until(LIMIT_MS, 'its twin says so', said);
    }
    await until(LIMIT_MS, 'all of them are there', () => arrived().length >= sent);
    const [versions, numbers] = [0, 1].map((part) =>
      arrived().map((text) => Number(text.split(':')[part])),
    );
    assert.equal(
      numbers,
      Array.from({ length: sent }, (_, index) => index + 1),
    );
    assert.equal(versions, versions?.toSorted(), 'no version after a newer one');
    assert.is(new Set(versions).size, UPDATES + 1);
    const begun = device.log.entries.filter(
      ({ message }) => message === 'a new version takes over',
    );
    assert.is(begun.length, UPDATES);
  } finally {
    await device.close();
  }
});

test.run();
