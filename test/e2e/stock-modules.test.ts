import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { until, within } from '../fakes/within.ts';
import { bundleStock, type Device, deployment, spec, startDevice } from './device.ts';

const test = suite('stock modules on real parts');

const ROUTES = {
  schemaVersion: '1.1',
  routes: {
    sensor:
      'FROM /messages/modules/sensor/outputs/temperatureOutput INTO BrokeredEndpoint("/modules/filter/inputs/input1")',
    filter: 'FROM /messages/modules/filter/* INTO $upstream',
    monitor: 'FROM /messages/modules/monitor/* INTO $upstream',
  },
};

let device: Device;

test.before(async () => {
  device = await within(20_000, 'start', startDevice());
  const [sensor, filter, monitor] = await Promise.all(
    ['simulated-temperature-sensor', 'temperature-filter', 'system-monitor'].map(bundleStock),
  );
  const { upstream } = device;
  upstream.desired('$edgeHub', ROUTES);
  upstream.desired('filter', { TemperatureThreshold: 21 });
  upstream.desired(
    '$edgeAgent',
    deployment({
      sensor: spec(sensor as string, {
        env: { MessageDelay: { value: '00:00:00.020' }, MessageCount: { value: '-1' } },
      }),
      filter: spec(filter as string),
      monitor: spec(monitor as string, {
        settings: {
          image: monitor as string,
          createOptions: JSON.stringify({
            HostConfig: { Binds: ['/proc:/host/proc:ro', '/sys:/host/sys:ro'] },
          }),
        },
      }),
    }),
  );
});

test.after(async () => {
  await within(15_000, 'stop', device.close());
});

const bodies = (module: string): Record<string, Record<string, number>>[] =>
  device.upstream.sent(module).map(({ body }) => JSON.parse(Buffer.from(body).toString()));

test('alerts reach the hub, marked, only above the threshold', async () => {
  await until(20_000, 'alerts', () => device.upstream.sent('filter').length > 20);
  for (const { properties, system } of device.upstream.sent('filter')) {
    assert.is(properties['MessageType'], 'Alert');
    assert.is(system['contentType'], 'application/json');
  }
  for (const body of bodies('filter')) assert.ok((body['machine']?.['temperature'] as number) > 21);
});

test('a change of the twin in the hub changes what the module does', async () => {
  device.upstream.desired('filter', { TemperatureThreshold: 1000 });
  await until(
    5_000,
    'the report',
    () => device.upstream.twin('filter').reported['TemperatureThreshold'] === 1000,
  );
  const count = device.upstream.sent('filter').length;
  // Time enough for fifty more readings.
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  assert.ok(device.upstream.sent('filter').length - count < 5);
});

test('the monitor reads this machine through the folders it was granted', async () => {
  await until(20_000, 'a reading', () => bodies('monitor').length > 0);
  const { totalmem } = await import('node:os');
  const memory = bodies('monitor')[0]?.['memory'];
  assert.is(Math.round((memory?.['totalBytes'] as number) / 1e6), Math.round(totalmem() / 1e6));
});

test('the sensor’s reset method answers', async () => {
  const reply = await within(
    5_000,
    'reset',
    device.upstream.invoke('sensor', { name: 'reset', payload: null }),
  );
  assert.is(reply?.status, 200);
});

test('killed, the host is replaced and all its modules run within a second', async () => {
  device.upstream.desired('filter', { TemperatureThreshold: 0 });
  await until(
    5_000,
    'alerts again',
    () => device.upstream.twin('filter').reported['TemperatureThreshold'] === 0,
  );
  const pid = Object.values(device.supervisor.status.runtime().hosts)[0] as number;
  const before = device.upstream.sent('filter').length;
  const killedAt = performance.now();
  process.kill(pid, 'SIGKILL');
  await until(10_000, 'a new host', () => {
    const { hosts } = device.supervisor.status.runtime();
    return Object.values(hosts).length > 0 && !Object.values(hosts).includes(pid);
  });
  await until(10_000, 'alerts', () => device.upstream.sent('filter').length > before + 2);
  const tookMs = performance.now() - killedAt;
  assert.ok(tookMs < 5_000, `${tookMs} ms`);
  assert.is(device.module('filter')?.restartCount, 0);
});

test.run();
