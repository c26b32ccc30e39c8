/**
 * One of the peer's three processes: `mqtt-role.ts PORT sensor|filter|sink`. Each line on its standard
 * input is one run, `{ count, rate }`; `rate` 0 keeps 1,000 publishes unacknowledged. QoS 1 throughout.
 */
import { createInterface } from 'node:readline';
import mqtt from 'mqtt';
import { summarize } from './delays.ts';

type Order = { readonly count: number; readonly rate: number };

const [, , port, role] = process.argv;
const WINDOW = 1_000;
const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, {
  clientId: String(role),
  clean: true,
});
const now = (): number => performance.timeOrigin + performance.now();
const print = (value: object): void => void process.stdout.write(`${JSON.stringify(value)}\n`);
let obey: (order: Order) => void = () => {};

if (role === 'sensor') {
  obey = ({ count, rate }) => sense(count, rate);
} else if (role === 'filter') {
  client.on('message', (_topic, payload) => client.publish('filtered', payload, { qos: 1 }));
  await client.subscribeAsync('readings', { qos: 1 });
} else {
  await sink();
}
createInterface({ input: process.stdin })
  .on('line', (line) => obey(JSON.parse(line) as Order))
  .on('close', () => process.exit(0));
print({ ready: true });

function sense(count: number, rate: number): void {
  let sent = 0;
  let open = 0;
  const send = (): void => {
    const body = { number: sent, at: now(), temperature: 21.5, unit: 'celsius' };
    open++;
    client.publish('readings', JSON.stringify(body), { qos: 1 }, () => {
      open--;
      if (rate === 0) fill();
    });
    sent++;
  };
  const fill = (): void => {
    while (open < WINDOW && sent < count) send();
  };
  if (rate === 0) return fill();
  const startedAt = now();
  const timer = setInterval(() => {
    const due = Math.min(count, ((now() - startedAt) * rate) / 1000);
    while (sent < due) send();
    if (sent >= count) clearInterval(timer);
  }, 5);
}

async function sink(): Promise<void> {
  let delays: number[] = [];
  let firstMs = 0;
  let count = Number.POSITIVE_INFINITY;
  obey = (order) => {
    ({ count } = order);
    delays = [];
  };
  client.on('message', (_topic, payload) => {
    const nowMs = now();
    if (delays.length === 0) firstMs = nowMs;
    delays.push(nowMs - (JSON.parse(payload.toString()) as { at: number }).at);
    if (delays.length === count) print({ tookMs: nowMs - firstMs, ...summarize(delays) });
  });
  await client.subscribeAsync('filtered', { qos: 1 });
}
