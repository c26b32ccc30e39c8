/**
 * The port `Bundles`: bundles by image reference, fetched once, verified by digest at every read,
 * kept in a folder by content. A damaged one is set aside and reads as absent, so it is fetched again.
 */
import type { Blob, Delta } from '../core/bundle-artifact.ts';
import { SIGNATURES_ANNOTATION } from '../core/bundle-signature.ts';
import { Fault } from '../core/fault.ts';
import type { Bundle, Bundles, Clock, Log } from '../core/ports.ts';
import type { RegistryCredentials } from '../core/registry-credentials.ts';
import { systemClock } from '../lib/system-clock.ts';
import {
  type BundleLimits,
  defaultBundleLimits,
  digestOf,
  unpackBundle,
} from './bundle-archive.ts';
import { createBundleFolder } from './bundle-folder.ts';
import { createBundlePins, type Pin } from './bundle-pins.ts';
import { createSources, type Source, type Wanted } from './bundle-source.ts';
import { distrust, TRUST_ALL, type TrustSettings } from './bundle-trust.ts';
import { fetchDelta } from './delta-fetch.ts';
import { type DownloadLimits, RefusedDownload } from './download.ts';
import { type ImageReference, parseImageReference } from './image-reference.ts';
import { openRegistryImage, type RegistryImage } from './registry.ts';

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
  /** Registries, by host, that are asked over plain HTTP. Those of this machine always are. */
  readonly insecureRegistries?: readonly string[];
  /** PEM text of an authority to trust besides the system's. */
  readonly ca?: string;
  /** Whose bundles are taken. Default: everybody's. */
  readonly trust?: TrustSettings;
  readonly log: Log;
  readonly clock?: Clock;
};

