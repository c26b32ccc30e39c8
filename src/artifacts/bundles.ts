/**
 * The port `Bundles`: bundles by image reference, fetched once, verified by digest at every read,
 * kept in a folder by content. A damaged one is set aside and reads as absent, so it is fetched again.
 */
import { createReadStream } from 'node:fs';
import { Fault } from '../core/fault.ts';
import type { Bundle, Bundles, Clock, Log } from '../core/ports.ts';
import { systemClock } from '../lib/system-clock.ts';
import {
  type BundleLimits,
  defaultBundleLimits,
  digestOf,
  unpackBundle,
} from './bundle-archive.ts';
import { createBundleFolder } from './bundle-folder.ts';
import { type DownloadLimits, isRangeRefused, startDownload } from './download.ts';
import { type ImageReference, parseImageReference } from './image-reference.ts';

export type BundlesOptions = {
  /** Ours alone; made when needed. */
  readonly dir: string;
  /** One attempt to download. What arrived is kept for the next one. Default 10 minutes. */
  readonly fetchTimeoutMs?: number;
  /** A download that is silent for so long has failed. Default 30 s. */
  readonly stallTimeoutMs?: number;
  /** The archive as it travels. Default 32 MB. */
  readonly bytesMax?: number;
  /** Where `file:relative` begins. Default: relative paths are refused. */
  readonly baseDir?: string;
  readonly log: Log;
  readonly clock?: Clock;
};

/** What a source gives: where its bytes belong, and the bytes. */
type Source = {
  readonly startByte: number;
  /** False when an early end looks like the real one. */
  readonly endIsKnown: boolean;
  readonly chunks: AsyncIterable<Uint8Array>;
  close(): void;
};

