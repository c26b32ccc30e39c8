/** One delta from a registry, applied: bounded by the bytes its manifest promises. */
import type { Delta } from '../core/bundle-artifact.ts';
import { type BundleLimits, digestOf } from './bundle-archive.ts';
import { applyDelta } from './bundle-delta.ts';
import type { RegistryImage } from './registry.ts';

/** The archive `sha256`; undefined when the delta does not give it. Rejects with DOWNLOAD_FAILED. */
export async function fetchDelta(
  base: Uint8Array,
  delta: Delta,
  sha256: string,
  image: RegistryImage,
  limits: BundleLimits,
): Promise<Uint8Array | undefined> {
  if (delta.bytes > limits.bytesMax) return undefined;
  const download = await image.open(delta, 0);
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of download.chunks) {
      size += chunk.byteLength;
      if (size > delta.bytes) return undefined;
      chunks.push(chunk);
    }
  } finally {
    download.close();
  }
  const bytes = Buffer.concat(chunks);
  if (digestOf(bytes) !== `sha256:${delta.sha256}`) return undefined;
  return applyDelta(base, bytes, sha256, limits);
}
