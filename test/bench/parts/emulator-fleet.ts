/**
 * Devices of the emulator's benchmark, all in this process: `emulator-fleet.ts '{"caFile", "port", "logins"}'`.
 * Each line on its standard input is one run, `{ rate, seconds }`: each device sends that many messages a
 * second with QoS 1, numbered from 0, and does not wait for one to be acknowledged before the next.
 */
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import mqtt, { type MqttClient } from 'mqtt';
import { formatSas, sasTextToSign } from '../../../src/core/shared-access-signature.ts';

type Device = { readonly id: string; readonly client: MqttClient };

const { caFile, port, logins } = JSON.parse(process.argv[2] as string) as {
  caFile: string;
  port: number;
  logins: readonly string[];
};
const ca = readFileSync(caFile);
const BODY = JSON.stringify({
  temperature: 21.5,
  humidity: 40,
  unit: 'celsius',
  padding: 'x'.repeat(40),
});
let lost = 0;

async function open(login: string): Promise<Device> {
  const [, host = '', id = '', key = ''] =
    /^HostName=([^;]+);DeviceId=([^;]+);SharedAccessKey=(.+)$/.exec(login) ?? [];
  const fields = {
    resource: encodeURIComponent(`${host}/devices/${id}`),
    expiryS: Math.floor(Date.now() / 1000) + 3_600,
    policy: undefined,
  };
  const hash = createHmac('sha256', Buffer.from(key, 'base64')).update(sasTextToSign(fields));
  const client = await mqtt.connectAsync({
    protocol: 'mqtts',
    host: 'localhost',
    port,
    ca,
    clientId: id,
    username: `${host}/${id}/?api-version=2021-04-12`,
    password: formatSas(fields, hash.digest('base64')),
    clean: false,
    reconnectPeriod: 0,
  });
  client.on('close', () => (lost += 1));
  return { id, client };
}

const print = (value: object): void => void process.stdout.write(`${JSON.stringify(value)}\n`);
const devices: Device[] = [];
// In tens: two hundred handshakes at once measure the patience of TLS.
for (let from = 0; from < logins.length; from += 10) {
  devices.push(...(await Promise.all(logins.slice(from, from + 10).map(open))));
}
createInterface({ input: process.stdin })
  .on('line', (line) => void run(JSON.parse(line) as { rate: number; seconds: number }))
  .on('close', () => process.exit(0));
print({ ready: devices.length });

async function run({ rate, seconds }: { rate: number; seconds: number }): Promise<void> {
  const count = rate * seconds;
  const results = await Promise.all(
    devices.map((device, n) => send(device, count, 1000 / rate, n)),
  );
  const acknowledged = results.reduce((sum, each) => sum + each, 0);
  print({ acknowledged, failed: count * devices.length - acknowledged, lost });
}

/** Resolves with how many were acknowledged, once all were sent and answered. Devices begin apart. */
function send({ id, client }: Device, count: number, everyMs: number, n: number): Promise<number> {
  return new Promise((resolve) => {
    let sent = 0;
    let acknowledged = 0;
    let failed = 0;
    const startedAt = performance.now() + (n * everyMs) / devices.length;
    const settle = (): void => {
      if (acknowledged + failed === count) resolve(acknowledged);
    };
    const timer = setInterval(() => {
      const due = Math.min(count, Math.floor((performance.now() - startedAt) / everyMs) + 1);
      for (; sent < due; sent++) {
        const topic = `devices/${id}/messages/events/n=${sent}`;
        client.publish(topic, BODY, { qos: 1 }, (error) => {
          if (error) failed += 1;
          else acknowledged += 1;
          settle();
        });
      }
      if (sent === count) clearInterval(timer);
    }, everyMs / 4);
  });
}
