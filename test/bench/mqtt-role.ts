/**
 * One of the peer's three processes: `mqtt-role.ts PORT sensor|filter|sink COUNT [RATE]`.
 * The sensor keeps 1,000 unacknowledged publishes under way, or sends RATE messages a second.
 */
import mqtt from 'mqtt';

const [, , port, role, countText = '0', rateText = '0'] = process.argv;
const count = Number(countText);
const rate = Number(rateText);
const WINDOW = 1_000;
const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, {
  clientId: String(role),
  clean: true,
});
const print = (value: object): void => void process.stdout.write(`${JSON.stringify(value)}\n`);
const body = (number: number): string =>
  JSON.stringify({
    number,
    at: performance.timeOrigin + performance.now(),
    temperature: 21.5,
    unit: 'celsius',
  });

if (role === 'filter') {
  client.on('message', (_topic, payload) => client.publish('filtered', payload, { qos: 1 }));
  await client.subscribeAsync('readings', { qos: 1 });
  print({ ready: true });
} else if (role === 'sink') {
  const delays: number[] = [];
  let firstMs = 0;
  client.on('message', (_topic, payload) => {
    const now = performance.timeOrigin + performance.now();
    if (delays.length === 0) firstMs = now;
    delays.push(now - (JSON.parse(payload.toString()) as { at: number }).at);
    if (delays.length < count) return;
    print({ tookMs: now - firstMs, delays: rate > 0 ? delays : [] });
    client.end(true, () => process.exit(0));
  });
  await client.subscribeAsync('filtered', { qos: 1 });
  print({ ready: true });
} else {
  let sent = 0;
  let open = 0;
  const send = (): void => {
    open++;
    client.publish('readings', body(sent++), { qos: 1 }, () => {
      open--;
      if (rate === 0) fill();
      if (sent === count && open === 0) client.end(false, () => process.exit(0));
    });
  };
  const fill = (): void => {
    while (open < WINDOW && sent < count) send();
  };
  if (rate === 0) fill();
  else {
    const startedAt = performance.now();
    const timer = setInterval(() => {
      const due = Math.min(count, ((performance.now() - startedAt) * rate) / 1000);
      while (sent < due) send();
      if (sent >= count) clearInterval(timer);
    }, 5);
  }
}
