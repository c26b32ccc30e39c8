/** Stack traces of bundles in terms of what their author wrote. */
import { SourceMap } from 'node:module';
import { deflateRaw, inflateRawSync } from 'node:zlib';
import type { GuestRequest } from '../core/guest-protocol.ts';
import { isJsonObject, type Json, type JsonObject } from '../core/json.ts';
import type { Cancel, Clock } from '../core/ports.ts';
import { moduleFile, REASON_LENGTH_MAX } from './host-protocol.ts';

const FRAMES_MAX = 50;
/** Characters of a source's name: the map is the module author's, and may hold anything. */
const SOURCE_LENGTH_MAX = 1_024;

/** A larger map takes tenths of a second to parse on a small board: lines of the log go without. */
const LOG_MAP_LENGTH_MAX = 1_048_576;
/** A parsed map takes megabytes: it is let go once nothing has been looked up for so long. */
const KEPT_MS = 5_000;
/** Quick, and with 40 KB of its own while it works: many modules may start at once. */
const PACKING = { level: 1, memLevel: 3, windowBits: 12 } as const;

export type StackMapper = {
  /** `text` with the positions in the module's bundle replaced by those in its sources. */
  reason(text: string): string;
  /** The same for the last one of all: the parsed map goes at once, and keeps nobody waiting. */
  lastReason(text: string): string;
  /** The same for lines a module writes, of which there may be many. */
  requests(requests: readonly GuestRequest[]): readonly GuestRequest[];
};

/** Nothing is parsed before the first position there is to look up. */
export function createStackMapper(
  module: string,
  sourceMap: string,
  clock: Pick<Clock, 'after'>,
): StackMapper {
  const file = moduleFile(module);
  const text = keptSmall(sourceMap);
  let map: SourceMap | undefined;
  let isBroken = sourceMap === '';
  const mapsLogs = sourceMap.length <= LOG_MAP_LENGTH_MAX;
  let cancel: Cancel = () => {};

  function parsed(): SourceMap | undefined {
    if (isBroken) return undefined;
    cancel();
    cancel = clock.after(KEPT_MS, () => (map = undefined));
    try {
      map ??= new SourceMap(JSON.parse(text()));
      return map;
    } catch {
      // A bundle with a broken map still has a stack worth telling.
      isBroken = true;
      return undefined;
    }
  }

  function reason(text: string): string {
    const known = text.includes(file) ? parsed() : undefined;
    if (known === undefined) return text;
    return text
      .split(`${file}:`)
      .map((piece, at) => (at === 0 || at > FRAMES_MAX ? piece : mapped(known, piece, file)))
      .join('')
      .slice(0, REASON_LENGTH_MAX);
  }

  const hasPosition = (one: GuestRequest): boolean =>
    one.t === 'log' &&
    (one.text.includes(file) ||
      (one.fields !== undefined && JSON.stringify(one.fields).includes(file)));
  const mappedLine = (one: GuestRequest & { t: 'log' }): GuestRequest => ({
    ...one,
    text: reason(one.text),
    ...(one.fields && { fields: inTexts(one.fields, reason) as JsonObject }),
  });
  return {
    reason,
    lastReason(text) {
      const mapped = reason(text);
      cancel();
      map = undefined;
      return mapped;
    },
    requests: (requests) =>
      mapsLogs && requests.some(hasPosition)
        ? requests.map((one) => (one.t === 'log' ? mappedLine(one) : one))
        : requests,
  };
}

/** A map is larger than the code it is of, and most are never looked at: a quarter of it stays. */
function keptSmall(sourceMap: string): () => string {
  let text = sourceMap;
  let packed: Uint8Array | undefined;
  if (text !== '') {
    deflateRaw(text, PACKING, (failed, bytes) => {
      if (failed !== null) return;
      // What comes is the beginning of a 64 KB buffer.
      packed = new Uint8Array(bytes);
      text = '';
    });
  }
  return () => (packed === undefined ? text : inflateRawSync(packed).toString());
}

/** The same JSON with each text in it changed; it was checked and is not deep. */
function inTexts(value: Json, change: (text: string) => string): Json {
  if (typeof value === 'string') return change(value);
  if (Array.isArray(value)) return value.map((one: Json) => inTexts(one, change));
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [name, inTexts(one, change)]),
  );
}

/** `piece` begins with `line:column`, if the file's name was followed by a position. */
function mapped(map: SourceMap, piece: string, file: string): string {
  const position = /^(\d{1,9}):(\d{1,9})/.exec(piece);
  if (position === null) return `${file}:${piece}`;
  const [whole, line, column] = position;
  const entry = map.findEntry(Number(line) - 1, Number(column) - 1);
  // An entry of an earlier line means that the map knows nothing of this one.
  if (!('originalSource' in entry) || entry.generatedLine !== Number(line) - 1) {
    return `${file}:${piece}`;
  }
  const { originalSource, originalLine, originalColumn } = entry;
  const source = String(originalSource).slice(0, SOURCE_LENGTH_MAX);
  return `${source}:${originalLine + 1}:${originalColumn + 1}${piece.slice(whole.length)}`;
}
