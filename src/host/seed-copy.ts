/** A seed on its way into an isolate. */
import ivm from 'isolated-vm';

/** @param seed base64, from HostStart. Moved in, so that it is in no buffer of ours any more. */
export function seedCopy(seed: string): ivm.Copy<ArrayBuffer> {
  const { buffer } = new Uint8Array(Buffer.from(seed, 'base64'));
  return new ivm.ExternalCopy(buffer, { transferOut: true }).copyInto({
    release: true,
    transferIn: true,
  });
}
