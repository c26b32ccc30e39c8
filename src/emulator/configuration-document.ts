/** A configuration: what many twins shall become, and which ones (spec/iothub.md §5.3, §5.6). Pure. */
import { isJsonObject, type Json, type JsonObject } from '../core/json.ts';
import { stripMetadata } from '../core/twin.ts';
import { HubError } from './hub-error.ts';
import { isValidId } from './identity-name.ts';
import type { QueryExpression } from './query-expression.ts';
import { parseCondition, parseQuery } from './query-parser.ts';
import { etagText } from './twin-document.ts';

/** Path → value: `properties.desired` is the whole section, `properties.desired.a.b` a part of it. */
export type Settings = JsonObject;

export type ConfigurationContent = {
  /** Edge deployments: settings by module. */
  readonly modulesContent: Readonly<Record<string, Settings>>;
  /** For devices. */
  readonly deviceContent: Settings;
  /** For the modules the target condition names. */
  readonly moduleContent: Settings;
};

export type ConfigurationWish = {
  /** undefined = it says none, and an update leaves it. */
  readonly content: ConfigurationContent | undefined;
  readonly labels: JsonObject;
  /** '' = meant for nobody. */
  readonly targetCondition: string;
  readonly priority: number;
  /** Name → query. */
  readonly metrics: Readonly<Record<string, string>>;
};

export type ConfigurationDocument = ConfigurationWish & {
  readonly id: string;
  readonly content: ConfigurationContent;
  readonly etag: number;
  readonly createdTimeUtc: string;
  readonly lastUpdatedTimeUtc: string;
};

export type ConfigurationKind = 'edge' | 'device' | 'module';

/** Which twins a condition means: nobody, or those of one collection it is true of. */
export type Target = {
  readonly from: 'devices' | 'devices.modules';
  readonly matches: QueryExpression;
};

