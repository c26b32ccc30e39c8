/**
 * The way to the cloud: messages a second from a module to the emulator over TLS, through supervisor, store
 * and the Azure SDK, against that SDK alone doing the same in this process; the supervisor's own memory
 * with twenty modules that each have a twin; and what an idle device sends and receives in a day.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import azureDevice from 'azure-iot-device';
import azureMqtt from 'azure-iot-device-mqtt';
import type { RuntimeSummary } from '../../src/core/summaries.ts';
import { bundleSource, spec } from '../e2e/device.ts';
import { build } from '../e2e/programs.ts';
import { openBadNetwork } from '../upstream/bad-network.ts';
import { apiJson } from './parts/api-json.ts';
import { cpuSeconds } from './parts/cpu.ts';
import { diskFolder } from './parts/disk.ts';
import { startHub, startHubDevice } from './parts/hub-and-device.ts';
import { ownMb } from './parts/memory.ts';
import { type Bench, openBench, ratio } from './parts/report.ts';

const LIMIT_MS = 90_000;
const MODULES = 20;
/** Not acknowledged yet, at once. */
const WINDOW = 1_000;
/** The collection at rest comes before it. */
const REST_MS = 20_000;
const DAY_S = 86_400;
const BODY = JSON.stringify({
  temperature: 21.5,
  unit: 'celsius',
  note: 'eighty bytes or so, all in all',
});

const bench: Bench<'runs' | 'messages' | 'idleSeconds'> = openBench('upstream', {
  runs: 7,
  messages: 20_000,
  idleSeconds: 200,
});
const { runs, messages, idleSeconds } = bench.settings;
build();
const folder = diskFolder('upstream');
const hub = await startHub(folder, [
  { deviceId: 'board', capabilities: { iotEdge: true } },
  { deviceId: 'idle', capabilities: { iotEdge: true } },
  { deviceId: 'bare' },
]);

// ---- messages a second, in turns

const SENDER = `
import { ModuleClient, Message } from 'azure-iot-device';
import { Mqtt } from 'azure-iot-device-mqtt';
const client = await ModuleClient.fromEnvironment(Mqtt);
const twin = await client.getTwin();
twin.on('properties.desired', ({ count }) => {
  if (!count) return;
  let sent = 0, open = 0;
  const fill = () => { while (open < ${WINDOW} && sent < count) { open++; sent++; client.sendOutputEvent('out', new Message(${JSON.stringify(BODY)}), () => { open--; fill(); }); } };
  fill();
});`;
const TWIN = `
import { ModuleClient } from 'azure-iot-device';
import { Mqtt } from 'azure-iot-device-mqtt';
const client = await ModuleClient.fromEnvironment(Mqtt);
const twin = await client.getTwin();
twin.on('properties.desired', () => {});
twin.properties.reported.update({ up: true }, () => {});`;

const sender = await bundleSource('sender', SENDER);
const board = await startHubDevice(folder, hub, 'board', { sender: spec(sender) });
const status = (): Promise<RuntimeSummary> =>
  apiJson<RuntimeSummary>(join(board.dataDir, 'api.sock'), '/status');
const bare = azureDevice.Client.fromConnectionString(hub.devices['bare'] as string, azureMqtt.Mqtt);
await bare.setOptions({ ca: readFileSync(hub.caFile, 'utf8') });
await bare.open();

const ours: number[] = [];
const theirs: number[] = [];
let asked = 0;
const cpu: Record<string, number[]> = {};
// Both warm up: the first thousands are run by V8's interpreter.
await oursPerSecond(messages);
await theirsPerSecond(messages);
for (let run = 0; run < runs; run++) {
  ours.push(await metered('isolet', board.pid, () => oursPerSecond(messages)));
  theirs.push(await metered('azure-iot-device-mqtt', 'self', () => theirsPerSecond(messages)));
}
await bare.close();
await board.stop();
const isolet = bench.row('isolet, module to hub', 'messages/s', ours);
const peer = bench.row('azure-iot-device-mqtt alone', 'messages/s', theirs);
for (const [whose, micros] of Object.entries(cpu)) bench.row(`CPU, ${whose}`, 'µs/message', micros);

// ---- twenty modules with twins: memory, and a day of nothing

const network = await openBadNetwork(hub.mqttPort);
const twin = spec(await bundleSource('twin', TWIN));
const through = (hub.devices['idle'] as string).replace(`:${hub.mqttPort};`, `:${network.port};`);
const names = Array.from({ length: MODULES }, (_, index) => `module-${index}`);
const modules = Object.fromEntries(names.map((name) => [name, twin]));
const idle = await startHubDevice(folder, hub, 'idle', modules, through);
await sleep(REST_MS);
const ownMB = bench.row(`supervisor's own memory, ${MODULES} modules`, 'MB', [
  Math.round(ownMb(idle.pid) * 10) / 10,
]);
const before = network.bytes();
await sleep(idleSeconds * 1_000);
const idlePerDay = Math.round(((network.bytes() - before) / idleSeconds) * DAY_S);
bench.row(`idle, ${MODULES + 2} connections`, 'KB a day', [Math.round(idlePerDay / 1_024)]);
await idle.stop();
await network.close();
await hub.stop();
bench.end({
  isolet: { ...isolet, ownMB: ownMB.median, idleBytesPerDay: idlePerDay },
  peer,
  against: 'azure-iot-device-mqtt alone',
  ratio: ratio(isolet.median, peer.median),
});

/** From the word to the module until the hub has acknowledged the last. */
async function oursPerSecond(count: number): Promise<number> {
  const { delivered } = (await status()).messages;
  const began = performance.now();
  await hub.service.call('PATCH', '/twins/board/modules/sender', {
    properties: { desired: { count, asked: ++asked } },
  });
  const endsAt = performance.now() + LIMIT_MS;
  while ((await status()).messages.delivered < delivered + count) {
    if (performance.now() > endsAt) throw new Error('not all messages came through');
    await sleep(10);
  }
  return perSecond(count, began);
}

async function theirsPerSecond(count: number): Promise<number> {
  const began = performance.now();
  let sent = 0;
  let open = 0;
  await new Promise<void>((resolve, reject) => {
    const fill = (): void => {
      while (open < WINDOW && sent < count) {
        open++;
        sent++;
        bare.sendEvent(new azureDevice.Message(BODY), (error?: Error) => {
          if (error) return reject(error);
          open--;
          if (sent === count && open === 0) resolve();
          else fill();
        });
      }
    };
    fill();
  });
  return perSecond(count, began);
}

/** Notes what the sending process and the hub spent on each message meanwhile. */
async function metered<T>(
  name: string,
  sender: number | 'self',
  run: () => Promise<T>,
): Promise<T> {
  const watched = { [`sender of ${name}`]: sender, [`hub of ${name}`]: hub.pid };
  const before = Object.values(watched).map(cpuSeconds);
  const result = await run();
  for (const [index, [whose, pid]] of Object.entries(watched).entries()) {
    const spent = cpuSeconds(pid) - (before[index] as number);
    (cpu[whose] ??= []).push(Math.round((spent / messages) * 1e7) / 10);
  }
  return result;
}

function perSecond(count: number, began: number): number {
  return Math.round(count / ((performance.now() - began) / 1_000));
}
