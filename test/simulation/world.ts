/**
 * A device and a hub in this process, of real parts: store, upstream and identities of the device, the
 * official SDK between them, the emulator; modules are functions. Both live by clocks that jump.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createServiceClient,
  type HubEvent,
  type ServiceClient,
} from '../../src/cli/cloud/service-client.ts';
import type { JsonObject } from '../../src/core/json.ts';
import { createEmulator, type Emulator } from '../../src/emulator/emulator.ts';
import { parseConnectionString } from '../../src/identity/connection-string.ts';
import { createHubIdentities } from '../../src/identity/hub-identities.ts';
import { openSqliteStore } from '../../src/store/sqlite-store.ts';
import { type Supervisor, startSupervisor } from '../../src/supervisor/supervisor.ts';
import { createIotHubUpstream } from '../../src/upstream/iothub-upstream.ts';
import { createFakeBundles } from '../fakes/bundles.ts';
import { createFakeLog } from '../fakes/log.ts';
import { createFakeModuleHost, type FakeProgram } from '../fakes/module-host.ts';
import { createTravelClock, type TravelClock } from '../fakes/travel-clock.ts';
import { within } from '../fakes/within.ts';
import { openBadNetwork } from '../upstream/bad-network.ts';

export const DAY_MS = 86_400_000;
export const HOUR_MS = 3_600_000;
const LIMIT_MS = 100_000;
/** Longer than anybody rests between two tries. */
const REST_MS = 900_000;
const CALM_MS = 1_000;
const DEVICE = 'board-1';
const storeMain = join(import.meta.dirname, '../../src/store/worker.ts');

export type World = {
  /** The device's time. */
  readonly clock: TravelClock;
  readonly supervisor: () => Supervisor;
  readonly hub: Emulator;
  readonly service: ServiceClient;
  readonly log: ReturnType<typeof createFakeLog>;
  /** The device learns what time it is. */
  setClock(): void;
  /** Lets that time pass for the hub as well. */
  jump(ms: number): Promise<void>;
  /** The module sends its next number; resolves when it was told that this is safe. */
  send(): Promise<void>;
  report(patch: JsonObject): Promise<void>;
  /** Desired properties the module has been told, merged. */
  readonly told: () => JsonObject;
  /** The hub is out of reach, or no more. */
  away(on: boolean): void;
  /** As a pulled plug: nothing is stopped in order, and it starts again from what lies on the disk. */
  restart(): Promise<void>;
  /** The numbers that arrived, in their order. */
  arrived(): Promise<readonly number[]>;
  /** Quarters of an hour pass until it is so. */
  eventually(what: string, check: () => Promise<boolean> | boolean): Promise<void>;
  twin(module?: string): Promise<{ readonly desired: JsonObject; readonly reported: JsonObject }>;
  desire(patch: JsonObject): Promise<void>;
  close(): Promise<void>;
};

const docker = (image: string): JsonObject => ({
  type: 'docker',
  version: '1.0',
  status: 'running',
  restartPolicy: 'always',
  settings: { image },
});

