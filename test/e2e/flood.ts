/**
 * Many fast producers against one slow consumer: memory must stay flat, producers must be slowed, and
 * nothing may be lost or come out of order. Real isolates, real SQLite; the hub plays no part.
 */
import type { JsonObject } from '../../src/core/json.ts';
import { until } from '../fakes/within.ts';
import { bundleSource, deployment, spec, startDevice } from './device.ts';

/** Keeps 200 messages unacknowledged, prints how many it was told are stored, twice a second. */
const PRODUCER = `
import { ModuleClient, Message } from 'azure-iot-device';
import { Mqtt } from 'azure-iot-device-mqtt';
const client = await ModuleClient.fromEnvironment(Mqtt);
await client.open();
const from = process.env.IOTEDGE_MODULEID;
let sent = 0, told = 0, refused = 0, running = false;
const send = () => {
  const body = JSON.stringify({ from, number: sent++, padding: 'x'.repeat(100) });
  client.sendOutputEvent('out', new Message(body), (error) => {
    if (error) refused++; else told++;
    if (running) send();
    else if (told + refused === sent) console.log('done ' + JSON.stringify({ told, refused }));
  });
};
client.onMethod('hello', (request, response) => response.send(200));
client.onMethod('produce', (request, response) => {
  running = request.payload;
  if (running) for (let i = 0; i < 200; i++) send();
  response.send(200);
});
`;

/** Takes a millisecond for each message until it is told to hurry. */
const CONSUMER = `
import { ModuleClient } from 'azure-iot-device';
import { Mqtt } from 'azure-iot-device-mqtt';
const client = await ModuleClient.fromEnvironment(Mqtt);
const counts = {};
let slow = true, total = 0, wrong = 0;
client.onMethod('hurry', (request, response) => { slow = false; response.send(200); });
client.onMethod('count', (request, response) => response.send(200, { total, wrong, counts }));
client.on('inputMessage', (input, message) => {
  const { from, number } = JSON.parse(message.getBytes().toString());
  if (number < (counts[from] ?? 0)) wrong++;
  counts[from] = number + 1;
  total++;
  if (slow) for (const end = performance.now() + 1; performance.now() < end; );
});
await client.open();
`;

export type FloodReport = {
  readonly told: number;
  readonly refused: number;
  readonly arrived: number;
  /** Came after a later one of the same producer. */
  readonly wrong: number;
  /** What waited when the producers were stopped. */
  readonly waitedMost: number;
  /** While the flood runs, of the supervisor (this process) and of the module host. */
  readonly memoryMb: { readonly supervisor: number[]; readonly host: number[] };
};

/** `everyMs`: how often memory is looked at. */
export async function flood(
  producers: number,
  forMs: number,
  everyMs: number,
  memoryMb: (pid: number) => number,
): Promise<FloodReport> {
  const device = await startDevice({
    moduleLimits: { heapMb: 8, startMs: 10_000, turnMs: 2_000 },
  });
  const { upstream, supervisor } = device;
  const names = Array.from({ length: producers }, (_, index) => `producer-${index}`);
  upstream.desired('$edgeHub', {
    schemaVersion: '1.1',
    routes: { all: 'FROM /messages/* INTO BrokeredEndpoint("/modules/consumer/inputs/in")' },
  });
  const image = await bundleSource('producer', PRODUCER);
  const modules: Record<string, JsonObject> = {
    consumer: spec(await bundleSource('consumer', CONSUMER)),
  };
  for (const name of names) modules[name] = spec(image);
  upstream.desired('$edgeAgent', deployment(modules));
  await until(60_000, 'all run', () => {
    const all = supervisor.status.modules();
    return all.length === producers + 1 && all.every(({ status }) => status === 'running');
  });
  const call = async (module: string, name: string, payload: boolean): Promise<unknown> => {
    const reply = await upstream.invoke(module, { name, payload });
    if (reply?.status !== 200) throw new Error(`${module} does not answer ${name}`);
    return reply.payload;
  };
  const callAll = (payload: boolean): Promise<unknown> =>
    Promise.all(names.map((name) => call(name, 'produce', payload)));

  // Running is not yet listening; the caller has a limit for all of this.
  for (const name of names) {
    while ((await upstream.invoke(name, { name: 'hello', payload: null }))?.status !== 200) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
  await callAll(true);
  const memory = { supervisor: [] as number[], host: [] as number[] };
  for (let ms = 0; ms < forMs; ms += everyMs) {
    await new Promise((resolve) => setTimeout(resolve, everyMs));
    memory.supervisor.push(Math.round(memoryMb(process.pid)));
    for (const pid of Object.values(supervisor.status.runtime().hosts)) {
      memory.host.push(Math.round(memoryMb(pid)));
    }
  }
  await callAll(false);
  const results = await Promise.all(
    names.map((name) =>
      until(60_000, `${name} is told`, () => {
        const line = device.logs.tail(name, 5).find(({ text }) => text.startsWith('done '));
        return line && (JSON.parse(line.text.slice(5)) as { told: number; refused: number });
      }),
    ),
  );
  const waitedMost = supervisor.status.runtime().messages.waiting;
  const told = results.reduce((sum, each) => sum + each.told, 0);
  const refused = results.reduce((sum, each) => sum + each.refused, 0);
  await call('consumer', 'hurry', true);
  await until(600_000, 'the consumer has all', () => {
    return supervisor.status.runtime().messages.waiting === 0;
  });
  const count = (await call('consumer', 'count', true)) as { total: number; wrong: number };
  await device.close();
  return { told, refused, arrived: count.total, wrong: count.wrong, waitedMost, memoryMb: memory };
}
