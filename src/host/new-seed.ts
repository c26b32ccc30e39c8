/** The random bytes a module begins with. */
import { randomFillSync } from 'node:crypto';
import ivm from 'isolated-vm';
import { SEED_BYTES } from '../core/guest-protocol.ts';

/** Moved in, so that none of it stays here. */
export function newSeed(): ivm.Copy<ArrayBuffer> {
  const { buffer } = randomFillSync(new Uint8Array(SEED_BYTES));
  return new ivm.ExternalCopy(buffer, { transferOut: true }).copyInto({
    release: true,
    transferIn: true,
  });
}