export function createBundles(options: BundlesOptions): Bundles {
  const { dir, baseDir, log, clock = systemClock } = options;
  const limits: BundleLimits = {
    ...defaultBundleLimits,
    bytesMax: options.bytesMax ?? defaultBundleLimits.bytesMax,
  };
  const times: DownloadLimits = {
    fetchTimeoutMs: options.fetchTimeoutMs ?? 600_000,
    stallTimeoutMs: options.stallTimeoutMs ?? 30_000,
  };
  const folder = createBundleFolder(dir);
  const underway = new Map<string, Promise<Bundle>>();
  const opened = new Map<string, Source>();

  async function find(image: string): Promise<Bundle | undefined> {
    const { sha256, shown } = parseImageReference(image, baseDir);
    const bytes = await readKept(sha256, shown);
    return bytes === undefined ? undefined : unpackBundle(bytes, limits, `sha256:${sha256}`);
  }

  /** The kept archive if it is intact. A card that cannot be read is as good as empty. */
  async function readKept(sha256: string, shown: string): Promise<Uint8Array | undefined> {
    try {
      const bytes = await folder.read(sha256);
      if (bytes === undefined || matches(bytes, sha256)) return bytes;
      await folder.setAside(sha256);
      log.warn('bundle was damaged on disk and is set aside', { image: shown, sha256 });
    } catch (cause) {
      log.warn('bundle cannot be read from disk', { image: shown, sha256, cause });
    }
    return undefined;
  }

  /** Two modules of one image share one fetch. */
  function fetch(reference: ImageReference): Promise<Bundle> {
    const { sha256 } = reference;
    const running = underway.get(sha256);
    if (running !== undefined) return running;
    const started = obtain(reference).finally(() => underway.delete(sha256));
    underway.set(sha256, started);
    return started;
  }

  async function obtain(reference: ImageReference): Promise<Bundle> {
    const { sha256, shown } = reference;
    try {
      const partial = await folder.readPartial(sha256);
      const bytes =
        partial !== undefined && matches(partial, sha256)
          ? partial
          : await receive(reference, partial?.byteLength ?? 0);
      const bundle = await unpackBundle(bytes, limits, `sha256:${sha256}`);
      await folder.keep(sha256);
      log.info('bundle fetched', { image: shown, bytes: bytes.byteLength });
      return bundle;
    } catch (cause) {
      const fault = asFault(cause, shown);
      // A bad archive is not worth keeping; an interrupted one is.
      if (fault.code === 'BUNDLE_INVALID') await folder.dropPartial(sha256).catch(() => {});
      throw fault;
    }
  }

  /** The whole archive, the first `haveBytes` of which are on disk, if they are the right ones. */
  async function receive(reference: ImageReference, haveBytes: number): Promise<Uint8Array> {
    const source = await openSource(reference, haveBytes);
    opened.set(reference.sha256, source);
    try {
      await write(reference, source);
    } finally {
      opened.delete(reference.sha256);
      source.close();
    }
    const bytes = await folder.readPartial(reference.sha256);
    if (bytes !== undefined && matches(bytes, reference.sha256)) return bytes;
    await folder.dropPartial(reference.sha256);
    // What an earlier attempt left may have been bad: once more, from the start.
    if (source.startByte > 0) return receive(reference, 0);
    throw wrongDigest(reference, bytes, source.endIsKnown);
  }

  async function write(reference: ImageReference, source: Source): Promise<void> {
    const file = await folder.openPartial(reference.sha256, source.startByte);
    try {
      let size = source.startByte;
      for await (const chunk of source.chunks) {
        size += chunk.byteLength;
        if (size > limits.bytesMax) throw tooLarge(reference.shown);
        await file.appendFile(chunk);
      }
    } finally {
      await file.close();
    }
  }

  async function openSource(reference: ImageReference, haveBytes: number): Promise<Source> {
    if (reference.kind === 'file') {
      return {
        startByte: 0,
        endIsKnown: true,
        chunks: readChunks(reference.path),
        close: () => {},
      };
    }
    try {
      const download = await startDownload(reference.url, haveBytes, times, clock);
      if ((download.totalBytes ?? 0) <= limits.bytesMax) return download;
      download.close();
      throw tooLarge(reference.shown);
    } catch (cause) {
      if (haveBytes === 0 || !isRangeRefused(cause)) throw cause;
      return openSource(reference, 0);
    }
  }

  function tooLarge(shown: string): Fault {
    return new Fault(
      'BUNDLE_INVALID',
      `${shown} is larger than the ${limits.bytesMax} bytes a bundle may have here`,
    );
  }

  return {
    find,
    async fetch(image, unwanted) {
      const reference = parseImageReference(image, baseDir);
      void unwanted?.then(() => opened.get(reference.sha256)?.close());
      return fetch(reference);
    },
    async collect(images) {
      const wanted = new Set([
        ...underway.keys(),
        ...images.flatMap((image) => named(image, baseDir)),
      ]);
      try {
        const removed = await folder.removeAllBut(wanted);
        if (removed > 0) log.info('unused bundles removed', { removed });
      } catch (cause) {
        log.warn('unused bundles could not be removed', { dir, cause });
      }
    },
  };
}

async function* readChunks(path: string): AsyncGenerator<Uint8Array> {
  for await (const chunk of createReadStream(path)) yield chunk as Uint8Array;
}

function named(image: string, baseDir: string | undefined): readonly string[] {
  try {
    return [parseImageReference(image, baseDir).sha256];
  } catch {
    return []; // names nothing of ours
  }
}

function matches(bytes: Uint8Array, sha256: string): boolean {
  return digestOf(bytes) === `sha256:${sha256}`;
}

function wrongDigest(
  { shown, sha256 }: ImageReference,
  bytes: Uint8Array | undefined,
  endIsKnown: boolean,
): Fault {
  const found = bytes === undefined ? 'nothing' : digestOf(bytes);
  const sentence = `what arrived from ${shown} is ${found}, not sha256:${sha256} as the image says`;
  return endIsKnown
    ? new Fault(
        'BUNDLE_INVALID',
        `${sentence}: correct the deployment, or put the right file there`,
      )
    : new Fault('DOWNLOAD_FAILED', `${sentence}: it may have been cut short`);
}

function asFault(cause: unknown, shown: string): Fault {
  if (cause instanceof Fault) return cause;
  const { code, message } = cause as NodeJS.ErrnoException;
  if (code === undefined) throw cause;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new Fault('DISK_FULL', `no room on the disk for the bundle ${shown}: free some`, {
      cause,
    });
  }
  return new Fault('DOWNLOAD_FAILED', `the bundle ${shown} could not be had: ${message}`, {
    cause,
  });
}
