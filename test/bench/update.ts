/**
 * How long messages wait while a module they pass through is replaced by a new version, at 1,000 messages
 * a second: the longest delay from the sensor's send to the sink around each update. The module needs a
 * while until it listens, as one does that reads a file or asks a service first. Against the same module
 * when it asks to be stopped first, as a container engine does it; nothing may be lost, come twice or out
 * of its order.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { bundleSource, deployment, spec, startDevice } from '../e2e/device.ts';
import { build } from '../e2e/programs.ts';
import { until } from '../fakes/within.ts';
import { CHAIN_MODULES } from './parts/chain-modules.ts';
import { diskFolder } from './parts/disk.ts';
import { type Bench, openBench, ratio } from './parts/report.ts';

const LIMIT_MS = 30_000;
/** What belongs to an update, from its deployment on. */
const AROUND_MS = 1_000;
const RATE = 1_000;

const bench: Bench<'updates' | 'readyMs'> = openBench('update', { updates: 20, readyMs: 200 });
const { updates, readyMs } = bench.settings;
build();
const { upstream, supervisor, log, close } = await startDevice({
  dataDir: diskFolder('update'),
  shipped: true,
  moduleLimits: { heapMb: 64, startMs: 5_000, turnMs: 5_000 },
});
upstream.desired('$edgeHub', {
  schemaVersion: '1.1',
  routes: {
    first: 'FROM /messages/modules/sensor/* INTO BrokeredEndpoint("/modules/filter/inputs/in")',
    second: 'FROM /messages/modules/filter/* INTO BrokeredEndpoint("/modules/sink/inputs/in")',
  },
});
/** Says of each message what came and how long it took, in lines of many. */
const SINK = CHAIN_MODULES.sink.replace(
  /client\.on\('inputMessage'[\s\S]*/,
  `let seen = [];
client.on('inputMessage', (input, message) => {
  const { number, at } = JSON.parse(message.getBytes().toString());
  seen.push([number, Math.round((now() - at) * 10) / 10]);
});
setInterval(() => { if (seen.length > 0) console.log('seen ' + JSON.stringify(seen)); seen = []; }, 50);`,
);
const sensor = await bundleSource('sensor', CHAIN_MODULES.sensor.replace('}, 5);', '}, 1);'));
const sink = await bundleSource('sink', SINK);
const filter = CHAIN_MODULES.filter.replace(
  'client.on(',
  `await new Promise((resolve) => setTimeout(resolve, ${readyMs}));\nclient.on(`,
);
const versions = [
  await bundleSource('filter', filter),
  await bundleSource('filter', `${filter}\n;globalThis.version = 2;`),
];
let version = 0;

function deploy(order: string): void {
  const createOptions = JSON.stringify({ Labels: { 'isolet.update_order': order } });
  const image = versions[version++ % 2] as string;
  const filter = spec(image, { settings: { image, createOptions } });
  upstream.desired('$edgeAgent', deployment({ sensor: spec(sensor), filter, sink: spec(sink) }));
}

deploy('start-first');
await until(LIMIT_MS, 'three modules run', () => {
  const all = supervisor.status.modules();
  return all.length === 3 && all.every(({ status }) => status === 'running');
});
await sleep(500);

type Arrival = readonly [number: number, delayMs: number];
let arrivals: Arrival[] = [];
supervisor.logs.follow('sink', ({ text }) => {
  if (text.startsWith('seen ')) arrivals.push(...(JSON.parse(text.slice(5)) as Arrival[]));
});
const longest = (): number => arrivals.reduce((most, [, delayMs]) => Math.max(most, delayMs), 0);

let told = 0;
let wrong = 0;
async function measure(order: 'start-first' | 'stop-first' | 'none'): Promise<number[]> {
  const count = Math.ceil(((updates + 2) * AROUND_MS * RATE) / 1_000);
  let next = 0;
  const longestMs: number[] = [];
  upstream.desired('sensor', { count, rate: RATE, order });
  await sleep(1_500);
  for (let update = 0; update < updates; update++) {
    next = check(next);
    if (order !== 'none') deploy(order);
    await sleep(AROUND_MS);
    longestMs.push(longest());
  }
  await until(LIMIT_MS, 'all are there', () => next + arrivals.length >= count);
  await sleep(200);
  told += count;
  wrong += Math.abs(count - check(next));
  return longestMs;
}

/** Every number once, in its order; gives the next. */
function check(first: number): number {
  let next = first;
  for (const [number] of arrivals)
    if (number === next) next++;
    else wrong++;
  arrivals = [];
  return next;
}

await measure('none'); // Warm.
const quiet = await measure('none');
const beside = await measure('start-first');
const after = await measure('stop-first');
bench.row('longest delay in a second, no update', 'ms', quiet);
const isolet = bench.row('longest delay around an update', 'ms', beside);
const peer = bench.row('the same, stopped first', 'ms', after);
const replaced = log.entries.filter(({ message }) => message === 'a new version takes over').length;
process.stdout.write(
  `${replaced} updates beside; ${told} messages, ${wrong} lost, doubled or out of order\n`,
);
await close();
bench.end({
  isolet,
  peer,
  against: 'the same module, stopped first',
  ratio: ratio(peer.median, isolet.median),
});
