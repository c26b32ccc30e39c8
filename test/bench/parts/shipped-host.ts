/** A module host as it ships, out of dist/, driven by the bench in the supervisor's place. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createBundles } from '../../../src/artifacts/bundles.ts';
import type { GuestEvent } from '../../../src/core/guest-protocol.ts';
import type { Bundle, Bundles, ModuleHost, ModuleStart } from '../../../src/core/ports.ts';
import { createModuleHost } from '../../../src/host/module-host.ts';
import { createLog } from '../../../src/lib/log.ts';
import { systemClock } from '../../../src/lib/system-clock.ts';
import { diskFolder } from './disk.ts';

const dist = join(import.meta.dirname, '../../../dist');
const log = createLog('error', systemClock.now, (line) => void process.stderr.write(line));

export function createShippedHost(): ModuleHost {
  return createModuleHost({
    hostMain: join(dist, 'host.js'),
    prelude: readFileSync(join(dist, 'prelude.js'), 'utf8'),
    clock: systemClock,
    log,
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
    binds: [],
    limits: { heapMb: 32, startMs: 5_000, turnMs: 2_000 },
    group: 'shared',
  };
}

/** What the supervisor answers to a call that worked. */
export function done(call: number): GuestEvent {
  return { t: 'reply', call, value: null };
}
