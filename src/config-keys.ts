/** Every key a config file may hold: ours, and all that IoT Edge's template has (spec/iotedge.md §12.1). */
import { nearest } from './core/nearest.ts';

export type Table = Readonly<Record<string, unknown>>;

/**
 * What a key holds. `devices`: a table src/core/simulated-devices.ts reads. `key`: `{ value }` or `{ uri }`.
 * `certificate`: a URI; IoT Edge also takes a table that says how to get one. `moot`: whatever it says is
 * so here anyway. `unhonoured`: IoT Edge's, without an effect here; listed, never an error.
 */
type Kind =
  | 'text'
  | 'texts'
  | 'count'
  | 'flag'
  | 'devices'
  | 'key'
  | 'certificate'
  | 'moot'
  | 'unhonoured';
type Known = { readonly [key: string]: Kind | Known };

const known: Known = {
  hostname: 'text',
  trust_bundle_cert: 'text',
  auto_reprovisioning_mode: 'text',
  cloud_timeout_sec: 'count',
  cloud_retries: 'moot',
  prefer_module_identity_cache: 'moot',
  allow_elevated_docker_permissions: 'moot',
  provisioning: {
    source: 'text',
    connection_string: 'text',
    iothub_hostname: 'text',
    device_id: 'text',
    authentication: {
      method: 'text',
      device_id_pk: 'key',
      identity_cert: 'certificate',
      identity_pk: 'certificate',
    },
    global_endpoint: 'text',
    id_scope: 'text',
    payload: 'key',
    always_reprovision_on_startup: 'moot',
    attestation: {
      method: 'text',
      registration_id: 'text',
      symmetric_key: 'key',
      identity_cert: 'certificate',
      identity_pk: 'certificate',
    },
  },
  parent_hostname: 'unhonoured',
  imported_master_encryption_key: 'unhonoured',
  manifest_trust_bundle_cert: 'unhonoured',
  additional_info: 'unhonoured',
  cert_issuance: 'unhonoured',
  tpm: 'unhonoured',
  aziot_keys: 'unhonoured',
  preloaded_keys: 'unhonoured',
  preloaded_certs: 'unhonoured',
  aziot_max_requests: 'unhonoured',
  agent: 'unhonoured',
  connect: 'unhonoured',
  listen: 'unhonoured',
  watchdog: 'unhonoured',
  edge_ca: 'unhonoured',
  image_garbage_collection: 'unhonoured',
  moby_runtime: 'unhonoured',
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
    trial: {
      seconds: 'count',
      failures_max: 'count',
    },
    logs: {
      file_kb: 'count',
      files_max: 'count',
      total_mb: 'count',
      flush_ms: 'count',
    },
    bundles: {
      insecure_registries: 'texts',
      trusted_keys: 'texts',
      require_signature: 'flag',
    },
    fetch: {
      time_ms: 'count',
      at_once_max: 'count',
      response_kb: 'count',
      header_kb: 'count',
      sockets_max: 'count',
    },
    http_server: {
      body_kb: 'count',
      bodies_kb: 'count',
      header_kb: 'count',
      at_once_max: 'count',
      connections_max: 'count',
      answer_ms: 'count',
      headers_ms: 'count',
      request_ms: 'count',
      idle_ms: 'count',
      stall_ms: 'count',
    },
    devices: {
      open_max: 'count',
      i2c_bytes: 'count',
      spi_bytes: 'count',
      spi_ms: 'count',
      serial_kb: 'count',
      edges_per_second: 'count',
    },
  },
};

/**
 * Appends what is wrong with the keys of a table, all of it, each with a suggestion where there is one.
 * @returns the paths of keys that are IoT Edge's and have no effect here.
 */
export function checkKeys(table: Table, problems: string[]): readonly string[] {
  return check(table, known, '', problems);
}

function check(table: Table, shape: Known, path: string, problems: string[]): readonly string[] {
  return Object.entries(table).flatMap(([key, value]) => {
    const at = `${path}${key}`;
    const kind = Object.hasOwn(shape, key) ? shape[key] : undefined;
    if (kind === undefined) {
      const near = nearest(key, Object.keys(shape));
      problems.push(`${at} is not known${near === undefined ? '' : `: did you mean ${near}?`}`);
      return [];
    }
    if (kind === 'unhonoured') return [at];
    if (typeof kind === 'string') {
      const problem = kinds[kind](value);
      if (problem !== undefined) problems.push(`${at} must be ${problem.replace('…', at)}`);
      return [];
    }
    if (isTable(value)) return check(value, kind, `${at}.`, problems);
    problems.push(`${at} must be a table: [${at}]`);
    return [];
  });
}

/** What a value of each kind must be, when it is not. */
const kinds: Readonly<Record<Exclude<Kind, 'unhonoured'>, (value: unknown) => string | undefined>> =
  {
    text: (value) => (typeof value === 'string' ? undefined : 'text in quotes'),
    texts: (value) => (Array.isArray(value) ? undefined : 'a list of texts: ["…"]'),
    count: (value) =>
      Number.isInteger(value) && (value as number) > 0 ? undefined : 'a whole number above 0',
    flag: (value) => (typeof value === 'boolean' ? undefined : 'true or false'),
    devices: (value) => (isTable(value) ? undefined : 'a table: […]'),
    key: (value) =>
      isTable(value) && Object.keys(value).every((one) => one === 'value' || one === 'uri')
        ? undefined
        : '{ value = "…" } or { uri = "file:///…" }',
    certificate: (value) =>
      typeof value === 'string' || isTable(value) ? undefined : 'the URI of a file: "file:///…"',
    moot: () => undefined,
  };

export function isTable(value: unknown): value is Table {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
