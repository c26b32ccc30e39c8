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

/** Whatever it is that hangs: longer than any download may take by itself (artifacts/bundles.ts). */
const FETCH_MS = 900_000;
const REST: RetryRange = { firstMs: 2_000, mostMs: 300_000 };

export function createBundleStates(deps: BundleStatesDeps): BundleStates {
  const { bundles, clock, random, log, changed } = deps;
  const states = new Map<string, BundleState>();
  const failures = new Map<string, number>();
  const asks = new Map<string, Asked | undefined>();
  let logins: RegistryCredentials = new Map();
  let onlyFromDisk: ReadonlySet<string> = new Set();

  /** What is on its way, and how to have no more of it. */
  const underway = new Map<string, () => void>();

  async function get(image: string): Promise<void> {
    const startedAt = clock.elapsed();
    const unwanted = Promise.withResolvers<void>();
    const late = Promise.withResolvers<never>();
    const cancelLate = clock.after(FETCH_MS, () => {
      late.reject(
        new Fault('DOWNLOAD_FAILED', `the bundle was not here after ${FETCH_MS / 1000} s`),
      );
      unwanted.resolve();
    });
    const drop = (): void => {
      underway.delete(image);
      unwanted.resolve();
    };
    underway.set(image, drop);
    let outcome: BundleState;
    try {
      const bundle = await Promise.race([obtain(image, unwanted.promise), late.promise]);
      outcome = { kind: 'ready' };
      if (underway.get(image) === drop) asks.set(image, bundle.asked);
      failures.delete(image);
      const tookMs = Math.round(clock.elapsed() - startedAt);
      log.info('bundle is here', { image, version: bundle.version, tookMs });
    } catch (cause) {
      if (!(cause instanceof Fault)) throw cause;
      if (underway.get(image) !== drop) return;
      const tries = failures.get(image) ?? 0;
      failures.set(image, tries + 1);
      const retryAtMs =
        cause.whose === 'world' ? clock.now() + retryDelayMs(tries, random(), REST) : undefined;
      outcome = { kind: 'failed', problem: cause.message, retryAtMs };
      log.error('bundle could not be had', { image, cause });
    } finally {
      cancelLate();
    }
    if (underway.get(image) !== drop) return;
    underway.delete(image);
    states.set(image, outcome);
    changed();
  }

  async function obtain(image: string, unwanted: Promise<void>): Promise<Bundle> {
    const here = await bundles.find(image);
    if (here !== undefined) return here;
    if (!onlyFromDisk.has(image)) return await bundles.fetch(image, logins, unwanted);
    throw new Fault(
      'DOWNLOAD_FAILED',
      `${image} is not on this device, and its imagePullPolicy is "never": deploy it with "on-create"`,
    );
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
        if (images.includes(image) && !(isNew && kind === 'failed')) continue;
        const drop = underway.get(image);
        if (drop !== undefined) {
          log.info('a bundle is not wanted any more, its download ends', { image });
          drop();
        }
        states.delete(image);
        asks.delete(image);
        failures.delete(image);
      }
    },
  };
}
