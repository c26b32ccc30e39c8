/**
 * The settings of one device: IoT Edge's config.toml, as far as it is needed, plus `[isolet]`.
 * Read once, all problems listed, unknown keys refused with a suggestion.
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse, TomlError } from 'smol-toml';
import { type BundleSettings, readBundleSettings } from './config-bundles.ts';
import { readHostLimits } from './config-host.ts';
import { checkKeys, type Table } from './config-keys.ts';
import { createPlaces, placed } from './config-places.ts';
import { type Provisioning, readProvisioning } from './config-provisioning.ts';
import type { SimulatedDevice } from './core/device-grant.ts';
import { Fault } from './core/fault.ts';
import type { JsonObject } from './core/json.ts';
import { defaultKeepLimits } from './core/kept.ts';
import { LOG_SETTINGS, type LogSettings } from './core/log-shelf.ts';
import { LOCAL_MESSAGE_BYTES_MAX } from './core/message.ts';
import { METRIC_LIMITS } from './core/own-metrics.ts';
import { type Policy, readPolicy } from './core/policy.ts';
import type { ModuleLimits } from './core/ports.ts';
import { readSimulatedDevices } from './core/simulated-devices.ts';
import { TRIAL_SETTINGS, type TrialSettings } from './core/trial.ts';
import type { HostLimits } from './host/host-settings.ts';
import type { LogLevelName } from './lib/log.ts';
import { MESSAGE_SETTINGS, type MessageSettings } from './supervisor/message-settings.ts';

export type Config = {
  /** Absolute path of the file itself. */
  readonly file: string;
  readonly provisioning: Provisioning;
  /** How long the hub may take to answer a call about identities. */
  readonly cloudMs: number;
  /** Keys that are IoT Edge's and have no effect here. */
  readonly unhonoured: readonly string[];
  /** PEM text of additional certificate authorities, undefined = the system's alone. */
  readonly trustBundle: string | undefined;
  /** Where everything that must survive lies. */
  readonly dataDir: string;
  /** Unix socket of the local API. */
  readonly apiSocket: string;
  readonly logLevel: LogLevelName;
  /** What is kept of the log lines of modules, and of our own. */
  readonly logs: LogSettings;
  /** Whom module hosts run as when we are root; undefined = isolet, else nobody. */
  readonly hostUser: string | undefined;
  /** Devices the runtime plays itself, by path. */
  readonly simulatedDevices: Readonly<Record<string, SimulatedDevice>>;
  /** Limits of a module that sets none of its own. */
  readonly module: ModuleLimits;
  readonly messages: MessageSettings;
  readonly trial: TrialSettings;
  /** Limits of what modules do over the network, and with devices. */
  readonly host: HostLimits;
  /** What deployments may grant to modules here. */
  readonly policy: Policy;
  readonly bundles: BundleSettings;
};

const levels: readonly LogLevelName[] = ['debug', 'info', 'warn', 'error'];
const KB = 1_024;
const MB = 1_048_576;
/** Linux: sun_path holds 108 bytes, one of them the end. */
const SOCKET_PATH_BYTES_MAX = 107;

/** Ours, or that of an IoT Edge that was here before. */
export function defaultConfigFile(): string {
  const [ours, theirs] = ['/etc/isolet/config.toml', '/etc/aziot/config.toml'] as const;
  return !existsSync(ours) && existsSync(theirs) ? theirs : ours;
}

/** Reads a config file. Throws CONFIG_INVALID with every problem, one per line. */
export function readConfig(file: string): Config {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new Fault(
      'CONFIG_INVALID',
      `the config file ${file} cannot be read (${(cause as NodeJS.ErrnoException).code}): name another with --config`,
      { cause },
    );
  }
  return parseConfig(text, resolve(file));
}

/** The same from text; `file` names it in errors, and relative paths start from its folder. `nowMs`: certificates end. */
export function parseConfig(text: string, file: string, nowMs = Date.now()): Config {
  let table: Table;
  try {
    table = parse(text);
  } catch (cause) {
    throw notToml(cause, file);
  }
  const problems: string[] = [];
  const unhonoured = checkKeys(table, problems);
  const folder = dirname(file);
  const isolet = section(table, 'isolet');
  const limits = section(isolet, 'module');
  const dataDir = resolve(folder, textOr(isolet['data_dir'], '/var/lib/isolet'));
  const apiSocket = resolve(folder, textOr(isolet['api_socket'], `${dataDir}/api.sock`));
  if (Buffer.byteLength(apiSocket) > SOCKET_PATH_BYTES_MAX) {
    problems.push(
      `isolet.api_socket: ${apiSocket} is longer than ${SOCKET_PATH_BYTES_MAX} bytes, more than Linux takes: set a shorter one`,
    );
  }
  const logLevel = textOr(isolet['log_level'], 'info') as LogLevelName;
  if (!levels.includes(logLevel)) {
    problems.push(`isolet.log_level must be one of ${levels.join(', ')}; it is "${logLevel}"`);
  }
  const config: Config = {
    file,
    provisioning: readProvisioning(table, { folder, nowMs }, problems),
    cloudMs: countOr(table['cloud_timeout_sec'], 20) * 1_000,
    unhonoured,
    trustBundle: readTrustBundle(table['trust_bundle_cert'], folder, problems),
    dataDir,
    apiSocket,
    logLevel,
    logs: readLogs(section(isolet, 'logs')),
    hostUser: typeof isolet['host_user'] === 'string' ? isolet['host_user'] : undefined,
    simulatedDevices: readSimulatedDevices(
      section(isolet, 'simulated_devices') as JsonObject,
      'isolet.simulated_devices',
      problems,
    ),
    module: readModuleLimits(limits),
    messages: readMessages(section(isolet, 'messages'), problems),
    trial: readTrial(section(isolet, 'trial')),
    host: readHostLimits({
      fetch: section(isolet, 'fetch'),
      httpServer: section(isolet, 'http_server'),
      devices: section(isolet, 'devices'),
    }),
    policy: readPolicy(section(isolet, 'policy'), 'isolet.policy', problems),
    bundles: readBundleSettings(section(isolet, 'bundles'), 'isolet.bundles', problems),
  };
  if (problems.length > 0) {
    const sentences = [...new Set(problems)].map(placed(file, createPlaces(text)));
    throw new Fault('CONFIG_INVALID', `the config cannot be used:\n${sentences.join('\n')}`);
  }
  return config;
}