export function createBundles(options: BundlesOptions): Bundles {
  const { dir, baseDir, log, clock = systemClock, trust = TRUST_ALL } = options;
  const limits: BundleLimits = {
    ...defaultBundleLimits,
    bytesMax: options.bytesMax ?? defaultBundleLimits.bytesMax,
  };
  const times: DownloadLimits = {
    fetchTimeoutMs: options.fetchTimeoutMs ?? 600_000,
    stallTimeoutMs: options.stallTimeoutMs ?? 30_000,
    ca: options.ca,
  };
  const folder = createBundleFolder(dir);
  const pins = createBundlePins(dir);
  const sources = createSources(times, limits.bytesMax, clock);
  const underway = new Map<string, Promise<Bundle>>();
  const opened = new Map<string, Source>();

  async function find(image: string): Promise<Bundle | undefined> {
    const reference = parseImageReference(image, baseDir);
    const archive = await hereAs(reference);
    if (archive === undefined) return undefined;
    const { sha256 } = archive;
    const problem = distrustOf(reference.shown, archive);
    if (problem !== undefined) {
      // Its registry may have it signed by now.
      if (reference.kind === 'registry') return undefined;
      throw new Fault('BUNDLE_INVALID', problem);
    }
    const bytes = await readKept(sha256, reference.shown);
    return bytes === undefined ? undefined : unpackBundle(bytes, limits, `sha256:${sha256}`);
  }

  /** The archive a reference means; undefined when a registry has not told us yet. */
  async function hereAs(reference: ImageReference): Promise<Signed | undefined> {
    return reference.kind === 'registry' ? await pins.read(reference.shown) : reference;
  }

  function distrustOf(shown: string, { sha256, signatures = [] }: Signed): string | undefined {
    return distrust(shown, sha256, signatures, trust);
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
  function once(key: string, run: () => Promise<Bundle>): Promise<Bundle> {
    const running = underway.get(key);
    if (running !== undefined) return running;
    const started = run().finally(() => underway.delete(key));
    underway.set(key, started);
    return started;
  }

  function fetch(reference: ImageReference, credentials: RegistryCredentials): Promise<Bundle> {
    const { shown } = reference;
    if (reference.kind !== 'registry') {
      const problem = distrustOf(shown, reference);
      if (problem !== undefined) return Promise.reject(new Fault('BUNDLE_INVALID', problem));
      return fetchArchive(sources.wanted(reference));
    }
    return once(shown, async () => {
      const image = openRegistryImage(reference.name, {
        login: credentials.get(reference.name.host),
        insecure: options.insecureRegistries ?? [],
        limits: times,
        clock,
      });
      const pin = await pins.read(shown);
      if (pin === undefined || distrustOf(shown, pin) !== undefined) {
        return fetchResolved(shown, image);
      }
      // It went bad on the disk: the same again, unless the registry has lost it.
      return fetchPinned(pin, image).catch((cause: unknown) => {
        if (!isMissing(cause)) throw cause;
        return fetchResolved(shown, image);
      });
    });
  }

  async function fetchResolved(shown: string, image: RegistryImage): Promise<Bundle> {
    const { layer, digest, annotations, deltas } = await image.resolve();
    const signatures = (annotations[SIGNATURES_ANNOTATION] ?? '').split(' ').filter((one) => one);
    const pin: Pin = { image: shown, manifest: digest, ...layer, signatures };
    const problem = distrustOf(shown, pin);
    // The same tag may be pushed again, signed.
    if (problem !== undefined) throw new Fault('DOWNLOAD_FAILED', `${problem} and push it again`);
    await fromDelta(shown, layer, deltas, image);
    return fetchPinned(pin, image);
  }

  /** What is here of the archive when a delta was of use; the whole is downloaded when not. */
  async function fromDelta(
    shown: string,
    { sha256 }: Blob,
    deltas: readonly Delta[],
    image: RegistryImage,
  ): Promise<void> {
    // Another name of the same archive may be on its way.
    if (underway.has(sha256) || (await readKept(sha256, shown)) !== undefined) return;
    for (const delta of deltas) {
      const base = await readKept(delta.from, shown);
      if (base === undefined) continue;
      try {
        const archive = await fetchDelta(base, delta, sha256, image, limits);
        if (archive === undefined) throw new Error('it does not give the archive it is for');
        await write(sha256, archive);
        return log.info('bundle made from a delta', { image: shown, bytes: delta.bytes });
      } catch (cause) {
        log.debug('a delta is of no use, the whole bundle is fetched', { image: shown, cause });
      }
    }
  }

  async function write(sha256: string, archive: Uint8Array): Promise<void> {
    const file = await folder.openPartial(sha256, 0);
    try {
      await file.appendFile(archive);
    } finally {
      await file.close();
    }
  }

  function fetchPinned(pin: Pin, image: RegistryImage): Promise<Bundle> {
    return fetchArchive(sources.ofRegistry(pin, image), () => pins.write(pin));
  }

  async function fetchArchive(wanted: Wanted, arrived = async () => {}): Promise<Bundle> {
    const bundle = await once(wanted.sha256, () => obtain(wanted));
    await arrived();
    return bundle;
  }

  async function obtain(wanted: Wanted): Promise<Bundle> {
    const { sha256, shown } = wanted;
    try {
      const partial = await folder.readPartial(sha256);
      const bytes =
        partial !== undefined && matches(partial, sha256)
          ? partial
          : await receive(wanted, partial?.byteLength ?? 0);
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
  async function receive(wanted: Wanted, haveBytes: number): Promise<Uint8Array> {
    const source = await wanted.open(haveBytes);
    opened.set(wanted.shown, source);
    try {
      await writeAll(wanted, source);
    } finally {
      opened.delete(wanted.shown);
      source.close();
    }
    const bytes = await folder.readPartial(wanted.sha256);
    if (bytes !== undefined && matches(bytes, wanted.sha256)) return bytes;
    await folder.dropPartial(wanted.sha256);
    // What an earlier attempt left may have been bad: once more, from the start.
    if (source.startByte > 0) return receive(wanted, 0);
    throw wrongDigest(wanted, bytes, source.endIsKnown);
  }

  async function writeAll({ sha256, tooLarge, bytesMax }: Wanted, source: Source): Promise<void> {
    const file = await folder.openPartial(sha256, source.startByte);
    try {
      let size = source.startByte;
      for await (const chunk of source.chunks) {
        size += chunk.byteLength;
        if (size > bytesMax) throw tooLarge();
        await file.appendFile(chunk);
      }
    } finally {
      await file.close();
    }
  }

  return {
    find,
    async fetch(image, credentials = new Map(), unwanted) {
      const reference = parseImageReference(image, baseDir);
      void unwanted?.then(() => opened.get(reference.shown)?.close());
      return fetch(reference, credentials);
    },
    async collect(images) {
      const references = images.flatMap((image) => named(image, baseDir));
      try {
        const pinned = await Promise.all(references.map(hereAs));
        const wanted = new Set([...underway.keys(), ...pinned.flatMap((one) => one?.sha256 ?? [])]);
        await pins.removeAllBut([...underway.keys(), ...references.map(({ shown }) => shown)]);
        const removed = await folder.removeAllBut(wanted);
        if (removed > 0) log.info('unused bundles removed', { removed });
      } catch (cause) {
        log.warn('unused bundles could not be removed', { dir, cause });
      }
    },
  };
}

/** An archive, and who signed it. */
type Signed = { readonly sha256: string; readonly signatures?: readonly string[] };

function named(image: string, baseDir: string | undefined): readonly ImageReference[] {
  try {
    return [parseImageReference(image, baseDir)];
  } catch {
    return []; // names nothing of ours
  }
}

function isMissing(cause: unknown): boolean {
  return (
    cause instanceof Fault && cause.cause instanceof RefusedDownload && cause.cause.status === 404
  );
}

function matches(bytes: Uint8Array, sha256: string): boolean {
  return digestOf(bytes) === `sha256:${sha256}`;
}

function wrongDigest(
  { shown, sha256, isPromised }: Wanted,
  bytes: Uint8Array | undefined,
  endIsKnown: boolean,
): Fault {
  const found = bytes === undefined ? 'nothing' : digestOf(bytes);
  const sentence = `what arrived from ${shown} is ${found}, not sha256:${sha256} as`;
  // The deployment is right then: it may be had as soon as the registry is whole again.
  if (isPromised) {
    return new Fault(
      'DOWNLOAD_FAILED',
      `${sentence} its registry says: the registry is damaged, push the bundle again`,
    );
  }
  return endIsKnown
    ? new Fault(
        'BUNDLE_INVALID',
        `${sentence} the image says: correct the deployment, or put the right file there`,
      )
    : new Fault('DOWNLOAD_FAILED', `${sentence} the image says: it may have been cut short`);
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