/** @param bootMs what the device believes the time is when it starts first. */
export async function openWorld(bootMs: number = Date.now()): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), 'isolet-years-'));
  const dataDir = join(folder, 'device');
  const clock = createTravelClock(bootMs);
  const hubClock = createTravelClock();
  const log = createFakeLog();
  let sent = 0;
  let reports = 1_000_000;
  let told: JsonObject = {};
  let ask: (requests: Parameters<Parameters<FakeProgram>[0]['request']>[0]) => void = () => {};
  const safe = new Map<number, () => void>();

  const sensor: FakeProgram = (module) => {
    ask = (requests) => module.request(requests);
    module.onEvents((events) => {
      for (const event of events) {
        if (event.t === 'desired') told = { ...told, ...event.patch };
        if (event.t === 'reply' && 'value' in event) safe.get(event.call)?.();
        if (event.t === 'replies') for (const call of event.calls) safe.get(call)?.();
      }
    });
    module.request([{ t: 'listen', what: 'desired' }]);
  };

  const hub = await createEmulator({
    dataDir: join(folder, 'hub'),
    port: 0,
    clock: hubClock,
  });
  const { port, caFile, ownerConnectionString } = hub;
  const network = await openBadNetwork(port);
  const ca = readFileSync(caFile, 'utf8');
  const device = {
    ...parseConnectionString(hub.createDevice(DEVICE, { iotEdge: true })),
    hostName: `localhost:${network.port}`,
  };
  const service = createServiceClient(
    { connectionString: ownerConnectionString, caFile },
    hubClock.now,
  );
  await service.call('POST', `/devices/${DEVICE}/applyConfigurationContent`, {
    modulesContent: {
      $edgeAgent: {
        'properties.desired': {
          schemaVersion: '1.1',
          runtime: { type: 'docker', settings: {} },
          systemModules: {},
          modules: { sensor: docker('sensor:1') },
        },
      },
      $edgeHub: {
        'properties.desired': {
          schemaVersion: '1.1',
          routes: { up: 'FROM /messages/* INTO $upstream' },
          storeAndForwardConfiguration: { timeToLiveSecs: 900 * 86_400 },
        },
      },
    },
  });

  async function startDevice() {
    const store = await openSqliteStore({ dataDir, workerMain: storeMain, log });
    const shared = { ca, clock, log };
    const identities = createHubIdentities({ device, dataDir, ...shared });
    const upstream = createIotHubUpstream({ identities, random: Math.random, ...shared });
    const supervisor = await startSupervisor({
      store,
      host: createFakeModuleHost({ sensor }, clock),
      upstream,
      bundles: createFakeBundles({ 'sensor:1': 'sensor' }),
      clock,
      random: Math.random,
      log,
      device: { id: DEVICE, hub: device.hostName, version: '0', architecture: 'arm64', pid: 1 },
      moduleLimits: { heapMb: 32, startMs: 5_000, turnMs: 1_000 },
    });
    return {
      supervisor,
      async stop() {
        await supervisor.stop();
        await identities.stop();
        await store.close();
      },
    };
  }
  let running = await startDevice();

  const request = (call: number, what: JsonObject): Promise<void> =>
    within(
      LIMIT_MS,
      'a yes',
      new Promise((resolve) => {
        safe.set(call, resolve);
        ask([{ ...what, call } as never]);
      }),
    );
  const jump = async (ms: number): Promise<void> => {
    await Promise.all([clock.jump(ms), hubClock.jump(ms)]);
  };

  return {
    clock,
    supervisor: () => running.supervisor,
    hub,
    service,
    log,
    setClock: () => clock.step(hubClock.now() - clock.now()),
    jump,
    send() {
      const number = ++sent;
      return request(number, { t: 'send', output: 'out', p: {}, s: {}, b: String(number) });
    },
    report: (patch) => request(++reports, { t: 'report', patch }),
    told: () => told,
    away: network.away,
    async restart() {
      await running.stop();
      running = await startDevice();
      const status = () => running.supervisor.status.modules()[0]?.status;
      await within(
        LIMIT_MS,
        'it runs',
        (async () => {
          while (status() !== 'running') await new Promise((resolve) => setTimeout(resolve, 5));
        })(),
      );
    },
    async arrived() {
      const events = (await service.call(
        'GET',
        `/emulator/events?device=${DEVICE}&module=sensor`,
      )) as unknown as readonly HubEvent[];
      return events.map(({ body }) => Number(body));
    },
    async eventually(what, check) {
      const endsAt = performance.now() + LIMIT_MS;
      let calmMs = CALM_MS;
      let calmUntil = performance.now() + calmMs;
      while (!(await check())) {
        if (performance.now() > endsAt) throw new Error(`${what}: not within ${LIMIT_MS} ms`);
        // Whoever rests is woken; then there is real time for what that begins.
        if (performance.now() > calmUntil) {
          await jump(REST_MS);
          // A busy machine needs more of it.
          calmMs *= 2;
          calmUntil = performance.now() + calmMs;
        }
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    async twin(module = 'sensor') {
      const path = `/twins/${DEVICE}/modules/${encodeURIComponent(module)}`;
      return ((await service.call('GET', path)) as any).properties;
    },
    async desire(desired) {
      await service.call('PATCH', `/twins/${DEVICE}/modules/sensor`, { properties: { desired } });
    },
    async close() {
      await within(LIMIT_MS, 'the end', running.stop());
      await network.close();
      await hub.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
