/** One module of a deployment (spec/iotedge.md §1.1): what is said of it, read with all problems told. */
import { type ModuleSettings, readCreateOptions } from './create-options.ts';
import { type Findings, knownFields, shortened, shown } from './findings.ts';
import { isJsonObject, type Json, type JsonObject } from './json.ts';
import { jsonFaultAt } from './json-fault.ts';
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
  /** This is the last good version of it; the one the deployment asks for was given up (core/trial.ts). */
  readonly rolledBack?: {
    readonly version: string;
    readonly image: string;
    readonly reason: string;
    readonly atMs: number;
  };
};

export const STARTUP_ORDER_LAST = 4_294_967_295;

const FIELDS = [
  'version',
  'type',
  'status',
  'restartPolicy',
  'startupOrder',
  'imagePullPolicy',
  'settings',
  'env',
];
const SETTINGS = ['image', 'createOptions', 'digest'];
const CREATE_OPTIONS = /^createOptions[0-9]*$/i;
const IMAGE_LENGTH_MAX = 2_048;

/** Undefined when there is nothing to read; what is wrong is told in any case. Never throws. */
export function readModule(
  name: ModuleName,
  value: Json,
  findings: Findings,
): ModuleSpec | undefined {
  const { problems } = findings;
  const path = `modules.${shortened(name)}`;
  if (!/^[a-zA-Z0-9_-]{1,128}$/.test(name) || name === '__proto__') {
    problems.push(`${path}: a module name has letters, digits, "_" and "-" only, at most 128`);
  }
  if (/^edge(agent|hub)$/i.test(name)) {
    problems.push(`${path}: this name is the runtime's own, its place is in systemModules`);
  }
  if (!isJsonObject(value)) {
    problems.push(`${path} must be an object`);
    return undefined;
  }
  const module = knownFields(value, FIELDS, path, findings);
  const settings = readSettings(module['settings'], `${path}.settings`, findings);
  const type = module['type'];
  if (typeof type !== 'string' || type.toLowerCase() !== 'docker') {
    problems.push(`${path}.type must be "docker", it is ${shown(type)}`);
  }
  return {
    name,
    version: readVersion(module['version'], `${path}.version`, problems),
    type: 'docker',
    status: oneOf(module['status'], ['running', 'stopped'], undefined, `${path}.status`, problems),
    restartPolicy: oneOf(
      module['restartPolicy'],
      restartPolicies,
      'on-unhealthy',
      `${path}.restartPolicy`,
      problems,
    ),
    imagePullPolicy: oneOf(
      module['imagePullPolicy'],
      ['on-create', 'never'],
      'on-create',
      `${path}.imagePullPolicy`,
      problems,
    ),
    startupOrder: readOrder(module['startupOrder'], `${path}.startupOrder`, problems),
    ...settings,
    env: readEnv(module['env'], `${path}.env`, problems),
  };
}

function readSettings(
  value: Json | undefined,
  path: string,
  findings: Findings,
): Pick<ModuleSpec, 'image' | 'createOptions' | 'settings'> {
  const { problems, notices } = findings;
  if (!isJsonObject(value)) {
    problems.push(`${path} must be an object with "image", it is ${isMissing(value)}`);
    return { image: '', createOptions: {}, settings: readCreateOptions({}, path) };
  }
  const [chunks, others] = [true, false].map((wanted) =>
    Object.fromEntries(
      Object.entries(value).filter(([key]) => CREATE_OPTIONS.test(key) === wanted),
    ),
  ) as [JsonObject, JsonObject];
  const settings = knownFields(others, SETTINGS, path, findings);
  if (settings['digest'] !== undefined && settings['digest'] !== null) {
    notices.push(`${path}.digest has no meaning here: a bundle's digest stands in its image`);
  }
  const createOptions = readChunked(chunks, path, problems);
  return {
    image: readImage(settings['image'], `${path}.image`, problems),
    createOptions,
    settings: readCreateOptions(createOptions, `${path}.createOptions`),
  };
}

/** What kinds of image there are is known elsewhere; this much holds for each. */
function readImage(value: Json | undefined, path: string, problems: string[]): string {
  const image = typeof value === 'string' ? value.trim() : '';
  if (image === '') problems.push(`${path} must name the module's bundle`);
  else if (image.length > IMAGE_LENGTH_MAX) {
    problems.push(`${path} has ${image.length} characters: ${IMAGE_LENGTH_MAX} is the most`);
  } else if (/\p{Cc}/u.test(image)) {
    problems.push(`${path} must not have ends of lines or other control characters in it`);
  }
  return image;
}

function readVersion(value: Json | undefined, path: string, problems: string[]): string {
  if (value === undefined || value === null) return '';
  if (typeof value !== 'object') return String(value);
  problems.push(`${path} must be a text`);
  return '';
}

function isMissing(value: Json | undefined): string {
  return value === undefined ? 'missing' : 'something else';
}

/** createOptions, createOptions01 … are one JSON text cut into chunks (spec/iotedge.md §1.2). */
function readChunked(settings: JsonObject, path: string, problems: string[]): JsonObject {
  const keys = Object.keys(settings)
    .filter((key) => /^createOptions[0-9]*$/i.test(key))
    .sort();
  const first = keys[0] === undefined ? undefined : settings[keys[0]];
  if (first === undefined || (first === null && keys.length === 1)) return {};
  if (isJsonObject(first) && keys.length === 1) return first;
  const wrong = keys.filter((key) => typeof settings[key] !== 'string');
  if (wrong.length > 0) {
    problems.push(`${path}.${wrong.join(`, ${path}.`)} must be a text with JSON in it`);
    return {};
  }
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
  const faultAt = jsonFaultAt(text);
  if (faultAt === undefined) {
    const parsed: unknown = JSON.parse(text);
    if (parsed === null) return {};
    if (isJsonObject(parsed)) return parsed;
    problems.push(`${path}.createOptions must hold a JSON object`);
  } else {
    // Without the text itself: passwords may stand in it.
    problems.push(
      `${path}.createOptions is not JSON: see character ${faultAt} of ${text.length} (it is JSON within a text: quotes in it are written \\")`,
    );
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
    if (name === '' || /[=\0]/.test(name)) {
      problems.push(`${path}: the name of a variable is neither empty nor has it a "=" in it`);
    }
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
  const found = allowed.find((one) => typeof value === 'string' && one === value.toLowerCase());
  if (found !== undefined) return found;
  problems.push(`${path} must be one of ${allowed.join(', ')}; it is ${shown(value)}`);
  return fallback ?? (allowed[0] as T);
}
