/** Payloads of `$edgeAgent`'s direct methods, read as IoT Edge reads them (spec/iotedge.md §4). */
import { isJsonObject, type Json, type JsonObject } from './json.ts';
import type { LogQuery, MatchTexts } from './log-query.ts';
import { type CompilePattern, readLogQuery } from './log-request.ts';

/** 400 is the caller's fault; IoT Edge answers everything else with 500, a schema version, too. */
export type Read<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly status: 400 | 500; readonly message: string };

export type LogsRequest = {
  /** The first item that matches a module counts. */
  readonly items: readonly { readonly matches: MatchTexts; readonly query: LogQuery }[];
  readonly gzip: boolean;
  readonly contentType: 'text' | 'json';
};

const ITEMS_MAX = 100;

/** A field by name, in any case, as Newtonsoft reads it for IoT Edge. */
export function fieldOf(object: JsonObject, name: string): Json | undefined {
  if (Object.hasOwn(object, name)) return object[name];
  const lower = name.toLowerCase();
  const key = Object.keys(object).find((each) => each.toLowerCase() === lower);
  return key === undefined ? undefined : object[key];
}

/** The payload as an object with a schema version we know. */
export function readRequest(payload: Json): Read<JsonObject> {
  if (!isJsonObject(payload)) {
    return refuse('the payload must be an object with "schemaVersion": "1.0"');
  }
  const version = fieldOf(payload, 'schemaVersion');
  if (typeof version !== 'string' || version.trim() === '') {
    return refuse('schemaVersion is missing: it is "1.0"');
  }
  if (!/^1(\.[0-9]+){1,3}$/.test(version.trim())) {
    const shown = version.slice(0, 20);
    return {
      ok: false,
      status: 500,
      message: `The schema version ${shown} is not compatible with the expected version 1.0`,
    };
  }
  return { ok: true, value: payload };
}

/** A text that must be there. */
export function readText(request: JsonObject, name: string, what: string): Read<string> {
  const value = fieldOf(request, name);
  return typeof value === 'string' && value.trim() !== ''
    ? { ok: true, value }
    : refuse(`${name} is missing: ${what}`);
}

/** GetModuleLogs' part that UploadModuleLogs has, too. */
export function readLogsRequest(
  request: JsonObject,
  nowMs: number,
  compile: CompilePattern,
): Read<LogsRequest> {
  const problems: string[] = [];
  const given = fieldOf(request, 'items');
  const list = Array.isArray(given) ? given : [given];
  if (given === undefined || given === null || list.length === 0) {
    problems.push('items is missing: [{"id": "<regular expression>" or "all", "filter": {…}}]');
  }
  if (list.length > ITEMS_MAX) problems.push(`items may be ${ITEMS_MAX} at most`);
  const items = problems.length > 0 ? [] : list.map(item);

  function item(value: Json | undefined, index: number): LogsRequest['items'][number] {
    const at = Array.isArray(given) ? `items[${index}].` : 'items.';
    const object = isJsonObject(value) ? value : {};
    const filter = fieldOf(object, 'filter') ?? {};
    if (!isJsonObject(filter)) problems.push(`${at}filter must be an object`);
    const words = isJsonObject(filter) ? filter : {};
    const names = ['tail', 'since', 'until', 'loglevel', 'regex'];
    const entries = names.map((name) => [name, fieldOf(words, name)] as const);
    return {
      matches: idOf(fieldOf(object, 'id'), at),
      query: readLogQuery(Object.fromEntries(entries), nowMs, compile, problems, `${at}filter.`),
    };
  }

  function idOf(id: Json | undefined, at: string): MatchTexts {
    const all: MatchTexts = (names) => names.map(() => true);
    if (typeof id !== 'string' || id.trim() === '') {
      problems.push(`${at}id is missing: a regular expression for names of modules, or "all"`);
      return all;
    }
    if (id === 'all') return all;
    try {
      return compile(id, { ignoreCase: true });
    } catch (cause) {
      problems.push(`${at}id: ${(cause as Error).message}`);
      return all;
    }
  }

  const encoding = oneOf('encoding', ['none', 'gzip'], 'none', 'none');
  const contentType = oneOf('contentType', ['text', 'json'], 'text', 'json');

  function oneOf<T extends string>(name: string, allowed: readonly T[], absent: T, ifNull: T): T {
    const value = fieldOf(request, name);
    if (value === undefined) return absent;
    if (value === null) return ifNull;
    const found = allowed.find((one) => one === String(value).toLowerCase());
    if (found === undefined) problems.push(`${name} must be ${allowed.join(' or ')}`);
    return found ?? absent;
  }

  return problems.length > 0
    ? refuse(problems.join('; '))
    : { ok: true, value: { items, gzip: encoding === 'gzip', contentType } };
}

export function refuse(message: string): Extract<Read<never>, { ok: false }> {
  return { ok: false, status: 400, message };
}
