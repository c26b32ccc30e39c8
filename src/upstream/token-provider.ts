/** What the SDK's transport asks for credentials: one token, good for longer than the connection lives. */
import { createHmac } from 'node:crypto';
import { EventEmitter } from 'node:events';
import type { ModuleCredentials } from '../core/ports.ts';
import { formatSas, sasTextToSign } from '../core/shared-access-signature.ts';

/** azure-iot-common's AuthenticationType.Token. */
const TOKEN = 1;

/**
 * In place of the SDK's own provider, which renews its token by a timer and drops the connection
 * for it in the middle of what is being sent (spec/iothub.md §9.1).
 */
export function createTokenProvider(credentials: ModuleCredentials, expiresAtMs: number): never {
  const { hostName, deviceId, moduleId, key } = credentials;
  const fields = {
    resource: encodeURIComponent(`${hostName}/devices/${deviceId}/modules/${moduleId}`),
    expiryS: Math.floor(expiresAtMs / 1000),
    policy: undefined,
  };
  const signature = createHmac('sha256', Buffer.from(key, 'base64'))
    .update(sasTextToSign(fields))
    .digest('base64');
  const sharedAccessSignature = formatSas(fields, signature);
  return Object.assign(new EventEmitter(), {
    type: TOKEN,
    stop() {},
    getDeviceCredentials(done: (cause: null, value: object) => void) {
      done(null, { host: hostName, deviceId, moduleId, sharedAccessSignature });
    },
  }) as never;
}
