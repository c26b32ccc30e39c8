/** A log line as it lies in a file: one line of JSON with short names. */
import type { LogLevel } from '../core/guest-protocol.ts';
import { isJsonObject, type Json } from '../core/json.ts';
import type { LogLine } from '../core/summaries.ts';

const levels: readonly string[] = ['debug', 'info', 'warn', 'error'] satisfies readonly LogLevel[];

/** With the new line at its end. */
export function encodeLogLine({ atMs, module, level, text, fields }: LogLine): string {
  return `${JSON.stringify({ at: atMs, of: module, level, text, ...(fields && { fields }) })}\n`;
}

/** Undefined for what is none: a power cut leaves half a line, or zeros, at the end of a file. */
export function decodeLogLine(text: string): LogLine | undefined {
  let value: Json;
  try {
    value = JSON.parse(text.replace(/^\0+/, '')) as Json;
  } catch {
    return undefined;
  }
  if (!isJsonObject(value)) return undefined;
  const { at, of, level, text: said, fields } = value;
  if (typeof at !== 'number' || typeof of !== 'string' || typeof said !== 'string')
    return undefined;
  if (typeof level !== 'string' || !levels.includes(level)) return undefined;
  return {
    atMs: at,
    module: of,
    level: level as LogLevel,
    text: said,
    ...(isJsonObject(fields) && { fields }),
  };
}
