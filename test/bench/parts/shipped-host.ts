/** A module host as it ships, out of dist/, driven by the bench in the supervisor's place. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createBundles } from '../../../src/artifacts/bundles.ts';
import type { GuestEvent } from '../../../src/core/guest-protocol.ts';
import {
  type Bundle,
  type Bundles,
  type ModuleHost,
  type ModuleStart,
  noGrants,
  type RunningModule,
} from '../../../src/core/ports.ts';
import type { HostSettings } from '../../../src/host/host-settings.ts';
import { createModuleHost } from '../../../src/host/module-host.ts';
import { createSnapshots } from '../../../src/host/snapshots.ts';
import { createLog } from '../../../src/lib/log.ts';
import { systemClock } from '../../../src/lib/system-clock.ts';
import { until, within } from '../../fakes/within.ts';
import { diskFolder } from './disk.ts';

const LIMIT_MS = 10_000;
const snapshotFolder = diskFolder('snapshot');
const dist = join(import.meta.dirname, '../../../dist');
const log = createLog('error', systemClock.now, (line) => void process.stderr.write(line));

export async function createShippedHost(settings: Partial<HostSettings> = {}): Promise<ModuleHost> {
  const prelude = readFileSync(join(dist, 'prelude.js'), 'utf8');
  const snapshots = createSnapshots({
    folder: snapshotFolder,
    program: join(dist, 'snapshot.cjs'),
    prelude,
    clock: systemClock,
    log,
    calmMs: 0,
  });
  // As on a device that has run for a minute before.
  await until(LIMIT_MS, 'the snapshot', () => snapshots.current() !== undefined);
  return createModuleHost({
    hostMain: join(dist, 'host.cjs'),
    prelude,
    snapshots,
    clock: systemClock,
    log,
    settings,
  });
}

/** The bundles of a device that has fetched these images before. */
export async function keptBundles(images: readonly string[]): Promise<Bundles> {
  const bundles = createBundles({ dir: diskFolder('bundles'), log, clock: systemClock });
  for (const image of images) await bundles.fetch(image);
  return bundles;
}

export function startOf(module: string, { code, sourceMap }: Bundle): ModuleStart {
  return {
    module,
    code,
    sourceMap,
    device: 'board',
    env: {
      IOTEDGE_AUTHSCHEME: 'sasToken',
      IOTEDGE_DEVICEID: 'board',
      IOTEDGE_MODULEID: module,
      IOTEDGE_IOTHUBHOSTNAME: 'hub',
      IOTEDGE_GATEWAYHOSTNAME: 'localhost',
      IOTEDGE_APIVERSION: '2020-07-07',
    },
    grants: noGrants,
    limits: { heapMb: 32, startMs: 5_000, turnMs: 2_000 },
    group: 'shared',
  };
}

/** From the bundle on the disk to the first line, as the supervisor does it: read, checked, started. */
export async function firstLineOf(
  host: ModuleHost,
  bundles: Bundles,
  module: string,
  image: string,
): Promise<{ readonly tookMs: number; readonly running: RunningModule }> {
  const began = performance.now();
  const bundle = await bundles.find(image);
  if (bundle === undefined) throw new Error(`the bundle ${image} is not kept`);
  const said = Promise.withResolvers<number>();
  const running = host.start(startOf(module, bundle), {
    started() {},
    requests(requests) {
      if (requests.some(({ t }) => t === 'log')) said.resolve(performance.now() - began);
      return undefined;
    },
    ended: ({ reason }) => said.reject(new Error(reason)),
  });
  return { tookMs: await within(LIMIT_MS, 'the first line', said.promise), running };
}

/** What the supervisor answers to a call that worked. */
export function done(call: number): GuestEvent {
  return { t: 'reply', call, value: null };
}
