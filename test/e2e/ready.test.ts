/** Modules that wait for each other, in real isolates: for one that says when it is ready, and for one that never does. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { JsonObject } from '../../src/core/json.ts';
import { until } from '../fakes/within.ts';
import { bundleSource, deployment, spec, startDevice } from './device.ts';

const test = suite('ready');
const LIMIT_MS = 20_000;

function waitingSpec(image: string, seconds: string): JsonObject {
  const createOptions = JSON.stringify({ Labels: { 'isolet.ready_seconds': seconds } });
  return spec(image, { startupOrder: 0, settings: { image, createOptions } });
}

test('one says so by a method call, and then the later one starts; a third that never does is waited for a second', async () => {
  const device = await startDevice({});
  const description = (name: string): string => device.module(name)?.description ?? '';
  try {
    const first = await bundleSource(
      'first',
      `import { ModuleClient } from 'azure-iot-device';
import { Mqtt } from 'azure-iot-device-mqtt';
import { ready } from 'isolet';
const client = await ModuleClient.fromEnvironment(Mqtt);
const twin = await client.getTwin();
twin.on('properties.desired', ({ go }) => { if (go) ready(); });`,
    );
    const later = await bundleSource('later', 'setInterval(() => {}, 1000);');
    const modules = {
      first: waitingSpec(first, '600'),
      later: spec(later, { startupOrder: 1 }),
    };
    device.upstream.desired('$edgeAgent', deployment(modules));
    await until(LIMIT_MS, 'the first runs', () => device.module('first')?.status === 'running');
    await until(LIMIT_MS, 'it is said of both', () => {
      const waits = description('later') === 'waits for those that start first';
      return waits && /has not said yet that it is ready/.test(description('first'));
    });
    device.upstream.desired('first', { go: true });
    await until(LIMIT_MS, 'the later runs', () => device.module('later')?.status === 'running');
    assert.is(description('first'), 'running');

    const never = {
      ...modules,
      never: waitingSpec(later, '1'),
      last: spec(later, { startupOrder: 2 }),
    };
    device.upstream.desired('$edgeAgent', deployment(never));
    await until(LIMIT_MS, 'the last runs', () => device.module('last')?.status === 'running');
    assert.match(description('never'), /has not said yet that it is ready/);
  } finally {
    await device.close();
  }
});

test.run();
