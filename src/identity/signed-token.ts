/** A shared access signature made with one of the device's keys (spec/iothub.md §1.4). */
import { createHmac } from 'node:crypto';
import { formatSas, sasTextToSign } from '../core/shared-access-signature.ts';

/** Long enough for a device whose clock is some minutes off. */
const TOKEN_S = 1_800;

/** @param resource encoded as the service wants it. `key`: base64. `policy`: whose key it is, when it is not the device's own. */
export function signedToken(resource: string, key: string, nowMs: number, policy?: string): string {
  const fields = { resource, expiryS: Math.floor(nowMs / 1000) + TOKEN_S, policy };
  const signature = createHmac('sha256', Buffer.from(key, 'base64'))
    .update(sasTextToSign(fields))
    .digest('base64');
  return formatSas(fields, signature);
}
