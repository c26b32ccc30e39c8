/** Our side of the message benchmarks: sensor → filter → sink as modules, on real parts. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildPrelude } from '../../build/guest.ts';
import { createBundles } from '../../src/artifacts/bundles.ts';
import { createModuleHost } from '../../src/host/module-host.ts';
import { systemClock } from '../../src/lib/system-clock.ts';
import { openSqliteStore } from '../../src/store/sqlite-store.ts';
import { startSupervisor } from '../../src/supervisor/supervisor.ts';
import { bundleSource, deployment, spec } from '../e2e/device.ts';
import { build } from '../e2e/programs.ts';
import { createFakeUpstream } from '../fakes/upstream.ts';

const dist = join(import.meta.dirname, '../../dist');
const IMPORTS = `
import { ModuleClient, Message } from 'azure-iot-device';
import { Mqtt } from 'azure-iot-device-mqtt';
const client = await ModuleClient.fromEnvironment(Mqtt);
await client.open();
`;

const SENSOR = `${IMPORTS}
const twin = await client.getTwin();
twin.on('properties.desired', ({ count, rate }) => {
  if (!count) return;
  let sent = 0, open = 0;
  const body = () => JSON.stringify({ number: sent, at: Date.now(), temperature: 21.5, unit: 'celsius' });
  const send = () => {
    open++;
    client.sendOutputEvent('out', new Message(body()), () => { open--; if (!rate) fill(); });
    sent++;
  };
  const fill = () => { while (open < 1000 && sent < count) send(); };
  if (!rate) return fill();
  const startedAt = Date.now();
  const timer = setInterval(() => {
    const due = Math.min(count, (Date.now() - startedAt) * rate / 1000);
    while (sent < due) send();
    if (sent >= count) clearInterval(timer);
  }, 5);
});
`;
const FILTER = `${IMPORTS}
client.on('inputMessage', (input, message) => {
  client.sendOutputEvent('out', new Message(message.getBytes()), () => {});
});
`;
const SINK = `${IMPORTS}
let delays = [], firstMs = 0, count = Infinity;
const twin = await client.getTwin();
twin.on('properties.desired', (patch) => { if (patch.count) { count = patch.count; delays = []; } });
client.on('inputMessage', (input, message) => {
  const now = Date.now();
  if (delays.length === 0) firstMs = now;
  delays.push(now - JSON.parse(message.getBytes().toString()).at);
  if (delays.length === count) {
    twin.properties.reported.update({ done: now, tookMs: now - firstMs }, () => {});
    delays.sort((a, b) => a - b);
    const at = (part) => delays[Math.min(delays.length - 1, Math.floor(delays.length * part))];
    console.log('result ' + JSON.stringify({ tookMs: now - firstMs, p50: at(0.5), p99: at(0.99), p999: at(0.999) }));
  }
});
`;

export type ChainResult = {
  readonly tookMs: number;
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  /** Bytes this process's store gave to the disk meanwhile. */
  readonly writtenBytes: number;
};

export type Chain = {
  /** `rate` 0 = as fast as it goes, 1,000 unacknowledged at a time. */
  run(count: number, rate: number): Promise<ChainResult>;
  stop(): Promise<void>;
};

const quiet = { debug() {}, warn() {}, error() {} };

export async function startChain(): Promise<Chain> {
  build();
  const dataDir = mkdtempSync(join(tmpdir(), 'isolet-chain-'));
  let hear: (line: string) => void = () => {};
  const log = {
    ...quiet,
    info(message: string): void {
      if (message.startsWith('result ')) hear(message.slice('result '.length));
    },
  };
  const clock = systemClock;
  const upstream = createFakeUpstream();
  const store = await openSqliteStore({ dataDir, workerMain: join(dist, 'store-worker.js'), log });
  const supervisor = await startSupervisor({
    store,
    host: createModuleHost({
      hostMain: join(dist, 'host.js'),
      prelude: await buildPrelude(),
      clock,
      log,
    }),
    upstream,
    bundles: createBundles({ dir: join(dataDir, 'bundles'), log, clock }),
    clock,
    random: Math.random,
    log,
    device: { id: 'edge', hub: 'hub', version: '0', architecture: process.arch, pid: process.pid },
    moduleLimits: { heapMb: 128, startMs: 5_000, turnMs: 5_000 },
  });
  upstream.desired('$edgeHub', {
    schemaVersion: '1.1',
    routes: {
      a: 'FROM /messages/modules/sensor/* INTO BrokeredEndpoint("/modules/filter/inputs/in")',
      b: 'FROM /messages/modules/filter/* INTO BrokeredEndpoint("/modules/sink/inputs/in")',
    },
  });
  upstream.desired(
    '$edgeAgent',
    deployment({
      sensor: spec(await bundleSource('sensor', SENSOR)),
      filter: spec(await bundleSource('filter', FILTER)),
      sink: spec(await bundleSource('sink', SINK)),
    }),
  );
  upstream.goOnline();
  while (
    supervisor.status.modules().some(({ status }) => status !== 'running') ||
    supervisor.status.modules().length < 3
  ) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await new Promise((resolve) => setTimeout(resolve, 500));
  let round = 0;
  return {
    async run(count, rate) {
      const before = writtenBytes();
      const result = new Promise<string>((resolve) => {
        hear = resolve;
      });
      round++;
      upstream.desired('sink', { count, round });
      await new Promise((resolve) => setTimeout(resolve, 200));
      upstream.desired('sensor', { count, rate, round });
      const parsed = JSON.parse(await result) as Omit<ChainResult, 'writtenBytes'>;
      return { ...parsed, writtenBytes: writtenBytes() - before };
    },
    async stop() {
      await supervisor.stop();
      await store.close();
      rmSync(dataDir, { recursive: true });
    },
  };
}

/** What this process (its threads included) has caused to be written to storage. */
function writtenBytes(): number {
  const text = readFileSync('/proc/self/io', 'utf8');
  return Number(/^write_bytes: (\d+)/m.exec(text)?.[1] ?? 0);
}
