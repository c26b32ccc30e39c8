/** The stock modules as they ship, each in a real isolate. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Reading } from '../../modules/simulated-temperature-sensor/src/machine.ts';
import type { GuestEvent } from '../../src/core/guest-protocol.ts';
import { withStockModule } from './stock-module.ts';

const test = suite('stock modules');

const json = { contentType: 'application/json', contentEncoding: 'utf-8' };
const input = (id: number, name: string, b: string): GuestEvent => ({
  t: 'input',
  id,
  input: name,
  p: { sequenceNumber: String(id), MessageType: 'Telemetry' },
  s: json,
  b,
});

test('the sensor sends, obeys its twin, and resets', () =>
  withStockModule(
    'simulated-temperature-sensor',
    { env: { MessageDelay: '00:00:00.020', MessageCount: '-1' }, desired: { SendInterval: 0.01 } },
    async (sensor) => {
      await sensor.until('twenty readings', () => sensor.sent.length >= 20);
      const [first, second] = sensor.sent;
      assert.is(first?.output, 'temperatureOutput');
      assert.equal(first?.s, json);
      assert.is(first?.p['sequenceNumber'], '1');
      assert.is(second?.p['sequenceNumber'], '2');
      assert.is(first?.p['batchId'], second?.p['batchId']);
      assert.match(first?.p['batchId'] as string, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
      const reading = JSON.parse(first?.b as string) as Reading;
      assert.equal(Object.keys(reading), ['machine', 'ambient', 'timeCreated']);
      assert.equal(sensor.reported, [{ SendData: true, SendInterval: 0.01 }]);

      // The first reading after a reset is at most 1.25 degrees above the lowest temperature.
      const resets = async (what: string, ask: () => void): Promise<void> => {
        const isHot = (): boolean => temperature(sensor.sent.at(-1)?.b) > 23;
        await sensor.until('it is warm', isHot);
        const count = sensor.sent.length;
        ask();
        const cold = (): boolean =>
          sensor.sent.slice(count).some(({ b }) => temperature(b) <= 22.25);
        await sensor.until(`it began again, by ${what}`, cold);
      };
      await resets('input', () =>
        sensor.post(input(1, 'control', 'no json'), input(2, 'control', '[{"command":"reset"}]')),
      );
      await sensor.until('both acks', () => sensor.acked.length === 2);
      await resets('method', () =>
        sensor.post({ t: 'method', id: 7, name: 'reset', payload: null }),
      );
      assert.equal([sensor.answers[0]?.id, sensor.answers[0]?.status], [7, 200]);

      sensor.post({ t: 'desired', patch: { SendData: false, $version: 2 } });
      await sensor.until('the report', () => sensor.reported.length === 2);
      assert.equal(sensor.reported[1], { SendData: false, SendInterval: 0.01 });
      const count = sensor.sent.length;
      sensor.post({ t: 'desired', patch: { SendData: null, SendInterval: 'soon', $version: 3 } });
      await sensor.until('the next reading', () => sensor.sent.length > count);
      assert.is(sensor.sent[count]?.p['sequenceNumber'], String(count + 1));
      assert.ok(sensor.logs.includes('SendInterval must be a number of seconds: keeping 0.01'));
    },
  ));

test('the sensor stops sending after MessageCount', () =>
  withStockModule(
    'simulated-temperature-sensor',
    { env: { MessageDelay: '00:00:00.001', MessageCount: '3' } },
    async (sensor) => {
      await sensor.until('three readings', () => sensor.sent.length === 3);
      // Each method call takes a turn of the module, in which a fourth reading could have come.
      for (let id = 1; id <= 20; id += 1) {
        sensor.post({ t: 'method', id, name: 'reset', payload: null });
        await sensor.until('an answer', () => sensor.answers.length === id);
      }
      assert.is(sensor.sent.length, 3);
    },
  ));

test('the filter lets hot readings through, marked, and drops what is none', () =>
  withStockModule(
    'temperature-filter',
    { env: { TemperatureThreshold: '30' }, desired: { TemperatureThreshold: 25 } },
    async (filter) => {
      await filter.until('the report', () => filter.reported.length === 1);
      assert.equal(filter.reported, [{ TemperatureThreshold: 25 }]);
      filter.post(
        input(1, 'input1', '{ "machine": {"temperature": 25.5} }'),
        input(2, 'input1', '{"machine":{"temperature":25}}'),
        input(3, 'input1', 'no json'),
        input(4, 'input1', '{"machine":null}'),
        input(5, 'other', '{"machine":{"temperature":99}}'),
      );
      await filter.until('all acks', () => filter.acked.length === 5);
      assert.equal(filter.sent, [
        {
          output: 'alertOutput',
          p: { sequenceNumber: '1', MessageType: 'Alert' },
          s: json,
          b: '{ "machine": {"temperature": 25.5} }',
        },
      ]);
      const complaints = filter.logs.filter((line) => !line.startsWith('alerts above'));
      assert.is(complaints.length, 2);
      assert.match(complaints[1] as string, /dropped a message that is no reading: machine.temp/);

      filter.post({ t: 'desired', patch: { TemperatureThreshold: null, $version: 2 } });
      await filter.until('the report', () => filter.reported.length === 2);
      assert.equal(filter.reported[1], { TemperatureThreshold: 30 });
      filter.post(input(6, 'input1', '{"machine":{"temperature":29}}'));
      await filter.until('its ack', () => filter.acked.includes(6));
      assert.is(filter.sent.length, 1);
    },
  ));

test('the monitor reads this machine, and leaves out what it may not read', async () => {
  const thermal = mkdtempSync(join(tmpdir(), 'isolet-thermal-'));
  mkdirSync(join(thermal, 'thermal_zone0'));
  writeFileSync(join(thermal, 'thermal_zone0', 'type'), 'cpu-thermal\n');
  writeFileSync(join(thermal, 'thermal_zone0', 'temp'), '48312\n');
  mkdirSync(join(thermal, 'thermal_zone1'));
  const bind = (source: string, target: string) => ({ source, target, writable: false });
  const binds = [
    bind('/proc/meminfo', '/host/proc/meminfo'),
    bind('/proc/uptime', '/host/proc/uptime'),
    bind(thermal, '/host/devices/thermal'),
  ];
  try {
    await withStockModule(
      'system-monitor',
      { desired: { intervalSeconds: 3_600 }, binds },
      async (monitor) => {
        await monitor.until('a reading', () => monitor.sent.length === 1);
        const [sent] = monitor.sent;
        assert.is(sent?.output, 'systemOutput');
        assert.equal(sent?.s, json);
        const reading = JSON.parse(sent?.b as string);
        assert.equal(Object.keys(reading), [
          'timeCreated',
          'memory',
          'uptimeSeconds',
          'temperatures',
        ]);
        assert.ok(reading.memory.totalBytes > reading.memory.availableBytes);
        assert.ok(reading.uptimeSeconds > 0);
        assert.equal(reading.temperatures, [{ zone: 'cpu-thermal', celsius: 48.312 }]);
        monitor.post({ t: 'desired', patch: { intervalSeconds: 0.01, $version: 2 } });
        await monitor.until('more, at once', () => monitor.sent.length >= 3);
        assert.equal(monitor.reported, [{ intervalSeconds: 3_600 }, { intervalSeconds: 0.01 }]);
      },
    );
  } finally {
    rmSync(thermal, { recursive: true });
  }
});

test('the monitor without grants says so once, and sends nothing', () =>
  withStockModule('system-monitor', { env: { intervalSeconds: '0.01' } }, async (monitor) => {
    await monitor.until('its complaint', () => monitor.logs.length === 1);
    assert.match(monitor.logs[0] as string, /the deployment must grant HostConfig.Binds/);
    for (let version = 2; version < 10; version += 1) {
      monitor.post({ t: 'desired', patch: { intervalSeconds: 1 / version, $version: version } });
      await monitor.until('a report', () => monitor.reported.length === version);
    }
    assert.is(monitor.logs.length, 1);
    assert.is(monitor.sent.length, 0);
  }));

function temperature(body: unknown): number {
  return (JSON.parse(body as string) as Reading).machine.temperature;
}

test.run();
