/**
 * The settings of one device: IoT Edge's config.toml, as far as it is needed, plus `[isolet]`.
 * Read once, all problems listed, unknown keys refused with a suggestion.
 */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'smol-toml';
import type { SimulatedDevice } from './core/device-grant.ts';
import { Fault } from './core/fault.ts';
import type { JsonObject } from './core/json.ts';
import { defaultKeepLimits } from './core/kept.ts';
import { LOG_SETTINGS, type LogSettings } from './core/log-shelf.ts';
import { LOCAL_MESSAGE_BYTES_MAX } from './core/message.ts';
import { nearest } from './core/nearest.ts';
import { METRIC_LIMITS } from './core/own-metrics.ts';
import { type Policy, readPolicy } from './core/policy.ts';
import type { ModuleLimits } from './core/ports.ts';
import { readSimulatedDevices } from './core/simulated-devices.ts';
import { defaultHostSettings, type FetchLimits } from './host/host-settings.ts';
import type { LogLevelName } from './lib/log.ts';
import { MESSAGE_SETTINGS, type MessageSettings } from './supervisor/message-settings.ts';

export type Config = {
  /** Absolute path of the file itself. */
  readonly file: string;
  /** How the device is provisioned; `none` = it works without a cloud. */
  readonly provisioning:
    | { readonly source: 'manual'; readonly connectionString: string }
    | { readonly source: 'none' };
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
  /** Limits of what modules do over the network. */
  readonly fetch: FetchLimits;
  /** What deployments may grant to modules here. */
  readonly policy: Policy;
};

type Table = Readonly<Record<string, unknown>>;
/** `devices`: a table src/core/simulated-devices.ts reads. */
type Known = { readonly [key: string]: 'text' | 'texts' | 'count' | 'devices' | Known };

/** Every key there is. */
const known: Known = {
  hostname: 'text',
  trust_bundle_cert: 'text',
  provisioning: { source: 'text', connection_string: 'text' },
  isolet: {
    data_dir: 'text',
    api_socket: 'text',
    log_level: 'text',
    host_user: 'text',
    simulated_devices: 'devices',
    module: {
      heap_mb: 'count',
      start_ms: 'count',
      turn_ms: 'count',
      cpu_percent: 'count',
      messages_per_second: 'count',
      log_lines_per_second: 'count',
      outstanding_requests: 'count',
      kept_mb: 'count',
      kept_keys: 'count',
      blob_mb: 'count',
      blob_count: 'count',
      metric_series: 'count',
    },
    policy: {
      binds: 'texts',
      devices: 'texts',
      network: 'texts',
      ports: 'texts',
      memory_mb_max: 'count',
    },
    messages: {
      waiting_max: 'count',
      waiting_mb: 'count',
      endpoint_waiting_max: 'count',
      endpoint_waiting_mb: 'count',
      attempts_max: 'count',
      crashes_max: 'count',
      dead_letters_max: 'count',
      dead_letters_mb: 'count',
      local_kb: 'count',
      unrouted: 'text',
    },
    logs: {
      file_kb: 'count',
      files_max: 'count',
      total_mb: 'count',
      flush_ms: 'count',
    },
    fetch: {
      time_ms: 'count',
      at_once_max: 'count',
      response_kb: 'count',
      header_kb: 'count',
      sockets_max: 'count',
    },
  },
};

const levels: readonly LogLevelName[] = ['debug', 'info', 'warn', 'error'];
const KB = 1_024;
const MB = 1_048_576;
/** Linux: sun_path holds 108 bytes, one of them the end. */
const SOCKET_PATH_BYTES_MAX = 107;

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

/** The same from text; `file` names it in errors, and relative paths start from its folder. */
export function parseConfig(text: string, file: string): Config {
  let table: Table;
  try {
    table = parse(text);
  } catch (cause) {
    throw new Fault('CONFIG_INVALID', `${file} is not valid TOML: ${(cause as Error).message}`, {
      cause,
    });
  }
  const problems: string[] = [];
  checkKeys(table, known, '', problems);
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
    provisioning: readProvisioning(section(table, 'provisioning'), problems),
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
    fetch: readFetch(section(isolet, 'fetch')),
    policy: readPolicy(section(isolet, 'policy'), 'isolet.policy', problems),
  };
  if (problems.length > 0) {
    throw new Fault('CONFIG_INVALID', `${file}:\n${problems.map((p) => `  ${p}`).join('\n')}`);
  }
  return config;
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

function readFetch(table: Table): FetchLimits {
  const { fetchMs, fetchesMax, fetchResponseBytesMax, fetchHeaderBytesMax, webSocketsMax } =
    defaultHostSettings;
  return {
    fetchMs: countOr(table['time_ms'], fetchMs),
    fetchesMax: countOr(table['at_once_max'], fetchesMax),
    fetchResponseBytesMax: countOr(table['response_kb'], fetchResponseBytesMax / KB) * KB,
    fetchHeaderBytesMax: countOr(table['header_kb'], fetchHeaderBytesMax / KB) * KB,
    webSocketsMax: countOr(table['sockets_max'], webSocketsMax),
  };
}

function readProvisioning(table: Table, problems: string[]): Config['provisioning'] {
  const source = table['source'];
  if (source === 'none') return { source: 'none' };
  if (source !== 'manual') {
    problems.push(
      `provisioning.source must be "manual" (with connection_string) or "none", it is ${source === undefined ? 'missing' : JSON.stringify(source)}`,
    );
    return { source: 'none' };
  }
  const connectionString = table['connection_string'];
  if (typeof connectionString === 'string') return { source: 'manual', connectionString };
  problems.push('provisioning.connection_string is missing: copy it from your hub');
  return { source: 'none' };
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

function checkKeys(table: Table, shape: Known, path: string, problems: string[]): void {
  for (const [key, value] of Object.entries(table)) {
    const at = `${path}${key}`;
    const kind = Object.hasOwn(shape, key) ? shape[key] : undefined;
    if (kind === undefined) {
      const near = nearest(key, Object.keys(shape));
      problems.push(`${at} is not known${near === undefined ? '' : `: did you mean ${near}?`}`);
    } else if (kind === 'text') {
      if (typeof value !== 'string') problems.push(`${at} must be text in quotes`);
    } else if (kind === 'texts') {
      if (!Array.isArray(value)) problems.push(`${at} must be a list of texts: ["…"]`);
    } else if (kind === 'count') {
      if (!Number.isInteger(value) || (value as number) <= 0) {
        problems.push(`${at} must be a whole number above 0`);
      }
    } else if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      if (kind !== 'devices') checkKeys(value as Table, kind, `${at}.`, problems);
    } else {
      problems.push(`${at} must be a table: [${at}]`);
    }
  }
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
