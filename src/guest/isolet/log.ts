/** Log lines with fields: `import { log } from 'isolet'` (docs/modules-api.md). */
import type { LogLevel } from '../../core/guest-protocol.ts';
import type { Json, JsonObject } from '../../core/json.ts';
import { takeSeam } from '../seam.ts';

const seam = takeSeam();

type Fields = Readonly<Record<string, unknown>>;

export type Log = {
  debug(text: string, fields?: Fields): void;
  info(text: string, fields?: Fields): void;
  warn(text: string, fields?: Fields): void;
  error(text: string, fields?: Fields): void;
  /** A log whose lines have these fields, too; a line's own win. */
  child(fields: Fields): Log;
};

const TEXT_MAX = 8_192;
/** All fields of a line as JSON, and one text in them. */
const FIELDS_MAX = 8_192;
const FIELD_TEXT_MAX = 2_048;
const DEPTH_MAX = 6;
const ITEMS_MAX = 100;

function createLog(own: Fields): Log {
  const at =
    (level: LogLevel) =>
    (text: string, fields: Fields = {}): void => {
      const all = toFields(own, fields);
      const item = { t: 'log', level, text: cut(String(text), TEXT_MAX) } as const;
      seam.request(all === undefined ? item : { ...item, fields: all });
    };
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (fields) => createLog({ ...own, ...fields }),
  };
}

/** Undefined without any. Those that pass the bound together are left out, and counted. */
function toFields(own: Fields, more: Fields): JsonObject | undefined {
  let fields = own;
  try {
    fields = { ...own, ...more };
  } catch (error) {
    fields = { ...own, '…': String(error) };
  }
  const kept: Record<string, Json> = Object.create(null);
  let size = 0;
  let left = 0;
  for (const name of Object.keys(fields)) {
    const value = toJson(fields[name], 0);
    if (value === undefined) continue;
    size += name.length + JSON.stringify(value).length;
    if (size > FIELDS_MAX || name === '__proto__') left++;
    else kept[name] = value;
  }
  if (left > 0) kept['…'] = `${left} more`;
  return Object.keys(kept).length === 0 ? undefined : kept;
}

/** Whatever it is becomes something: a line in the log is never a reason to fail. */
function toJson(value: unknown, depth: number): Json | undefined {
  if (value === undefined) return undefined;
  if (value === null || typeof value === 'boolean') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (typeof value === 'function') return `[function ${value.name}]`;
  if (typeof value !== 'object') return cut(String(value), FIELD_TEXT_MAX);
  try {
    return objectToJson(value, depth);
  } catch (error) {
    return `[${String(error)}]`;
  }
}

function objectToJson(value: object, depth: number): Json {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toJSON();
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (depth >= DEPTH_MAX) return '[…]';
  if (Array.isArray(value)) {
    return value.slice(0, ITEMS_MAX).map((one: unknown) => toJson(one, depth + 1) ?? null);
  }
  const plain: Record<string, Json> = Object.create(null);
  if (value instanceof Error) {
    plain['name'] = cut(String(value.name), FIELD_TEXT_MAX);
    plain['message'] = cut(value.message, FIELD_TEXT_MAX);
    plain['stack'] = cut(String(value.stack), FIELD_TEXT_MAX);
    if (value.cause !== undefined) plain['cause'] = toJson(value.cause, depth + 1) ?? null;
  }
  for (const name of Object.keys(value).slice(0, ITEMS_MAX)) {
    const one = toJson((value as Fields)[name], depth + 1);
    if (one !== undefined && name !== '__proto__') plain[name] = one;
  }
  return plain;
}

function cut(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most)}…` : text;
}

export const log: Log = createLog({});
