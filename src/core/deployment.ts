/** `$edgeAgent`'s desired properties, parsed into a Deployment with all problems listed (spec/iotedge.md §1). */
import { type Findings, knownFields, noFindings, shown, told } from './findings.ts';
import { isJsonObject, type Json, type JsonObject } from './json.ts';
import type { ModuleName } from './message.ts';
import { type ModuleSpec, readModule } from './module-spec.ts';
import { type RegistryCredentials, readRegistryCredentials } from './registry-credentials.ts';

export type { ModuleSpec } from './module-spec.ts';

export type Deployment = {
  readonly modules: ReadonlyMap<ModuleName, ModuleSpec>;
  /** As written, without credentials: what the reported properties echo. */
  readonly runtime: JsonObject;
  readonly systemModules: JsonObject;
  /** Never told to anybody but the registries. */
  readonly credentials: RegistryCredentials;
  /** What is ignored of it, each with its path. */
  readonly notices: readonly string[];
};

/** IoT Edge's status codes for `lastDesiredStatus` (spec/iotedge.md §2). */
export type DesiredStatus = { readonly code: number; readonly description: string };

/** A twin's text holds 4 KB of UTF-8; what a person reads first comes first. */
const DESCRIPTION_LENGTH_MAX = 1_000;

/** Major 1, and no more than 1.1.0 (spec/iotedge.md §1.1). */
const SCHEMA_VERSION = /^1\.(0(\.\d+)?|1(\.0)?)$/;

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

/** Reads the desired section as it stands in the twin (`$version` and `$metadata` are ignored). */
export function parseDeployment(desired: JsonObject): ParsedDeployment {
  const keys = Object.keys(desired).filter((key) => !key.startsWith('$'));
  if (keys.length === 0) {
    return refused(417, [
      'This device has an empty configuration for the edge agent. Please set a deployment manifest.',
    ]);
  }
  const findings = noFindings();
  const section = knownFields(
    Object.fromEntries(keys.map((key) => [key, desired[key] as Json])),
    ['schemaVersion', 'runtime', 'systemModules', 'modules', 'integrity'],
    '',
    findings,
  );
  const version = section['schemaVersion'];
  if (typeof version !== 'string' || !SCHEMA_VERSION.test(version)) {
    return refused(412, [`schemaVersion must be "1.0" or "1.1", it is ${shown(version)}`]);
  }
  const { problems } = findings;
  const { runtime, credentials } = readRuntime(section['runtime'], problems);
  const systemModules = readSystemModules(section['systemModules'], problems);
  const modules = readModules(section['modules'], findings);
  if (problems.length > 0) return refused(400, told(problems), modules);
  return {
    ok: true,
    value: { modules, runtime, systemModules, credentials, notices: told(findings.notices) },
  };
}

function refused(
  code: number,
  problems: readonly string[],
  modules: ReadonlyMap<ModuleName, ModuleSpec> = new Map(),
): ParsedDeployment {
  return { ok: false, status: { code, description: problems.join('; ') }, problems, modules };
}

function readRuntime(
  value: Json | undefined,
  problems: string[],
): Pick<Deployment, 'runtime' | 'credentials'> {
  if (!isJsonObject(value)) {
    problems.push('runtime must be an object with "type": "docker"');
    return { runtime: {}, credentials: new Map() };
  }
  const { type } = value;
  if (typeof type !== 'string' || type.toLowerCase() !== 'docker') {
    problems.push(`runtime.type must be "docker", it is ${shown(type)}`);
  }
  const settings = isJsonObject(value['settings']) ? value['settings'] : {};
  // registryCredentials hold passwords; IoT Edge echoes them, we never do.
  const { registryCredentials, ...plain } = settings as Record<string, Json>;
  return {
    runtime: { type: 'docker', settings: plain },
    credentials: readRegistryCredentials(
      registryCredentials,
      'runtime.settings.registryCredentials',
      problems,
    ),
  };
}

/** The runtime is both of them itself: what is said of them is echoed, and need only have its form. */
function readSystemModules(value: Json | undefined, problems: string[]): JsonObject {
  if (!isJsonObject(value)) {
    problems.push('systemModules must be an object (edgeAgent and edgeHub may be left out of it)');
    return {};
  }
  for (const [name, module] of Object.entries(value)) {
    if (!isJsonObject(module)) problems.push(`systemModules.${name} must be an object`);
  }
  return value;
}

function readModules(
  value: Json | undefined,
  findings: Findings,
): ReadonlyMap<ModuleName, ModuleSpec> {
  const modules = new Map<ModuleName, ModuleSpec>();
  if (value === undefined) return modules;
  if (!isJsonObject(value)) {
    findings.problems.push('modules must be an object of modules by name');
    return modules;
  }
  const spellings = new Map<string, string>();
  for (const [name, module] of Object.entries(value)) {
    const other = spellings.get(name.toLowerCase());
    spellings.set(name.toLowerCase(), name);
    if (other !== undefined) {
      findings.problems.push(
        `modules.${name} differs from modules.${other} in case only: give it another name`,
      );
    }
    const spec = readModule(name, module, findings);
    if (spec !== undefined) modules.set(name, spec);
  }
  return modules;
}
