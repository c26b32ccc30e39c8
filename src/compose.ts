/** The composition root: the only file that knows every room of the device's program. */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadAgentTools, type MakeBundle, supportBundleOf } from './agent-tools.ts';
import { openApiSocket } from './api/api-socket.ts';
import { apiResources } from './api-resources.ts';
import { createBundles } from './artifacts/bundles.ts';
import type { Config } from './config.ts';
import { Fault } from './core/fault.ts';
import type { JsonObject } from './core/json.ts';
import { AGENT_LOG, HUB_LOG } from './core/log-shelf.ts';
import type { Clock, Log, Upstream } from './core/ports.ts';
import { kernelFiles } from './host/control-files.ts';
import { type HostCells, openHostCells } from './host/control-groups.ts';
import { closedTo, type HostUser, hostUserHere } from './host/host-user.ts';
import { createModuleHost } from './host/module-host.ts';
import { createSnapshots } from './host/snapshots.ts';
import type { DeviceIdentity } from './identity/device-identity.ts';
import { createLog } from './lib/log.ts';
import { systemClock } from './lib/system-clock.ts';
import { createBlobFolder } from './store/blob-folder.ts';
import { createLogFolder } from './store/log-folder.ts';
import { openSqliteStore } from './store/sqlite-store.ts';
import { STORE_SETTINGS } from './store/store-settings.ts';
import { createModuleLogs } from './supervisor/module-logs.ts';
import { startSupervisor } from './supervisor/supervisor.ts';
import { createStandaloneUpstream } from './upstream/standalone-upstream.ts';

declare const ISOLET_DIST: boolean | undefined;
const bundled = typeof ISOLET_DIST !== 'undefined';

/** Where our other programs lie: beside us, as TypeScript in a checkout or bundled in dist/. */
const files = {
  hostMain: beside(bundled ? './host.cjs' : './host/main.ts'),
  storeMain: beside(bundled ? './store-worker.cjs' : './store/worker.ts'),
  snapshotMain: beside(bundled ? './snapshot.cjs' : './host/snapshot-main.ts'),
  prelude: beside(bundled ? './prelude.js' : '../dist/prelude.js'),
};

export interface Runtime {
  readonly log: Log;
  /** Stops everything in order. */
  stop(): Promise<void>;
}

/** Starts the runtime. Rejects with a Fault whose sentence says what is wrong and what to do. */
export async function startRuntime(
  config: Config,
  version: string,
  /** For `$edgeAgent`'s RestartModule of itself: ends this process and begins it again. */
  restartRuntime?: () => void,
): Promise<Runtime> {
  const clock: Clock = systemClock;
  const random = Math.random;
  const { log, hubLog, logFolder, logs } = openLogs(config, clock);
  log.info('isolet starts', { version, dataDir: config.dataDir, pid: process.pid });
  if (config.unhonoured.length > 0) {
    log.warn('keys of the config that have no effect here', { keys: config.unhonoured });
  }
  const prelude = readPrelude();
  const user = readHostUser(config, log);
  makeDataFolder(config.dataDir);
  const stopping = new AbortController();
  const deps = { clock, random, log, signal: stopping.signal };
  const cloud = await findCloud(config, deps, restartRuntime);

  const store = await openSqliteStore({
    dataDir: config.dataDir,
    workerMain: files.storeMain,
    log,
  });
  // Now the data folder is ours alone.
  logFolder.open();
  const upstream = await openUpstream(config, cloud, { clock, random, log: hubLog });
  const snapshots = createSnapshots({
    folder: join(config.dataDir, 'snapshot'),
    program: files.snapshotMain,
    prelude,
    clock,
    log,
  });
  const host = createModuleHost({
    hostMain: files.hostMain,
    prelude,
    snapshots,
    user,
    keepOut: [config.dataDir],
    allowed: config.policy.binds,
    simulated: config.simulatedDevices,
    cells: openCells(log),
    clock,
    log,
    settings: config.host,
  });
  const supervisor = await startSupervisor({
    store,
    shelf: createBlobFolder(join(config.dataDir, 'blobs'), STORE_SETTINGS.freeBytesMin),
    host,
    upstream: upstream.port,
    bundles: createBundles({
      dir: join(config.dataDir, 'bundles'),
      ...config.bundles,
      ...(config.trustBundle === undefined ? {} : { ca: config.trustBundle }),
      log,
      clock,
    }),
    clock,
    random,
    log,
    hubLog,
    logs,
    agentTools: () => loadAgentTools(config, { clock, random }, (wish) => makeBundle(wish)),
    ...(restartRuntime && { restartRuntime }),
    device: {
      id: cloud?.device.deviceId ?? 'standalone',
      hub: cloud?.device.hostName ?? '',
      version,
      architecture: process.arch,
      pid: process.pid,
    },
    moduleLimits: config.module,
    policy: config.policy,
    messages: config.messages,
    trial: config.trial,
  });
  const makeBundle: MakeBundle = (wish) => supportBundleOf(config, logFolder, supervisor, wish);
  const api = await openApiSocket(config.apiSocket, apiResources(supervisor, makeBundle));
  log.info('isolet runs', { tookMs: Math.round(process.uptime() * 1000) });

  return {
    log,
    async stop() {
      log.info('isolet stops');
      stopping.abort();
      await api.close();
      await supervisor.stop();
      await upstream.stop();
      await store.close();
      snapshots.stop();
      log.info('isolet has stopped');
      await logFolder.close();
    },
  };
}

