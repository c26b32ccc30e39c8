/**
 * The peer's side of the backlog: `mqtt-backlog.ts PORT fill COUNT` leaves messages for a subscriber
 * who is away, `mqtt-backlog.ts PORT drain COUNT` is the subscriber, who says when the first came and
 * what all of them were. QoS 1.
 */
import mqtt from 'mqtt';
import { backlogBody } from './backlog-body.ts';

const [, , port, role, countText] = process.argv;
const count = Number(countText);
const WINDOW = 1_000;
const url = `mqtt://127.0.0.1:${port}`;
const subscriber = { clientId: 'sink', clean: false };
const print = (value: object): void => void process.stdout.write(`${JSON.stringify(value)}\n`);

process.stdin.on('end', () => process.exit(0)).resume();
if (role === 'fill') await fill();
else drain();

async function fill(): Promise<void> {
  const away = await mqtt.connectAsync(url, subscriber);
  await away.subscribeAsync('backlog', { qos: 1 });
  await away.endAsync();
  const client = await mqtt.connectAsync(url, { clientId: 'sensor' });
  let sent = 0;
  let open = 0;
  await new Promise<void>((resolve) => {
    const more = (): void => {
      while (open < WINDOW && sent < count) {
        open++;
        client.publish('backlog', backlogBody(++sent), { qos: 1 }, () => {
          open--;
          if (sent === count && open === 0) resolve();
          else more();
        });
      }
    };
    more();
  });
  await client.endAsync();
  print({ filled: count });
}

function drain(): void {
  // It knocks until the broker is there.
  const client = mqtt.connect(url, { ...subscriber, reconnectPeriod: 10 });
  let got = 0;
  let first = 0;
  let last = 0;
  let outOfOrder = 0;
  let startedAt = 0;
  client.on('error', () => {});
  client.on('message', (_topic, payload) => {
    const { number } = JSON.parse(payload.toString()) as { number: number };
    if (got++ === 0) {
      startedAt = performance.now();
      first = number;
      print({ first, atMs: performance.timeOrigin + startedAt });
    } else if (number !== last + 1) outOfOrder++;
    last = number;
    if (number === count) {
      print({ number, count: got, outOfOrder, tookMs: performance.now() - startedAt });
    }
  });
  print({ ready: true });
}
