/** sensor → filter → sink as a module author writes them. */
import { summarize } from './delays.ts';

/**
 * Where a module's own clock stands on the wall's, found at a tick of the latter: two modules must agree
 * on it to a fraction of a millisecond. Runs inside a module, as text.
 */
function originMs(): number {
  const before = Date.now();
  let now = before;
  while (now === before) now = Date.now();
  return now - performance.now();
}

const IMPORTS = `
import { ModuleClient, Message } from 'azure-iot-device';
import { Mqtt } from 'azure-iot-device-mqtt';
const client = await ModuleClient.fromEnvironment(Mqtt);
await client.open();
${originMs.toString()}
const { performance } = globalThis;
const origin = originMs();
const now = () => origin + performance.now();
`;

/** A desired `{ count, rate }` starts it half a second later; `rate` 0 keeps 1,000 messages under way. */
const SENSOR = `${IMPORTS}
const twin = await client.getTwin();
twin.on('properties.desired', ({ count, rate }) => {
  if (count) setTimeout(() => start(count, rate), 500);
});
function start(count, rate) {
  let sent = 0, open = 0;
  const body = () => JSON.stringify({ number: sent, at: now(), temperature: 21.5, unit: 'celsius' });
  const send = () => {
    open++;
    client.sendOutputEvent('out', new Message(body()), () => {
      open--;
      if (!rate) fill();
      if (sent >= count && open === 0) console.log('acknowledged');
    });
    sent++;
  };
  const fill = () => { while (open < 1000 && sent < count) send(); };
  if (!rate) return fill();
  const startedAt = now();
  const timer = setInterval(() => {
    const due = Math.min(count, (now() - startedAt) * rate / 1000);
    while (sent < due) send();
    if (sent >= count) clearInterval(timer);
  }, 5);
}
`;

const FILTER = `${IMPORTS}
client.on('inputMessage', (input, message) => {
  client.sendOutputEvent('out', new Message(message.getBytes()), () => {});
});
`;

/** A desired `{ count }` makes it count from nothing; says what it saw once it has that many. */
const SINK = `${IMPORTS}
${summarize.toString()}
let delays = [], firstMs = 0, count = Infinity;
const twin = await client.getTwin();
twin.on('properties.desired', (patch) => { if (patch.count) { count = patch.count; delays = []; } });
client.on('inputMessage', (input, message) => {
  const nowMs = now();
  if (delays.length === 0) firstMs = nowMs;
  delays.push(nowMs - JSON.parse(message.getBytes().toString()).at);
  if (delays.length === count) {
    console.log('result ' + JSON.stringify({ tookMs: nowMs - firstMs, ...summarize(delays) }));
  }
});
`;

export const CHAIN_MODULES = { sensor: SENSOR, filter: FILTER, sink: SINK };
