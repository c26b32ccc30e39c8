/** Data folders of devices that were given modules, for the real program to be started on. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonObject } from '../../../src/core/json.ts';
import { bundleSource, deployment, spec, startDevice } from '../../e2e/device.ts';
import { until } from '../../fakes/within.ts';
import { diskFolder } from './disk.ts';

const START_LIMIT_MS = 60_000;

/** All of `names` run the same code; they have been started once, and no routes lead to them. */
export async function makeDeviceFolder(code: string, names: readonly string[]): Promise<string> {
  const dataDir = diskFolder('device');
  const { upstream, supervisor, close } = await startDevice({ dataDir, shipped: true });
  const image = await bundleSource('module', code);
  const modules: JsonObject = Object.fromEntries(names.map((name) => [name, spec(image)]));
  upstream.desired('$edgeHub', { schemaVersion: '1.1', routes: {} });
  upstream.desired('$edgeAgent', deployment(modules));
  await until(START_LIMIT_MS, 'all modules run', () => {
    const running = supervisor.status.modules().filter(({ status }) => status === 'running');
    return running.length === names.length;
  });
  await close();
  writeFileSync(
    join(dataDir, 'config.toml'),
    '[provisioning]\nsource = "none"\n[isolet]\ndata_dir = "."\n',
  );
  return dataDir;
}