const ID = /^[a-z0-9\-+%_#*?!(),:=@$']{1,128}$/;
const DESIRED = 'properties.desired';
/** The hub's own: modules of one deployment, and metrics of one configuration. */
const MODULES_MAX = 50;
const METRICS_MAX = 20;
const METRIC_NAME = /^[\w.-]{1,128}$/;

/** Reads the body of a PUT; throws ArgumentInvalid with every problem. */
export function parseConfigurationWish(body: Json | undefined, id: string): ConfigurationWish {
  if (!isJsonObject(body ?? null)) {
    throw new HubError('ArgumentInvalid', 'the body must be a JSON object');
  }
  const given = body as JsonObject;
  const problems: string[] = [];
  if (!ID.test(id)) {
    problems.push(
      "the id must have 1 to 128 lower-case letters, digits or characters of -+%_#*?!(),:=@$'",
    );
  }
  if (given['id'] !== undefined && given['id'] !== id) {
    problems.push('id in the body is not the one in the address');
  }
  const targetCondition = given['targetCondition'] ?? '';
  if (typeof targetCondition !== 'string') problems.push('targetCondition must be a text');
  const priority = given['priority'] ?? 0;
  if (typeof priority !== 'number' || !Number.isInteger(priority) || priority < 0) {
    problems.push('priority must be a whole number from 0 on');
  }
  const labels = given['labels'] ?? {};
  if (!isJsonObject(labels)) problems.push('labels must be an object');
  const content = parseContent(given['content'], problems);
  const metrics = parseMetrics(given['metrics'], problems);
  if (problems.length > 0) throw new HubError('ArgumentInvalid', problems.join('; '));
  const wish: ConfigurationWish = {
    content,
    labels: labels as JsonObject,
    targetCondition: targetCondition as string,
    priority: priority as number,
    metrics,
  };
  checkTarget(wish);
  return wish;
}

/**
 * Reads a configuration's content; undefined when there is none. Pushes each problem. Nothing here says
 * yet whether twins can hold it: that is found out where it is put into them.
 */
export function parseContent(
  value: Json | undefined,
  problems: string[],
): ConfigurationContent | undefined {
  if (value === undefined || value === null) return undefined;
  if (!isJsonObject(value)) {
    problems.push('content must be an object');
    return undefined;
  }
  const section = (key: string): JsonObject => {
    const inner = value[key] ?? {};
    if (isJsonObject(inner)) return inner;
    problems.push(`content.${key} must be an object`);
    return {};
  };
  const modules = Object.entries(section('modulesContent'));
  if (modules.length > MODULES_MAX + 2) {
    problems.push(`modulesContent has ${modules.length} modules, more than ${MODULES_MAX + 2}`);
  }
  const content = {
    modulesContent: Object.fromEntries(
      modules.map(([module, settings]) => {
        if (!isValidId(module)) problems.push(`${module} is no module id`);
        return [module, parseSettings(settings, `modulesContent.${module}`, problems)];
      }),
    ),
    deviceContent: parseSettings(section('deviceContent'), 'deviceContent', problems),
    moduleContent: parseSettings(section('moduleContent'), 'moduleContent', problems),
  };
  const kinds = Object.entries(content).filter(([, inner]) => Object.keys(inner).length > 0);
  if (kinds.length > 1) {
    problems.push(`content can have one of ${kinds.map(([key]) => key).join(', ')}, not several`);
  }
  return kinds.length === 0 ? undefined : content;
}

function parseSettings(value: Json, where: string, problems: string[]): Settings {
  if (!isJsonObject(value)) {
    problems.push(`${where} must be an object`);
    return {};
  }
  const entries = Object.entries(value).map(([path, setting]): [string, Json] => {
    if (path !== DESIRED && !path.startsWith(`${DESIRED}.`)) {
      problems.push(`${where}: ${path} is not below ${DESIRED}, and nothing else can be set`);
    } else if (path === DESIRED && !isJsonObject(setting)) {
      problems.push(`${where}: "${DESIRED}" must be an object`);
    } else if (pathOf(path).some((name) => name === '')) {
      problems.push(`${where}: ${path} has an empty name`);
    }
    return [path, path === DESIRED && isJsonObject(setting) ? stripMetadata(setting) : setting];
  });
  return Object.fromEntries(entries);
}

/** The names below the desired properties: none for the whole section. */
export function pathOf(setting: string): readonly string[] {
  return setting === DESIRED ? [] : setting.slice(DESIRED.length + 1).split('.');
}

function parseMetrics(
  value: Json | undefined,
  problems: string[],
): Readonly<Record<string, string>> {
  const given = isJsonObject(value ?? null) ? (value as JsonObject)['queries'] : undefined;
  const queries = isJsonObject(given ?? null) ? Object.entries(given as JsonObject) : [];
  if (queries.length > METRICS_MAX) problems.push(`there are more than ${METRICS_MAX} metrics`);
  return Object.fromEntries(
    queries.map(([name, query]): [string, string] => {
      if (!METRIC_NAME.test(name)) problems.push(`${name} is no name for a metric`);
      const problem = typeof query === 'string' ? metricProblem(query) : 'it must be a text';
      if (problem !== undefined) problems.push(`the metric ${name}: ${problem}`);
      return [name, String(query)];
    }),
  );
}

/** Why this is no query; undefined when it is one. */
export function metricProblem(query: string): string | undefined {
  return problemOf(() => parseQuery(query));
}

/** Why this is no target condition; undefined when it is one. */
export function targetProblem(condition: string): string | undefined {
  return problemOf(() => parseTarget(condition));
}

function problemOf(parse: () => unknown): string | undefined {
  try {
    parse();
    return undefined;
  } catch (cause) {
    if (cause instanceof HubError) return cause.message;
    throw cause;
  }
}

/** `*` means all; nothing at all, nobody (undefined). Throws ArgumentInvalid. */
export function parseTarget(condition: string): Target | undefined {
  const text = condition.trim();
  if (text === '') return undefined;
  if (text === '*') return { from: 'devices', matches: () => true };
  const modules = /^from\s+devices\.modules\b(?:\s+where\b)?/i.exec(text)?.[0];
  if (modules === undefined) return { from: 'devices', matches: parseCondition(text) };
  const rest = text.slice(modules.length).trim();
  return { from: 'devices.modules', matches: rest === '' ? () => true : parseCondition(rest) };
}

function checkTarget({ content, targetCondition }: ConfigurationWish): void {
  const problem = targetProblem(targetCondition);
  if (problem !== undefined) {
    throw new HubError('ArgumentInvalid', `targetCondition: ${problem}`);
  }
  const target = parseTarget(targetCondition);
  if (content === undefined || target === undefined) return;
  const wanted = kindOf(content) === 'module' ? 'devices.modules' : 'devices';
  if (target.from !== wanted) {
    throw new HubError(
      'ArgumentInvalid',
      wanted === 'devices'
        ? 'a targetCondition FROM devices.modules needs moduleContent'
        : 'moduleContent needs a targetCondition FROM devices.modules WHERE …',
    );
  }
}

export function kindOf(content: ConfigurationContent): ConfigurationKind {
  if (Object.keys(content.modulesContent).length > 0) return 'edge';
  return Object.keys(content.moduleContent).length > 0 ? 'module' : 'device';
}

/** An edge deployment that says all of $edgeAgent is one to stand on; any other is a layer. */
export function isLayer(content: ConfigurationContent): boolean {
  return content.modulesContent['$edgeAgent']?.[DESIRED] === undefined;
}

export function configurationEtag(document: ConfigurationDocument): string {
  return etagText(document.etag);
}
