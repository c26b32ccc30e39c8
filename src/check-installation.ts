/** Is this installation sound? Modelled on `iotedge check`; each finding by itself. */
import { fileURLToPath } from 'node:url';
import { type Finding, fail, findingsText, ok, warn } from './check/finding.ts';
import { clockFinding, folderFindings, hubFinding } from './check/machine-findings.ts';
import { findSupervisor, type SupervisorFound } from './check/supervisor-finding.ts';
import type { CheckResult } from './check-deployment.ts';
import { type Config, readConfig } from './config.ts';
import type { Provisioning } from './config-provisioning.ts';
import { Fault } from './core/fault.ts';
import { kernelFiles } from './host/control-files.ts';
import { CELL_PREFIX, machineProblem } from './host/control-groups.ts';
import { closedTo, hostUserHere } from './host/host-user.ts';

const LIMIT_MS = 5_000;

export async function checkInstallation(configFile: string): Promise<CheckResult> {
  const findings = await findAll(configFile);
  const sound = findings.every(({ state }) => state !== 'fail');
  return { ok: sound, text: findingsText(findings), json: { ok: sound, findings } };
}

async function findAll(configFile: string): Promise<readonly Finding[]> {
  const { config, finding } = tryConfig(configFile);
  const sqlite = await trySqlite();
  const programs = [await isolatesFinding(), sqlite];
  if (config === undefined) return [finding, ...programs, clockFinding(Date.now(), false)];
  const { provisioning, dataDir, apiSocket } = config;
  const supervisor = await findSupervisor(apiSocket, LIMIT_MS);
  return [
    finding,
    hostUserFinding(config),
    ...programs,
    ...folderFindings(dataDir),
    ...(sqlite.state === 'ok' ? [await storeFinding(dataDir, supervisor.running)] : []),
    hostMemoryFinding(supervisor),
    clockFinding(Date.now(), provisioning.source !== 'none'),
    supervisor.finding,
    ...(provisioning.source === 'none'
      ? []
      : [await hubFinding(serviceOf(provisioning), LIMIT_MS)]),
  ];
}

/** Whom the device has to reach: its hub, or who tells it which that is. */
function serviceOf(provisioning: Exclude<Provisioning, { source: 'none' }>): string {
  if (provisioning.source === 'manual') return provisioning.device.hostName;
  const { endpoint } = provisioning;
  return endpoint.includes(':') ? endpoint : `${endpoint}:443`;
}

function tryConfig(file: string): { config: Config | undefined; finding: Finding } {
  try {
    const config = readConfig(file);
    const { unhonoured } = config;
    const finding =
      unhonoured.length === 0
        ? ok('config', `${file} is right`)
        : warn(
            'config',
            `${file} is right; these keys of IoT Edge's have no effect here: ${unhonoured.join(', ')}`,
          );
    return { config, finding };
  } catch (cause) {
    return { config: undefined, finding: fail('config', sentenceOf(cause)) };
  }
}

function hostUserFinding({ hostUser }: Config): Finding {
  const what = 'host user';
  const choice = hostUserHere(hostUser);
  if (!choice.ok) return fail(what, choice.problem);
  const { user } = choice;
  if (user === undefined) {
    return process.getuid?.() === 0
      ? warn(what, 'module hosts run as root: take isolet.host_user out of the config')
      : ok(what, 'module hosts run as the user isolet is started by');
  }
  const closed = closedTo(user, [process.execPath, fileURLToPath(import.meta.url)]);
  return closed === undefined
    ? ok(what, `module hosts run as ${user.name}`)
    : warn(
        what,
        `the user ${user.name} may not read ${closed}, so module hosts run as root: install isolet where everybody can read it`,
      );
}

/** Who holds module hosts to their memory: both ways are sound, the kernel's is quicker. */
function hostMemoryFinding({ running, hosts }: SupervisorFound): Finding {
  const what = 'host memory';
  const groups = hosts.map((pid) => kernelFiles.read(`/proc/${pid}/cgroup`) ?? '');
  if (groups.some((group) => group.includes(CELL_PREFIX))) {
    return ok(what, 'the kernel holds module hosts to it, in control groups of their own');
  }
  const looked = 'it is looked at every 100 ms';
  const problem = machineProblem(kernelFiles, kernelFiles.read('/proc/self/cgroup') ?? '');
  if (problem !== undefined) return ok(what, `${looked}: ${problem}`);
  return ok(
    what,
    running && hosts.length > 0
      ? `${looked}: start isolet as a service with Delegate=yes, and the kernel holds module hosts to it`
      : `the kernel can hold module hosts to it when isolet is a service with Delegate=yes; else ${looked}`,
  );
}

/** In the form it has in the modules' hosts. */
async function isolatesFinding(): Promise<Finding> {
  return await tryLoad('isolated-vm', async () => {
    (await import('./host/try-isolate.ts')).tryIsolate();
    return 'isolates run';
  });
}

async function trySqlite(): Promise<Finding> {
  return await tryLoad('better-sqlite3', async () => {
    return `SQLite ${(await import('./store/look-at-store.ts')).sqliteVersion()}`;
  });
}

async function tryLoad(what: string, load: () => Promise<string>): Promise<Finding> {
  try {
    return ok(what, await load());
  } catch (cause) {
    return fail(
      what,
      `it cannot be loaded (${(cause as Error).message.split('\n')[0]}): run "npm ci" again on this machine, with Node ${process.version}`,
    );
  }
}

async function storeFinding(dataDir: string, running: boolean): Promise<Finding> {
  if (running) return ok('store', 'the running Isolet has it open');
  const { lookAtStore } = await import('./store/look-at-store.ts');
  return { what: 'store', ...lookAtStore(dataDir) };
}

function sentenceOf(cause: unknown): string {
  if (cause instanceof Fault) return cause.message;
  throw cause;
}
