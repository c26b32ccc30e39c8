/** Making a module's identity ours at the hub: find or create it, then give it the key we derive. */
import { Fault } from '../core/fault.ts';
import type { JsonObject } from '../core/json.ts';
import type { ModuleName } from '../core/message.ts';
import { callHub, type HubAnswer, type HubCall, type HubRestOptions } from './hub-rest.ts';

/** The longest piece of the hub's own words that is passed on. */
const REASON_CHARS_MAX = 300;

/**
 * The identity's generation, with the key of that generation in force at the hub. Rejects with
 * UPSTREAM_AWAY, UPSTREAM_REFUSED, CREDENTIALS_REFUSED (spec/iothub.md §6.1).
 */
export async function register(
  options: HubRestOptions,
  module: ModuleName,
  keyOf: (generationId: string) => string,
): Promise<string> {
  const { deviceId, hostName } = options.device;
  const path = `/devices/${encodeURIComponent(deviceId)}/modules/${encodeURIComponent(module)}`;
  const ask = (call: Omit<HubCall, 'path'>): Promise<HubAnswer> =>
    callHub(options, { path, ...call });
  const identity: JsonObject = { moduleId: module, deviceId, managedBy: 'IotEdge' };

  let found = await ask({ method: 'GET' });
  if (found.status === 404) found = await ask({ method: 'PUT', body: identity });
  const { generationId, managedBy } = accepted(found);
  if (typeof generationId !== 'string' || generationId === '') {
    throw refused('its answer names no generation of the identity');
  }
  const key = keyOf(generationId);
  const body: JsonObject = {
    ...identity,
    // Who manages the runtime's own two is the hub's affair.
    ...(typeof managedBy === 'string' ? { managedBy } : {}),
    generationId,
    authentication: { type: 'sas', symmetricKey: { primaryKey: key, secondaryKey: key } },
  };
  accepted(await ask({ method: 'PUT', overwrite: true, body }));
  return generationId;

  function accepted({ status, body: answer }: HubAnswer): JsonObject {
    if (status >= 200 && status < 300) return answer;
    const words = answer['Message'] ?? answer['ExceptionMessage'];
    const reason = typeof words === 'string' ? words.slice(0, REASON_CHARS_MAX) : 'no reason given';
    // 404 beyond the first question: it is the device that is not there.
    if (status === 401 || status === 403 || status === 404) {
      throw new Fault(
        'CREDENTIALS_REFUSED',
        `the hub ${hostName} will not let device ${deviceId} have module ${module} (${status}: ${reason}): see that the device is there and enabled, that its key or certificate is the one in the config, and that the clock is right`,
      );
    }
    throw refused(`it answered ${status} (${reason})`);
  }

  function refused(what: string): Fault {
    return new Fault(
      'UPSTREAM_REFUSED',
      `the hub ${hostName} did not give module ${module} its identity: ${what}`,
    );
  }
}
