/** `$edgeAgent`'s reported properties, in IoT Edge's shape (spec/iotedge.md §2). */
import type { Deployment, DesiredStatus, ModuleSpec } from './deployment.ts';
import { shortened } from './deployment.ts';
import type { Json, JsonObject } from './json.ts';
import { maskedEnv, maskedModule, maskedOptions } from './masked.ts';
import { STARTUP_ORDER_LAST } from './module-spec.ts';
import {
  type BundleState,
  type ModuleObservation,
  needsRestart,
  type Observation,
} from './plan.ts';
import { coolOffMs, RESTARTS_UNTIL_FAILED } from './restart-policy.ts';
import { restartReason } from './restart-reason.ts';

export type RuntimeStatus = 'unknown' | 'running' | 'stopped' | 'backoff' | 'failed';

export type RuntimeFacts = {
  readonly version: string;
  /** Node's name: `x64`, `arm64`. */
  readonly architecture: string;
};

const NEVER = '0001-01-01T00:00:00Z';
/** IoT Edge cuts long values into chunks of this many characters (spec/iotedge.md §1.2). */
const CHUNK_LENGTH = 512;

/** A module's runtimeStatus and the sentence beside it. */
export function moduleStatus(
  spec: ModuleSpec,
  module: ModuleObservation | undefined,
  bundle: BundleState | undefined,
): { readonly status: RuntimeStatus; readonly description: string } {
  const { state, statistics } = module ?? { state: 'idle' as const, statistics: undefined };
  const bundleProblem = bundle?.kind === 'failed' ? `its bundle: ${bundle.problem}` : undefined;
  const { problems } = spec.settings;
  const problem = problems.length > 0 ? problems.join('; ') : bundleProblem;
  switch (state) {
    case 'running':
      return { status: 'running', description: problem ?? runningText(spec, module) };
    case 'starting':
      return { status: 'running', description: 'starting' };
    case 'idle':
      if (spec.status === 'stopped') return { status: 'stopped', description: 'stopped' };
      if (problem !== undefined) return { status: 'failed', description: problem };
      return {
        status: 'unknown',
        description:
          bundle?.kind === 'ready' ? 'waits for those that start first' : 'waits for its bundle',
      };
    case 'stopping':
      return { status: 'running', description: 'stopping' };
    case 'ended':
      if (spec.status === 'running' && problems.length > 0) {
        return { status: 'failed', description: problems.join('; ') };
      }
      return endedStatus(spec, module as ModuleObservation, statistics?.exitReason ?? '');
  }
}

/** A version that runs may have another beside it, or one that failed to take over. */
function runningText(spec: ModuleSpec, module: ModuleObservation | undefined): string {
  if (module?.successor !== undefined) return 'running; its new version starts beside it';
  if (spec.rolledBack !== undefined) {
    return `running the last good version; the new one was given up: ${spec.rolledBack.reason}`;
  }
  if (spec.settings.readyMs !== undefined && module?.ready !== true) {
    return 'running; it has not said yet that it is ready';
  }
  const failed = module?.failedSuccessor;
  if (failed === undefined || needsRestart(failed.spec, spec)) return 'running';
  return `running; its new version failed and is tried again: ${failed.reason}`;
}

function endedStatus(
  spec: ModuleSpec,
  { endingCause, statistics }: ModuleObservation,
  reason: string,
): { readonly status: RuntimeStatus; readonly description: string } {
  if (endingCause === 'stopped' || spec.status === 'stopped') {
    return { status: 'stopped', description: 'stopped' };
  }
  const failed = statistics.exitCode !== 0;
  const starts = spec.restartPolicy === 'always' || (failed && spec.restartPolicy !== 'never');
  if (!starts) return { status: failed ? 'failed' : 'stopped', description: reason };
  const pauseS = Math.round(coolOffMs(statistics.restartCount) / 1000);
  return {
    status:
      endingCause !== 'refused' && statistics.restartCount < RESTARTS_UNTIL_FAILED
        ? 'backoff'
        : 'failed',
    description: `${reason.replace(/\.$/, '')}; starts again ${pauseS} s after it ended`,
  };
}

