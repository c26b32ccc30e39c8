/** A device of real parts (isolates, SQLite, bundles) on a fake hub, in this process. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleModule } from '../../build/bundle-module.ts';
import { buildPrelude } from '../../build/guest.ts';
import { createBundles } from '../../src/artifacts/bundles.ts';
import type { SimulatedDevice } from '../../src/core/device-grant.ts';
import type { JsonObject } from '../../src/core/json.ts';
import { createLogMap, type LogMap } from '../../src/core/log-map.ts';
import type { Policy } from '../../src/core/policy.ts';
import type { ModuleLimits } from '../../src/core/ports.ts';
import type { ModuleSummary } from '../../src/core/summaries.ts';
import { createModuleHost } from '../../src/host/module-host.ts';
import { systemClock } from '../../src/lib/system-clock.ts';
import { createBlobFolder } from '../../src/store/blob-folder.ts';
import { openSqliteStore } from '../../src/store/sqlite-store.ts';
import { createModuleLogs } from '../../src/supervisor/module-logs.ts';
import { type Supervisor, startSupervisor } from '../../src/supervisor/supervisor.ts';
import { createFakeLog, type LogEntry } from '../fakes/log.ts';
import { createFakeUpstream, type FakeUpstream } from '../fakes/upstream.ts';

const root = join(import.meta.dirname, '../..');
const SOURCE = {
  hostMain: join(root, 'src/host/main.ts'),
  storeMain: join(root, 'src/store/worker.ts'),
};
const SHIPPED = {
  hostMain: join(root, 'dist/host.cjs'),
  storeMain: join(root, 'dist/store-worker.cjs'),
};

export type Device = {
  readonly upstream: FakeUpstream;
  readonly supervisor: Supervisor;
  readonly log: { readonly entries: readonly LogEntry[] };
  readonly dataDir: string;
  /** What its modules say. */
  readonly logs: LogMap;
  module(name: string): ModuleSummary | undefined;
  close(): Promise<void>;
};

/** Bundles a module of one file; the code may import what any module may. Returns its image reference. */
export async function bundleSource(
  name: string,
  code: string,
  capabilities?: JsonObject,
): Promise<string> {
  const dir = mkdtempSync(join(tmpdir(), `isolet-${name}-`));
  mkdirSync(join(dir, 'src'));
  writeFileSync(
    join(dir, 'package.json'),
    JSON.stringify({ name, version: '1.0.0', ...(capabilities && { isolet: { capabilities } }) }),
  );
  writeFileSync(join(dir, 'src/main.js'), code);
  return (await bundleModule(dir, { outDir: join(dir, 'out') })).image;
}

/** Bundles one of the stock modules. */
export async function bundleStock(name: string): Promise<string> {
  const outDir = mkdtempSync(join(tmpdir(), 'isolet-stock-'));
  return (await bundleModule(join(root, 'modules', name), { outDir })).image;
}

export const spec = (image: string, change: JsonObject = {}): JsonObject => ({
  type: 'docker',
  version: '1.0',
  status: 'running',
  restartPolicy: 'always',
  settings: { image },
  ...change,
});

export const deployment = (modules: JsonObject): JsonObject => ({
  schemaVersion: '1.1',
  runtime: { type: 'docker', settings: {} },
  systemModules: {},
  modules,
});

export type DeviceOptions = {
  readonly moduleLimits?: ModuleLimits;
  /** Made and removed when it is not given. */
  readonly dataDir?: string;
  /** Programs as they ship, out of dist/, which must be built. */
  readonly shipped?: boolean;
  /** What deployments may grant; all of it when absent. */
  readonly policy?: Policy;
  /** Devices the runtime plays, by path. */
  readonly simulated?: Readonly<Record<string, SimulatedDevice>>;
  /** In the place of the store's own thread. */
  readonly storeMain?: string | URL;
};

const LIMITS: ModuleLimits = { heapMb: 32, startMs: 1_000, turnMs: 500 };

export async function startDevice(options: DeviceOptions = {}): Promise<Device> {
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'isolet-device-'));
  const programs = options.shipped === true ? SHIPPED : SOURCE;
  const log = createFakeLog();
  const clock = systemClock;
  const upstream = createFakeUpstream();
  const logs = createLogMap();
  const store = await openSqliteStore({
    dataDir,
    workerMain: options.storeMain ?? programs.storeMain,
    log,
  });
  const supervisor = await startSupervisor({
    store,
    shelf: createBlobFolder(join(dataDir, 'blobs'), 0),
    host: createModuleHost({
      hostMain: programs.hostMain,
      prelude: await buildPrelude(),
      clock,
      log,
      simulated: options.simulated ?? {},
      allowed: options.policy?.binds,
    }),
    upstream,
    bundles: createBundles({ dir: join(dataDir, 'bundles'), log, clock }),
    clock,
    random: Math.random,
    log,
    logs: createModuleLogs(logs, clock, log),
    device: { id: 'edge', hub: 'hub', version: '0', architecture: process.arch, pid: process.pid },
    moduleLimits: options.moduleLimits ?? LIMITS,
    ...(options.policy && { policy: options.policy }),
  });
  upstream.goOnline();
  return {
    upstream,
    supervisor,
    log,
    logs,
    dataDir,
    module: (name) => supervisor.status.modules().find((module) => module.name === name),
    async close() {
      await supervisor.stop();
      await store.close();
      if (options.dataDir === undefined) rmSync(dataDir, { recursive: true });
    },
  };
}