/** The parser's own message shows the lines around, which may hold a key. */
function notToml(cause: unknown, file: string): Fault {
  const where = cause instanceof TomlError ? `:${cause.line}:${cause.column}` : '';
  const what = (cause as Error).message.split('\n')[0]?.replace(/^.*?: /, '');
  return new Fault('CONFIG_INVALID', `${file}${where}: it is not valid TOML: ${what}`);
}

/** docs/limits.md has the reasons for the defaults. */
function readModuleLimits(table: Table): ModuleLimits {
  return {
    heapMb: countOr(table['heap_mb'], 32),
    startMs: countOr(table['start_ms'], 5_000),
    turnMs: countOr(table['turn_ms'], 2_000),
    cpuShare: countOr(table['cpu_percent'], 100) / 100,
    messagesPerSecond: countOr(table['messages_per_second'], 20_000),
    logLinesPerSecond: countOr(table['log_lines_per_second'], 1_000),
    outstandingRequestsMax: countOr(table['outstanding_requests'], 32_768),
    keptBytesMax: countOr(table['kept_mb'], defaultKeepLimits.keptBytesMax / MB) * MB,
    keptCountMax: countOr(table['kept_keys'], defaultKeepLimits.keptCountMax),
    blobBytesMax: countOr(table['blob_mb'], defaultKeepLimits.blobBytesMax / MB) * MB,
    blobCountMax: countOr(table['blob_count'], defaultKeepLimits.blobCountMax),
    metricSeriesMax: countOr(table['metric_series'], METRIC_LIMITS.seriesMax),
  };
}

function readTrial(table: Table): TrialSettings {
  return {
    periodMs: countOr(table['seconds'], TRIAL_SETTINGS.periodMs / 1_000) * 1_000,
    failuresMax: countOr(table['failures_max'], TRIAL_SETTINGS.failuresMax),
  };
}

function readMessages(table: Table, problems: string[]): MessageSettings {
  const { router, queue, pump, deadLetters } = MESSAGE_SETTINGS;
  const { store } = queue;
  const unrouted = textOr(table['unrouted'], router.unrouted);
  if (unrouted !== 'error' && unrouted !== 'drop') {
    problems.push(`isolet.messages.unrouted must be "error" or "drop", it is "${unrouted}"`);
  }
  const localBytesMax = countOr(table['local_kb'], router.localBytesMax / KB) * KB;
  if (localBytesMax > LOCAL_MESSAGE_BYTES_MAX) {
    problems.push(`isolet.messages.local_kb must be at most ${LOCAL_MESSAGE_BYTES_MAX / KB}`);
  }
  return {
    router: { localBytesMax, unrouted: unrouted === 'drop' ? 'drop' : 'error' },
    queue: {
      ...queue,
      store: {
        countMax: countOr(table['waiting_max'], store.countMax),
        bytesMax: countOr(table['waiting_mb'], store.bytesMax / MB) * MB,
        endpointCountMax: countOr(table['endpoint_waiting_max'], store.endpointCountMax),
        endpointBytesMax: countOr(table['endpoint_waiting_mb'], store.endpointBytesMax / MB) * MB,
      },
    },
    pump: {
      ...pump,
      attemptsMax: countOr(table['attempts_max'], pump.attemptsMax),
      crashesMax: countOr(table['crashes_max'], pump.crashesMax),
    },
    deadLetters: {
      countMax: countOr(table['dead_letters_max'], deadLetters.countMax),
      bytesMax: countOr(table['dead_letters_mb'], deadLetters.bytesMax / MB) * MB,
    },
  };
}

function readLogs(table: Table): LogSettings {
  const { fileBytesMax, filesMax, totalBytesMax, flushMs } = LOG_SETTINGS;
  return {
    ...LOG_SETTINGS,
    fileBytesMax: countOr(table['file_kb'], fileBytesMax / KB) * KB,
    filesMax: countOr(table['files_max'], filesMax),
    totalBytesMax: countOr(table['total_mb'], totalBytesMax / MB) * MB,
    flushMs: countOr(table['flush_ms'], flushMs),
  };
}

function readTrustBundle(value: unknown, folder: string, problems: string[]): string | undefined {
  if (typeof value !== 'string') return undefined;
  const path = value.startsWith('file://') ? fileURLToPath(value) : resolve(folder, value);
  try {
    const pem = readFileSync(path, 'utf8');
    if (pem.includes('-----BEGIN CERTIFICATE-----')) return pem;
    problems.push(`trust_bundle_cert: ${path} holds no PEM certificate`);
  } catch (cause) {
    problems.push(
      `trust_bundle_cert: ${path} cannot be read (${(cause as NodeJS.ErrnoException).code})`,
    );
  }
  return undefined;
}

function section(table: Table, name: string): Table {
  const value = table[name];
  return typeof value === 'object' && value !== null ? (value as Table) : {};
}

function textOr(value: unknown, fallback: string): string {
  return typeof value === 'string' ? value : fallback;
}

function countOr(value: unknown, fallback: number): number {
  return typeof value === 'number' ? value : fallback;
}
