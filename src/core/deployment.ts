/** `$edgeAgent`'s desired properties, parsed into a Deployment with all problems listed (spec/iotedge.md §1). */
import { type ModuleSettings, readCreateOptions } from './create-options.ts';
import { isJsonObject, type Json, type JsonObject } from './json.ts';
import type { ModuleName } from './message.ts';
import { type RestartPolicy, restartPolicies } from './restart-policy.ts';

type ModuleStatus = 'running' | 'stopped';

/** One module as the deployment wants it. */
export type ModuleSpec = {
  readonly name: ModuleName;
  /** A label of the operator's; changing it restarts nothing. */
  readonly version: string;
  readonly type: string;
  readonly status: ModuleStatus;
  readonly restartPolicy: RestartPolicy;
  readonly imagePullPolicy: 'on-create' | 'never';
  /** 0 first; 4294967295 = last, the default. */
  readonly startupOrder: number;
  readonly image: string;
  readonly createOptions: JsonObject;
  readonly settings: ModuleSettings;
  readonly env: Readonly<Record<string, string>>;
};

export type Deployment = {
  readonly modules: ReadonlyMap<ModuleName, ModuleSpec>;
  /** As written, without credentials: what the reported properties echo. */
  readonly runtime: JsonObject;
  readonly systemModules: JsonObject;
};

/** IoT Edge's status codes for `lastDesiredStatus` (spec/iotedge.md §2). */
export type DesiredStatus = { readonly code: number; readonly description: string };

/** A twin's text holds 4 KB of UTF-8; what a person reads first comes first. */
const DESCRIPTION_LENGTH_MAX = 1_000;

export function shortened(description: string): string {
  return description.length > DESCRIPTION_LENGTH_MAX
    ? `${description.slice(0, DESCRIPTION_LENGTH_MAX)}…`
    : description;
}

export type ParsedDeployment =
  | { readonly ok: true; readonly value: Deployment }
  | {
      readonly ok: false;
      readonly status: DesiredStatus;
      readonly problems: readonly string[];
      /** Those that could be read all the same: for whoever wants to say more about them. */
      readonly modules: ReadonlyMap<ModuleName, ModuleSpec>;
    };

export const STARTUP_ORDER_LAST = 4_294_967_295;

/** Reads the desired section as it stands in the twin (`$version` and `$metadata` are ignored). */
export function parseDeployment(desired: JsonObject): ParsedDeployment {
  const keys = Object.keys(desired).filter((key) => !key.startsWith('$'));
  if (keys.length === 0) {
    return refused(417, [
      'This device has an empty configuration for the edge agent. Please set a deployment manifest.',
    ]);
  }
  const version = desired['schemaVersion'];
  if (typeof version !== 'string' || !/^1\.[01](\.0)?$/.test(version)) {
    return refused(412, [
      `schemaVersion must be "1.0" or "1.1", it is ${version === undefined ? 'missing' : JSON.stringify(version)}`,
    ]);
  }
  const problems: string[] = [];
  const runtime = readRuntime(desired['runtime'], problems);
  const systemModules = readSystemModules(desired['systemModules'], problems);
  const modules = readModules(desired['modules'], problems);
  return problems.length > 0
    ? refused(400, problems, modules)
    : { ok: true, value: { modules, runtime, systemModules } };
}

function refused(
  code: number,
  problems: readonly string[],
  modules: ReadonlyMap<ModuleName, ModuleSpec> = new Map(),
): ParsedDeployment {
  return { ok: false, status: { code, description: problems.join('; ') }, problems, modules };
}

function readRuntime(value: Json | undefined, problems: string[]): JsonObject {
  if (!isJsonObject(value)) {
    problems.push('runtime must be an object with "type": "docker"');
    return {};
  }
  if (String(value['type']).toLowerCase() !== 'docker') {
    problems.push(`runtime.type must be "docker", it is ${shown(value['type'])}`);
  }
  const settings = isJsonObject(value['settings']) ? value['settings'] : {};
  // registryCredentials hold passwords; IoT Edge echoes them, we never do.
  const { registryCredentials: _secret, ...plain } = settings as Record<string, Json>;
  return { type: 'docker', settings: plain };
}

function readSystemModules(value: Json | undefined, problems: string[]): JsonObject {
  if (isJsonObject(value)) return value;
  problems.push('systemModules must be an object (edgeAgent and edgeHub may be left out of it)');
  return {};
}

function readModules(
  value: Json | undefined,
  problems: string[],
): ReadonlyMap<ModuleName, ModuleSpec> {
  const modules = new Map<ModuleName, ModuleSpec>();
  if (value === undefined) return modules;
  if (!isJsonObject(value)) {
    problems.push('modules must be an object of modules by name');
    return modules;
  }
  for (const [name, module] of Object.entries(value)) {
    const spec = readModule(name, module, problems);
    if (spec !== undefined) modules.set(name, spec);
  }
  return modules;
}

