/**
 * What a bundle differs by from another: the archive's tar, compressed by zstd with the other's tar as
 * dictionary. A gzip'd tar has nothing in common with another one; so the archive is packed again from the
 * tar, and used only if that gives the very archive that is wanted (docs/decisions/0023-deltas.md).
 */
import { promisify } from 'node:util';
import { constants, zstdCompress, zstdDecompress } from 'node:zlib';
import {
  archiveLater,
  type BundleLimits,
  defaultBundleLimits,
  digestOf,
  tarOf,
} from './bundle-archive.ts';

const compressLater = promisify(zstdCompress);
const decompressLater = promisify(zstdDecompress);

/** zstd's bounds for a window: what it may look back, 2^n bytes. */
const WINDOW_LOG_MIN = 10;
const WINDOW_LOG_MAX = 27;
/** As small as it gets: made once, downloaded by every device. */
const LEVEL = 19;

/** Both are whole archives. Rejects with BUNDLE_INVALID when one is none. */
export async function makeDelta(
  base: Uint8Array,
  archive: Uint8Array,
  limits: BundleLimits = defaultBundleLimits,
): Promise<Uint8Array> {
  const [from, to] = await Promise.all([
    tarOf(base, digestOf(base), limits),
    tarOf(archive, digestOf(archive), limits),
  ]);
  const windowLog = Math.ceil(Math.log2(from.byteLength + to.byteLength));
  return compressLater(to, {
    dictionary: from,
    params: {
      [constants.ZSTD_c_compressionLevel]: LEVEL,
      [constants.ZSTD_c_windowLog]: Math.min(WINDOW_LOG_MAX, Math.max(WINDOW_LOG_MIN, windowLog)),
    },
  });
}

/** The archive `sha256`, or undefined when base and delta do not give it. Takes no more than a bundle may have. */
export async function applyDelta(
  base: Uint8Array,
  delta: Uint8Array,
  sha256: string,
  limits: BundleLimits = defaultBundleLimits,
): Promise<Uint8Array | undefined> {
  const dictionary = await tarOf(base, digestOf(base), limits);
  let tar: Uint8Array;
  try {
    tar = await decompressLater(delta, {
      dictionary,
      maxOutputLength: limits.unpackedBytesMax,
      params: { [constants.ZSTD_d_windowLogMax]: WINDOW_LOG_MAX },
    });
  } catch {
    return undefined; // damaged, for another base, or larger than it may be
  }
  const archive = await archiveLater(tar);
  return digestOf(archive) === `sha256:${sha256}` ? archive : undefined;
}