/** The whole reported section. Secrets (registry credentials) are never in it. */
export function agentReport(
  deployment: Deployment | undefined,
  last: { readonly version: number | undefined; readonly status: DesiredStatus },
  observed: Observation,
  facts: RuntimeFacts,
): JsonObject {
  const modules = [...(deployment?.modules.values() ?? [])].map((spec) => [
    spec.name,
    moduleReport(spec, observed.modules.get(spec.name), observed.bundles.get(spec.image)),
  ]);
  return {
    schemaVersion: '1.0',
    version: { version: facts.version, build: '', commit: '' },
    lastDesiredVersion: last.version ?? 0,
    lastDesiredStatus: { code: last.status.code, description: shortened(last.status.description) },
    runtime: {
      ...deployment?.runtime,
      platform: { os: 'linux', architecture: facts.architecture, version: facts.version },
    },
    systemModules: systemReport(deployment),
    modules: Object.fromEntries(modules),
  };
}

function moduleReport(
  spec: ModuleSpec,
  module: ModuleObservation | undefined,
  bundle: BundleState | undefined,
): JsonObject {
  const { status, description } = moduleStatus(spec, module, bundle);
  const statistics = module?.statistics;
  const cause = statistics?.exitCause;
  return {
    version: spec.version,
    type: spec.type,
    status: spec.status,
    restartPolicy: spec.restartPolicy,
    imagePullPolicy: spec.imagePullPolicy,
    ...(spec.startupOrder === STARTUP_ORDER_LAST ? {} : { startupOrder: spec.startupOrder }),
    settings: {
      image: spec.image,
      imageHash: /#(sha256)=([0-9a-f]+)(?=&|$)/i.exec(spec.image)?.slice(1, 3).join(':') ?? '',
      ...chunked(JSON.stringify(maskedOptions(spec.createOptions))),
    },
    env: maskedEnv(spec.env),
    ...(spec.settings.unhonoured.length > 0
      ? { unhonouredSettings: spec.settings.unhonoured }
      : {}),
    ...(spec.rolledBack === undefined ? {} : { rolledBack: rollbackReport(spec.rolledBack) }),
    // Ours as well: IoT Edge has only the sentence in statusDescription.
    ...(cause === undefined || cause === 'stopped' ? {} : { restartReason: restartReason(cause) }),
    exitCode: statistics?.exitCode ?? 0,
    statusDescription: description.slice(0, CHUNK_LENGTH),
    lastStartTimeUtc: time(statistics?.lastStartAtMs),
    lastExitTimeUtc: time(statistics?.lastExitAtMs),
    restartCount: statistics?.restartCount ?? 0,
    lastRestartTimeUtc: time(statistics?.lastRestartAtMs),
    runtimeStatus: status,
  };
}

/** What the deployment asks for and why it does not run; all the rest tells of what does. */
function rollbackReport(from: NonNullable<ModuleSpec['rolledBack']>): JsonObject {
  const { version, image, reason, atMs } = from;
  return { version, image, reason: reason.slice(0, CHUNK_LENGTH), timeUtc: time(atMs) };
}

/** The runtime is both system modules itself, and runs whenever it can say so. */
function systemReport(deployment: Deployment | undefined): JsonObject {
  const report = Object.entries(deployment?.systemModules ?? {}).map(([name, module]) => [
    name,
    {
      ...maskedModule(module as JsonObject),
      exitCode: 0,
      statusDescription: 'part of the runtime',
      runtimeStatus: 'running',
    },
  ]);
  return Object.fromEntries(report);
}

function chunked(text: string): JsonObject {
  const chunks: [string, Json][] = [];
  for (let at = 0; at < Math.max(1, text.length); at += CHUNK_LENGTH) {
    const number = at === 0 ? '' : String(at / CHUNK_LENGTH).padStart(2, '0');
    chunks.push([`createOptions${number}`, text.slice(at, at + CHUNK_LENGTH)]);
  }
  return Object.fromEntries(chunks);
}

function time(atMs: number | null | undefined): string {
  return atMs === null || atMs === undefined ? NEVER : new Date(atMs).toISOString();
}
