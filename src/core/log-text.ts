/**
 * Log lines as IoT Edge's tools know them: `<6> 2024-01-01 00:00:00.000 +00:00 [INF] - text`
 * (spec/iotedge.md §4.1, §17.1). A module may write that form itself; then its own level and time count.
 */
import { fieldsText } from './fields-text.ts';
import type { LogLevel } from './guest-protocol.ts';
import type { LogLine } from './summaries.ts';

export type ReadText = {
  /** Syslog's; 6 when the line says none. */
  readonly level: number;
  /** As the line has it; undefined when it has none, with a time zone. */
  readonly timestamp: string | undefined;
  readonly text: string;
};

const INFO = 6;
const levels: Readonly<Record<LogLevel, { readonly number: number; readonly short: string }>> = {
  error: { number: 3, short: 'ERR' },
  warn: { number: 4, short: 'WRN' },
  info: { number: INFO, short: 'INF' },
  debug: { number: 7, short: 'DBG' },
};

const LINE =
  /^(?:<([0-7])>)?\s(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,7})? [+-]\d\d:\d\d) (\S[^]*)$/;
const LEVEL_ONLY = /^<([0-7])>\s*(\S[^]*)$/;

/** What a line says about itself. */
export function parseLogText(line: string): ReadText {
  const [, level, timestamp, text] = LINE.exec(line) ?? [];
  if (text !== undefined) return { level: Number(level ?? INFO), timestamp, text };
  const [, onlyLevel, rest] = LEVEL_ONLY.exec(line) ?? [];
  if (rest !== undefined) return { level: Number(onlyLevel), timestamp: undefined, text: rest };
  return { level: INFO, timestamp: undefined, text: line };
}

/** Level, time and text of a line of ours, its fields at the end of the text. */
export function readLogText({ atMs, level, text, fields }: LogLine): Required<ReadText> & {
  readonly timestamp: string;
} {
  const said = text + fieldsText(fields);
  const own = text.startsWith('<') ? parseLogText(said) : undefined;
  return own?.timestamp === undefined
    ? { level: levels[level].number, timestamp: timeText(atMs), text: said }
    : { ...own, timestamp: own.timestamp };
}

export function logLevelNumber(line: LogLine): number {
  return line.text.startsWith('<') ? readLogText(line).level : levels[line.level].number;
}

/** With the new line at its end. A line of several lines stays one entry; its tail has no prefix. */
export function logLineText(line: LogLine): string {
  const { level, timestamp, text } = readLogText(line);
  const own = line.text.startsWith('<') && line.text.includes(timestamp);
  return own
    ? `${line.text}${fieldsText(line.fields)}\n`
    : `<${level}> ${timestamp} [${levels[line.level].short}] - ${text}\n`;
}

/** The element of a JSON answer (spec §4.1). */
export function logLineJson(
  line: LogLine,
  where: { readonly hub: string; readonly device: string; readonly id: string },
): object {
  const { level, timestamp, text } = readLogText(line);
  return {
    iothub: where.hub,
    device: where.device,
    id: where.id,
    // Where Node's console would write it.
    stream: line.level === 'warn' || line.level === 'error' ? 'stderr' : 'stdout',
    loglevel: level,
    text,
    timestamp: timestamp.replace(' ', 'T').replace(/ (?=[+-])/, ''),
  };
}

/** `2024-01-01 00:00:00.000 +00:00` */
function timeText(atMs: number): string {
  return `${new Date(atMs).toISOString().slice(0, 23).replace('T', ' ')} +00:00`;
}
