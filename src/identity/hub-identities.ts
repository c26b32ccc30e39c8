/** The port Identities: module identities made at the hub with the device's key, and remembered. */
import { Fault } from '../core/fault.ts';
import type { Json } from '../core/json.ts';
import type { ModuleName } from '../core/message.ts';
import type { Clock, Identities, Log, ModuleCredentials } from '../core/ports.ts';
import type { DeviceConnectionString } from './connection-string.ts';
import { callHub, type HubAnswer, type HubRestOptions } from './hub-rest.ts';
import { openModuleKeys } from './module-keys.ts';

export type HubIdentitiesOptions = {
  readonly connectionString: DeviceConnectionString;
  readonly dataDir: string;
  /** PEM text of a CA to trust besides the system's. */
  readonly ca?: string;
  readonly clock: Clock;
  readonly log: Log;
  /** One REST call. Default 20 s. */
  readonly timeoutMs?: number;
};

/** Calls to the hub at once; it throttles identity calls hard. */
const PARALLEL_MAX = 4;

export function createHubIdentities(options: HubIdentitiesOptions): Identities {
  const { connectionString, dataDir, log, timeoutMs = 20_000 } = options;
  const { hostName, deviceId } = connectionString;
  const rest: HubRestOptions = { ...options, timeoutMs };
  const keys = openModuleKeys(dataDir, hostName, deviceId);
  const underway = new Map<ModuleName, Promise<ModuleCredentials>>();
  const waiting: (() => void)[] = [];
  let running = 0;

  async function inTurn<T>(run: () => Promise<T>): Promise<T> {
    if (running >= PARALLEL_MAX) await new Promise<void>((resolve) => waiting.push(resolve));
    running++;
    try {
      return await run();
    } finally {
      running--;
      waiting.shift()?.();
    }
  }

  /** Finds or makes the identity and gives it our key. */
  async function register(module: ModuleName): Promise<ModuleCredentials> {
    const path = `/devices/${encodeURIComponent(deviceId)}/modules/${encodeURIComponent(module)}`;
    const found = await callHub(rest, 'GET', path);
    const identity =
      found.status === 404
        ? await callHub(rest, 'PUT', path, { moduleId: module, deviceId, managedBy: 'IotEdge' })
        : found;
    const generationId = generationOf(identity, module);
    const credentials = keys.derive(module, generationId);
    const { key } = credentials;
    const authentication: Json = {
      type: 'sas',
      symmetricKey: { primaryKey: key, secondaryKey: key },
    };
    // The runtime's own two are the hub's; all others are managed by the edge device.
    const managedBy = module.startsWith('$') ? {} : { managedBy: 'IotEdge' };
    const update = { moduleId: module, deviceId, generationId, ...managedBy, authentication };
    generationOf(await callHub(rest, 'PUT', path, update), module);
    keys.remember(module, generationId);
    log.info('module identity is registered at the hub', { module });
    return credentials;
  }

  return {
    hostName,
    deviceId,
    ensure(module) {
      const remembered = keys.remembered(module);
      if (remembered !== undefined) return Promise.resolve(remembered);
      let request = underway.get(module);
      if (request === undefined) {
        request = inTurn(() => register(module)).finally(() => underway.delete(module));
        underway.set(module, request);
      }
      return request;
    },
    forget: keys.forget,
    async stop() {
      await Promise.allSettled(underway.values());
    },
  };
}

function generationOf({ status, body }: HubAnswer, module: ModuleName): string {
  const generationId = body['generationId'];
  if (status >= 200 && status < 300 && typeof generationId === 'string') return generationId;
  throw new Fault(
    status === 404 ? 'CREDENTIALS_REFUSED' : 'UPSTREAM_REFUSED',
    `the hub answered ${status} when asked for the identity of module ${module}: ${String(body['Message'] ?? 'no reason given')}`,
  );
}
