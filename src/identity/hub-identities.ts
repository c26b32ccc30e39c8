/** The port Identities: module identities made at the hub with the device's own proof, and remembered. */
import { Fault } from '../core/fault.ts';
import type { ModuleName } from '../core/message.ts';
import type { Clock, Identities, Log, ModuleCredentials } from '../core/ports.ts';
import type { DeviceIdentity } from './device-identity.ts';
import type { HubRestOptions } from './hub-rest.ts';
import { openModuleKeys } from './module-keys.ts';
import { register } from './registration.ts';
import { createTurnstile } from './turnstile.ts';

export type IdentitySettings = {
  /** One REST call, from the first packet to the last byte. */
  readonly callMs: number;
  /** Identities asked for at once; the hub throttles these calls hard. */
  readonly atOnceMax: number;
};

const defaults: IdentitySettings = { callMs: 20_000, atOnceMax: 4 };

export type HubIdentitiesOptions = {
  readonly device: DeviceIdentity;
  readonly dataDir: string;
  /** PEM text of a CA to trust besides the system's. */
  readonly ca?: string;
  readonly clock: Clock;
  readonly log: Log;
  /** The hub does not know the device, or not so. Resolves with true when it does by now. */
  readonly refused?: () => Promise<boolean>;
  readonly settings?: Partial<IdentitySettings>;
};

/** Throws DATA_FOLDER_UNUSABLE when the device's secret can be neither read nor made. */
export function createHubIdentities(options: HubIdentitiesOptions): Identities {
  const { device, dataDir, clock, log } = options;
  const { hostName, deviceId } = device;
  const settings = { ...defaults, ...options.settings };
  const stopping = new AbortController();
  const rest: HubRestOptions = {
    device,
    ...(options.ca === undefined ? {} : { ca: options.ca }),
    clock,
    timeoutMs: settings.callMs,
    signal: stopping.signal,
  };
  const keys = openModuleKeys({ dataDir, hostName, deviceId, log });
  const inTurn = createTurnstile(settings.atOnceMax);
  const underway = new Map<ModuleName, Promise<ModuleCredentials>>();

  async function obtain(module: ModuleName): Promise<ModuleCredentials> {
    const startedAt = clock.elapsed();
    const keyOf = (generationId: string): string => keys.derive(module, generationId).key;
    const ask = (): Promise<string> => inTurn(() => register(rest, module, keyOf));
    const generationId = await ask().catch(async (cause: unknown) => {
      const isRefused = cause instanceof Fault && cause.code === 'CREDENTIALS_REFUSED';
      if (isRefused && (await options.refused?.()) === true) return await ask();
      throw cause;
    });
    keys.remember(module, generationId);
    const tookMs = Math.round(clock.elapsed() - startedAt);
    log.info('module identity is registered at the hub', { module, tookMs });
    return keys.derive(module, generationId);
  }

  return {
    hostName,
    deviceId,
    async ensure(module) {
      const remembered = keys.remembered(module);
      if (remembered !== undefined) return remembered;
      const request = underway.get(module) ?? obtain(module).finally(() => underway.delete(module));
      underway.set(module, request);
      return await request;
    },
    forget: (module) => keys.forget(module),
    async stop() {
      stopping.abort();
      await Promise.allSettled(underway.values());
    },
  };
}
