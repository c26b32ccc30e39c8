/** The real upstream and real identities against an emulated hub that tests switch on and off. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServiceClient, type HubEvent } from '../../src/cli/cloud/service-client.ts';
import { Fault } from '../../src/core/fault.ts';
import type { Json, JsonObject } from '../../src/core/json.ts';
import type { Identities, MethodReply, TwinDocument } from '../../src/core/ports.ts';
import { createEmulator, type Emulator } from '../../src/emulator/emulator.ts';
import { parseConnectionString } from '../../src/identity/connection-string.ts';
import type { DeviceIdentity } from '../../src/identity/device-identity.ts';
import { createHubIdentities } from '../../src/identity/hub-identities.ts';
import { systemClock } from '../../src/lib/system-clock.ts';
import type { IotHubSettings } from '../../src/upstream/iothub-settings.ts';
import { createIotHubUpstream } from '../../src/upstream/iothub-upstream.ts';
import type { UpstreamSubject } from '../contracts/upstream.ts';
import { createFakeLog, type LogEntry } from '../fakes/log.ts';
import { type BadNetwork, openBadNetwork } from './bad-network.ts';

export const DEVICE = 'board-1';

export type EmulatedHub = UpstreamSubject & {
  readonly identities: Identities;
  readonly device: DeviceIdentity;
  readonly ca: string;
  readonly network: BadNetwork;
  readonly entries: readonly LogEntry[];
  /** A new folder that goes with the hub. */
  readonly folder: () => string;
  /** The emulator, while it runs. */
  readonly hub: () => Emulator;
  readonly events: (module: string) => Promise<readonly HubEvent[]>;
  readonly service: (method: string, path: string, body?: Json) => Promise<Json | undefined>;
};

/** Short waits, so that tests are. */
const quick: Partial<IotHubSettings> = {
  retry: { firstMs: 30, mostMs: 200 },
  refusedRetry: { firstMs: 50, mostMs: 200 },
};

/**
 * A hub that has run once, so that device and port are known; it is away at first. The device goes
 * through `network` to it.
 */
export async function openEmulatedHub(
  settings: Partial<IotHubSettings> = {},
): Promise<EmulatedHub> {
  const root = mkdtempSync(join(tmpdir(), 'isolet-upstream-'));
  const folder = (): string => mkdtempSync(join(root, 'folder-'));
  const dataDir = folder();
  let running: Emulator | undefined = await createEmulator({ dataDir, port: 0 });
  const { port, caFile, ownerConnectionString } = running;
  const network = await openBadNetwork(port);
  const device: DeviceIdentity = {
    ...parseConnectionString(running.createDevice(DEVICE, { iotEdge: true })),
    hostName: `localhost:${network.port}`,
  };
  const ca = readFileSync(caFile, 'utf8');
  await running.close();
  running = undefined;

  const log = createFakeLog();
  const clock = systemClock;
  const shared = { clock, log, ca };
  const identities = createHubIdentities({ device, dataDir: folder(), ...shared });
  const upstream = createIotHubUpstream({
    identities,
    random: Math.random,
    settings: { ...quick, ...settings },
    ...shared,
  });
  const client = createServiceClient({ connectionString: ownerConnectionString, caFile });
  const service: EmulatedHub['service'] = (...call) => client.call(...call);
  const events = async (module: string): Promise<readonly HubEvent[]> =>
    (await service(
      'GET',
      `/emulator/events?device=${DEVICE}&module=${module}`,
    )) as unknown as HubEvent[];

  return {
    upstream,
    identities,
    device,
    ca,
    network,
    entries: log.entries,
    folder,
    service,
    events,
    hub() {
      if (running === undefined) throw new Error('the hub does not run');
      return running;
    },
    async goOnline() {
      running ??= await createEmulator({ dataDir, port });
    },
    async goOffline() {
      await running?.close();
      running = undefined;
    },
    sent: async (module) => (await events(module)).map(({ body }) => body as string),
    async desired(module, patch) {
      await service('PATCH', `/twins/${DEVICE}/modules/${module}`, {
        properties: { desired: patch },
      });
    },
    async invoke(module, { name, payload }) {
      try {
        const path = `/twins/${DEVICE}/modules/${module}/methods`;
        const body = { methodName: name, payload, responseTimeoutInSeconds: 5 };
        return (await service('POST', path, body)) as unknown as MethodReply;
      } catch (cause) {
        if (cause instanceof Fault && cause.message.includes(' 504 ')) return undefined;
        throw cause;
      }
    },
    async twin(module) {
      const twin = (await service('GET', `/twins/${DEVICE}/modules/${module}`)) as JsonObject;
      return twin['properties'] as unknown as TwinDocument;
    },
    async close() {
      await upstream.stop();
      await identities.stop();
      await network.close();
      await running?.close();
      rmSync(root, { recursive: true });
    },
  };
}
