/**
 * A device that was given its hub by the provisioning service: asked once, remembered, and asked again
 * when the hub knows the device no more (IoT Edge's auto_reprovisioning_mode, spec/iotedge.md §11.3).
 */
import { join } from 'node:path';
import { Fault } from '../core/fault.ts';
import { isJsonObject, type Json } from '../core/json.ts';
import type { Clock, Log } from '../core/ports.ts';
import { type RetryRange, retryDelayMs } from '../core/retry.ts';
import { readIfThere, writeDurably } from '../lib/durable-file.ts';
import type { DeviceIdentity } from './device-identity.ts';
import { type Assignment, type DpsLogin, registerAtDps } from './dps-registration.ts';
import type { HttpsCallOptions } from './https-call.ts';

export interface Provisioner {
  readonly device: DeviceIdentity;
  /**
   * The hub refused the device. Asks the service, but not more often than is decent; resolves with true when
   * the device was assigned to the same hub anew.
   */
  refused(): Promise<boolean>;
  /** Resolves when the service has given the device another hub or name: everything begins anew then. */
  readonly moved: Promise<void>;
}

export type ProvisionerOptions = HttpsCallOptions & {
  readonly login: DpsLogin;
  /** Ask at every start, whatever is remembered. */
  readonly always: boolean;
  readonly dataDir: string;
  readonly random: () => number;
  readonly log: Log;
  readonly retry?: RetryRange;
};

const RETRY: RetryRange = { firstMs: 5_000, mostMs: 600_000 };

/**
 * Resolves as soon as it is known who the device is: at once when it is remembered, else when the service
 * has been reached, however long that takes. Rejects only when `signal` ends it, with UPSTREAM_AWAY.
 */
export async function provision(options: ProvisionerOptions): Promise<Provisioner> {
  const { login, always, dataDir, clock, random, log, signal } = options;
  const retry = options.retry ?? RETRY;
  const file = join(dataDir, 'assignment.json');
  const moved = Promise.withResolvers<void>();
  let known = recall(file, login, log);
  let asking: Promise<boolean> | undefined;
  let decentAtMs = 0;
  let attempts = 0;

  async function ask(): Promise<Assignment> {
    const assignment = await registerAtDps(options, login);
    log.info('the provisioning service has assigned this device', { ...assignment });
    remember(file, login, assignment, log);
    return assignment;
  }

  if (known === undefined || always) {
    try {
      known = await ask();
    } catch (cause) {
      if (!(cause instanceof Fault)) throw cause;
      log.warn('this device could not be provisioned', { cause });
    }
  }
  while (known === undefined) {
    await rest(retryDelayMs(attempts++, random(), retry), clock, signal);
    if (signal.aborted) throw new Fault('UPSTREAM_AWAY', 'the runtime is stopping');
    try {
      known = await ask();
    } catch (cause) {
      if (!(cause instanceof Fault)) throw cause;
      log.warn('this device could not be provisioned', { cause, attempts });
    }
  }
  attempts = 0;
  const { hostName, deviceId } = known;

  async function again(): Promise<boolean> {
    // Once all is well for a while, the next trouble is a new one.
    if (clock.elapsed() > decentAtMs + retry.mostMs) attempts = 0;
    let isSame = false;
    try {
      const found = await ask();
      isSame = found.hostName === hostName && found.deviceId === deviceId;
      if (!isSame) moved.resolve();
    } catch (cause) {
      if (!(cause instanceof Fault)) throw cause;
      log.warn('the provisioning service was asked again, without success', { cause });
    }
    decentAtMs = clock.elapsed() + retryDelayMs(attempts++, random(), retry);
    asking = undefined;
    return isSame;
  }

  return {
    device: { hostName, deviceId, proof: login.proof },
    async refused() {
      if (signal.aborted) return false;
      if (asking === undefined && clock.elapsed() < decentAtMs) return false;
      asking ??= again();
      return await asking;
    },
    moved: moved.promise,
  };
}

function rest(delayMs: number, clock: Clock, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const over = (): void => {
      cancel();
      signal.removeEventListener('abort', over);
      resolve();
    };
    const cancel = clock.after(delayMs, over);
    signal.addEventListener('abort', over);
  });
}

/** Whose assignment it is: after a change of the config it means nothing. */
function scopeOf({ endpoint, idScope, registrationId }: DpsLogin): string {
  return `${endpoint}/${idScope}/${registrationId}`;
}

function recall(file: string, login: DpsLogin, log: Log): Assignment | undefined {
  try {
    const saved = JSON.parse(readIfThere(file)?.toString() ?? 'null') as Json;
    if (!isJsonObject(saved) || saved['scope'] !== scopeOf(login)) return undefined;
    const { hostName, deviceId } = saved;
    return typeof hostName === 'string' && typeof deviceId === 'string'
      ? { hostName, deviceId }
      : undefined;
  } catch (cause) {
    log.warn('the assignment cannot be read; the provisioning service is asked again', {
      file,
      cause,
    });
    return undefined;
  }
}

function remember(file: string, login: DpsLogin, assignment: Assignment, log: Log): void {
  try {
    writeDurably(file, Buffer.from(JSON.stringify({ scope: scopeOf(login), ...assignment })));
  } catch (cause) {
    // The next start asks again; until then memory will do.
    log.warn('the assignment cannot be remembered over a restart', { file, cause });
  }
}
