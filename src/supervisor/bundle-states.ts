/** Which bundles are here, which are on their way, which could not be had. */
import type { Asked } from '../core/asked.ts';
import { Fault } from '../core/fault.ts';
import type { ModuleSpec } from '../core/module-spec.ts';
import type { BundleState } from '../core/plan.ts';
import type { Bundle, Bundles, Clock, Log } from '../core/ports.ts';
import { type RegistryCredentials, sameCredentials } from '../core/registry-credentials.ts';
import { type RetryRange, retryDelayMs } from '../core/retry.ts';

export interface BundleStates {
  states(): ReadonlyMap<string, BundleState>;
  /** Begins to fetch, in the background. */
  fetch(image: string): void;
  /** The bundle of a `ready` state, read anew; undefined when it has gone bad meanwhile (then it is `absent`). */
  read(image: string): Promise<Bundle | undefined>;
  /** What the bundle of a `ready` state asks for; undefined = it declares nothing, or is not known. */
  asked(image: string): Asked | undefined;
  /**
   * The images of these are in use; what is known of others is dropped. Another login, or leave to
   * fetch (imagePullPolicy), is worth another try.
   */
  keep(modules: readonly Wanting[], credentials: RegistryCredentials): void;
  /** Everything needed is here: bundles of other images leave the disk. */
  collect(images: readonly string[]): Promise<void>;
}

type Wanting = Pick<ModuleSpec, 'image' | 'imagePullPolicy'>;

export type BundleStatesDeps = {
  readonly bundles: Bundles;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly changed: () => void;
};

const REST: RetryRange = { firstMs: 2_000, mostMs: 300_000 };

export function createBundleStates(deps: BundleStatesDeps): BundleStates {
  const { bundles, clock, random, log, changed } = deps;
  const states = new Map<string, BundleState>();
  const failures = new Map<string, number>();
  const asks = new Map<string, Asked | undefined>();
  let logins: RegistryCredentials = new Map();
  let onlyFromDisk: ReadonlySet<string> = new Set();

  async function pull(image: string): Promise<Bundle> {
    if (!onlyFromDisk.has(image)) return bundles.fetch(image, logins);
    throw new Fault(
      'DOWNLOAD_FAILED',
      `${image} is not on this device, and its imagePullPolicy is "never": deploy it with "on-create"`,
    );
  }

  async function get(image: string): Promise<void> {
    const startedAt = clock.elapsed();
    try {
      const bundle = (await bundles.find(image)) ?? (await pull(image));
      states.set(image, { kind: 'ready' });
      asks.set(image, bundle.asked);
      failures.delete(image);
      const tookMs = Math.round(clock.elapsed() - startedAt);
      log.info('bundle is here', { image, version: bundle.version, tookMs });
    } catch (cause) {
      if (!(cause instanceof Fault)) throw cause;
      const tries = failures.get(image) ?? 0;
      failures.set(image, tries + 1);
      const retryAtMs =
        cause.whose === 'world' ? clock.now() + retryDelayMs(tries, random(), REST) : undefined;
      states.set(image, { kind: 'failed', problem: cause.message, retryAtMs });
      log.error('bundle could not be had', { image, cause });
    }
    changed();
  }

  return {
    states: () => states,
    fetch(image) {
      states.set(image, { kind: 'fetching' });
      void get(image);
    },
    collect: bundles.collect,
    asked: (image) => asks.get(image),
    async read(image) {
      const bundle = await bundles.find(image);
      if (bundle === undefined) states.delete(image);
      return bundle;
    },
    keep(modules, credentials) {
      const images = modules.map(({ image }) => image);
      const mayPull = modules
        .filter((one) => one.imagePullPolicy !== 'never')
        .map(({ image }) => image);
      const isNew =
        !sameCredentials(logins, credentials) || mayPull.some((image) => onlyFromDisk.has(image));
      onlyFromDisk = new Set(images.filter((image) => !mayPull.includes(image)));
      logins = credentials;
      for (const [image, { kind }] of states) {
        // One on its way is not interrupted: it ends by itself and is dropped at the next turn.
        if (kind === 'fetching') continue;
        if (images.includes(image) && !(isNew && kind === 'failed')) continue;
        states.delete(image);
        asks.delete(image);
        failures.delete(image);
      }
    },
  };
}
