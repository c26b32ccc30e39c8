/**
 * The random bytes a module begins with. The supervisor draws them: a host would load all of Node's
 * crypto for them, 9 ms of each start.
 */
import { randomBytes } from 'node:crypto';
import { SEED_BYTES } from '../core/guest-protocol.ts';

/** Base64, for HostStart. */
export function newSeed(): string {
  return randomBytes(SEED_BYTES).toString('base64');
}