/** What the runtime says goes to its output, and beside its modules' lines onto the disk. */
function openLogs(config: Config, clock: Clock) {
  const level = config.logLevel;
  const folder = createLogFolder(join(config.dataDir, 'logs'), config.logs, clock);
  const logs = createModuleLogs(folder, clock, createLog(level, clock.now));
  const own = (module: string): Log =>
    createLog(level, clock.now, (line, { message: text, fields, ...entry }) => {
      process.stdout.write(line);
      logs.keep({ ...entry, module, text, fields: fields as JsonObject });
    });
  return { log: own(AGENT_LOG), hubLog: own(HUB_LOG), logFolder: folder, logs };
}

/** Who this device is at its hub, and whom to ask when the hub says that it is not. */
type Cloud =
  | { readonly device: DeviceIdentity; readonly refused?: () => Promise<boolean> }
  | undefined;

/** At once, but for a device that has never reached its provisioning service: that takes as long as it takes. */
async function findCloud(
  { provisioning, trustBundle, cloudMs, dataDir }: Config,
  deps: {
    readonly clock: Clock;
    readonly random: () => number;
    readonly log: Log;
    readonly signal: AbortSignal;
  },
  restartRuntime: (() => void) | undefined,
): Promise<Cloud> {
  if (provisioning.source === 'none') return undefined;
  if (provisioning.source === 'manual') return { device: provisioning.device };
  const { provision } = await import('./identity/provisioner.ts');
  const provisioner = await provision({
    ...deps,
    ...(trustBundle === undefined ? {} : { ca: trustBundle }),
    timeoutMs: cloudMs,
    login: provisioning,
    always: provisioning.reprovisioning === 'AlwaysOnStartup',
    dataDir,
  });
  void provisioner.moved.then(() => {
    deps.log.warn('this device belongs to another hub now: the runtime begins anew');
    restartRuntime?.();
  });
  return provisioner;
}

/** Whom module hosts run as: nobody who owns anything here, if we are free to choose. */
function readHostUser(config: Config, log: Log): HostUser | undefined {
  const choice = hostUserHere(config.hostUser);
  if (!choice.ok) throw new Fault('CONFIG_INVALID', choice.problem);
  const { user } = choice;
  if (user === undefined) return undefined;
  const closed = closedTo(user, [process.execPath, files.hostMain]);
  if (closed === undefined) return user;
  // Below /root, say. Whoever has named a user may have opened it in a way we do not see.
  const stays = config.hostUser === undefined;
  log.warn(
    `the user ${user.name} may not read isolet's program; ${stays ? 'module hosts run as root' : 'module hosts may not start'}: install it where everybody can`,
    { closed },
  );
  return stays ? undefined : user;
}

/** The kernel holds module hosts to their memory, if it may; their handle looks at it in any case. */
function openCells(log: Log): HostCells | undefined {
  const self = kernelFiles.read('/proc/self/cgroup') ?? '';
  const found = openHostCells({ files: kernelFiles, self, pid: process.pid, log });
  if (found.ok) log.info('module hosts have control groups of their own', { in: found.folder });
  else
    log.info('the memory of module hosts is looked at, the kernel does not hold it', {
      why: found.why,
    });
  return found.ok ? found.cells : undefined;
}

/** The cloud's rooms are loaded only when there is a cloud: the Azure SDK alone costs 35 MB. */
async function openUpstream(
  config: Config,
  cloud: Cloud,
  deps: { readonly clock: Clock; readonly random: () => number; readonly log: Log },
): Promise<{ readonly port: Upstream; stop(): Promise<void> }> {
  if (cloud === undefined) return { port: createStandaloneUpstream(), async stop() {} };
  const { createHubIdentities } = await import('./identity/hub-identities.ts');
  const { createIotHubUpstream } = await import('./upstream/iothub-upstream.ts');
  const ca = config.trustBundle === undefined ? {} : { ca: config.trustBundle };
  const identities = createHubIdentities({
    device: cloud.device,
    ...(cloud.refused && { refused: cloud.refused }),
    settings: { callMs: config.cloudMs },
    dataDir: config.dataDir,
    ...ca,
    ...deps,
  });
  return {
    port: createIotHubUpstream({ identities, ...ca, ...deps }),
    stop: () => identities.stop(),
  };
}

function makeDataFolder(dataDir: string): void {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new Fault(
      'DATA_FOLDER_UNUSABLE',
      `the data folder ${dataDir} cannot be made (${(cause as NodeJS.ErrnoException).code}): set isolet.data_dir to a folder that can`,
      { cause },
    );
  }
}

function readPrelude(): string {
  try {
    return readFileSync(files.prelude, 'utf8');
  } catch (cause) {
    throw new Fault(
      'CONFIG_INVALID',
      `the guest platform ${files.prelude} is not built: run "npm run build"`,
      { cause },
    );
  }
}

function beside(path: string): string {
  return fileURLToPath(new URL(path, import.meta.url));
}