function readModule(name: ModuleName, value: Json, problems: string[]): ModuleSpec | undefined {
  const path = `modules.${name}`;
  if (!/^[a-zA-Z0-9_-]{1,128}$/.test(name)) {
    problems.push(`${path}: a module name has letters, digits, "_" and "-" only, at most 128`);
  }
  if (!isJsonObject(value)) {
    problems.push(`${path} must be an object`);
    return undefined;
  }
  const settings = isJsonObject(value['settings']) ? value['settings'] : {};
  const image = settings['image'];
  if (typeof image !== 'string' || image.trim() === '') {
    problems.push(`${path}.settings.image must name the module's bundle`);
  }
  if (value['type'] !== 'docker') {
    problems.push(`${path}.type must be "docker", it is ${shown(value['type'])}`);
  }
  const createOptions = readChunked(settings, `${path}.settings`, problems);
  return {
    name,
    version: typeof value['version'] === 'string' ? value['version'] : '',
    type: 'docker',
    status: oneOf(value['status'], ['running', 'stopped'], undefined, `${path}.status`, problems),
    restartPolicy: oneOf(
      value['restartPolicy'],
      restartPolicies,
      'on-unhealthy',
      `${path}.restartPolicy`,
      problems,
    ),
    imagePullPolicy: oneOf(
      value['imagePullPolicy'],
      ['on-create', 'never'],
      'on-create',
      `${path}.imagePullPolicy`,
      problems,
    ),
    startupOrder: readOrder(value['startupOrder'], `${path}.startupOrder`, problems),
    image: typeof image === 'string' ? image.trim() : '',
    createOptions,
    settings: readCreateOptions(createOptions, `${path}.settings.createOptions`),
    env: readEnv(value['env'], `${path}.env`, problems),
  };
}

/** createOptions, createOptions01 … are one JSON text cut into chunks (spec/iotedge.md §1.2). */
function readChunked(settings: JsonObject, path: string, problems: string[]): JsonObject {
  const keys = Object.keys(settings)
    .filter((key) => /^createOptions[0-9]*$/i.test(key))
    .sort();
  const first = keys[0] === undefined ? undefined : settings[keys[0]];
  if (first === undefined || first === null) return {};
  if (isJsonObject(first) && keys.length === 1) return first;
  for (const [index, key] of keys.entries()) {
    const number = key.slice('createOptions'.length);
    if (index === 0 ? number !== '' : Number(number) !== index) {
      problems.push(
        `${path}: expected createOptions${index === 0 ? '' : String(index).padStart(2, '0')}, found ${key}`,
      );
      return {};
    }
  }
  const text = keys.map((key) => String(settings[key])).join('');
  if (text.trim() === '') return {};
  try {
    const parsed: unknown = JSON.parse(text);
    if (parsed === null) return {};
    if (isJsonObject(parsed)) return parsed;
    problems.push(`${path}.createOptions must hold a JSON object`);
  } catch (cause) {
    problems.push(`${path}.createOptions is not JSON: ${(cause as Error).message}`);
  }
  return {};
}

function readOrder(value: Json | undefined, path: string, problems: string[]): number {
  if (value === undefined) return STARTUP_ORDER_LAST;
  if (
    Number.isInteger(value) &&
    (value as number) >= 0 &&
    (value as number) <= STARTUP_ORDER_LAST
  ) {
    return value as number;
  }
  problems.push(
    `${path} must be a whole number from 0 to ${STARTUP_ORDER_LAST}, it is ${shown(value)}`,
  );
  return STARTUP_ORDER_LAST;
}

function readEnv(
  value: Json | undefined,
  path: string,
  problems: string[],
): Readonly<Record<string, string>> {
  if (value === undefined || value === null) return {};
  if (!isJsonObject(value)) {
    problems.push(`${path} must be an object of {"value": …} by name`);
    return {};
  }
  const env: [string, string][] = [];
  for (const [name, entry] of Object.entries(value)) {
    const text = isJsonObject(entry) ? entry['value'] : undefined;
    if (!isJsonObject(entry) || (typeof text === 'object' && text !== null)) {
      problems.push(`${path}.${name} must be {"value": "…"}`);
    } else {
      env.push([name, text === undefined || text === null ? '' : String(text)]);
    }
  }
  return Object.fromEntries(env);
}

/** `fallback` undefined = the field is required. */
function oneOf<T extends string>(
  value: Json | undefined,
  allowed: readonly T[],
  fallback: T | undefined,
  path: string,
  problems: string[],
): T {
  if (value === undefined && fallback !== undefined) return fallback;
  if (allowed.includes(value as T)) return value as T;
  problems.push(
    `${path} must be one of ${allowed.join(', ')}; it is ${value === undefined ? 'missing' : shown(value)}`,
  );
  return fallback ?? (allowed[0] as T);
}

function shown(value: Json | undefined): string {
  return value === undefined ? 'missing' : JSON.stringify(value);
}
