/** A message as conditions look at it: names without regard to case, the body as JSON, parsed at most once. */
import { isJsonObject, type Json, type JsonObject } from './json.ts';
import type { Message, Properties } from './message.ts';

export interface MessageView {
  /** An application property by name. null only where a test says so: messages carry texts. */
  property(name: string): string | null | undefined;
  system(name: string): string | null | undefined;
  /** The body where it says it is JSON and is an object, else undefined (spec/iotedge.md §6.7). */
  body(): JsonObject | undefined;
}

/** Names and indexes, outermost first. */
export type BodyPath = readonly (string | number)[];

/** `name[index].name …`; undefined when the text is no such path (spec/iotedge.md §6.7). */
export function parseBodyPath(text: string): BodyPath | undefined {
  const path: (string | number)[] = [];
  for (const part of text.split('.')) {
    const found = /^([^()<>@,;:\\"/[\]?={}.\t\r\n]+)(?:\[(\d+)\])?$/.exec(part);
    if (found === null) return undefined;
    path.push(found[1] as string);
    if (found[2] !== undefined) path.push(Number(found[2]));
  }
  return path;
}

/** What lies at the path; undefined when nothing does. */
export function findInBody(body: JsonObject, path: BodyPath): Json | undefined {
  let found: Json | undefined = body;
  for (const step of path) {
    if (typeof step === 'number') {
      if (!Array.isArray(found)) return undefined;
      found = (found as readonly Json[])[step];
    } else {
      if (!isJsonObject(found) || !Object.hasOwn(found, step)) return undefined;
      found = found[step];
    }
  }
  return found;
}

export function viewMessage(message: Message): MessageView {
  const { properties, system } = message;
  let lowerProperties: ReadonlyMap<string, string> | undefined;
  let lowerSystem: ReadonlyMap<string, string> | undefined;
  let body: JsonObject | undefined;
  let bodyIsRead = false;

  const systemProperty = (name: string): string | undefined => {
    if (Object.hasOwn(system, name)) return system[name];
    lowerSystem ??= withLowerNames(system);
    return lowerSystem.get(name.toLowerCase());
  };

  return {
    property(name) {
      if (Object.hasOwn(properties, name)) return properties[name];
      lowerProperties ??= withLowerNames(properties);
      return lowerProperties.get(name.toLowerCase());
    },
    system: systemProperty,
    body() {
      if (!bodyIsRead) {
        bodyIsRead = true;
        body = readBody(
          message.body,
          systemProperty('contentType'),
          systemProperty('contentEncoding'),
        );
      }
      return body;
    },
  };
}

/** Of two names that differ only in case, the first counts. */
function withLowerNames(bag: Properties): ReadonlyMap<string, string> {
  const byName = new Map<string, string>();
  for (const name of Object.keys(bag)) {
    const lower = name.toLowerCase();
    if (!byName.has(lower)) byName.set(lower, bag[name] as string);
  }
  return byName;
}

function readBody(
  bytes: Uint8Array,
  contentType: string | undefined,
  contentEncoding: string | undefined,
): JsonObject | undefined {
  if (contentType?.toLowerCase() !== 'application/json') return undefined;
  const decode = decoders[contentEncoding?.toLowerCase() as keyof typeof decoders];
  if (decode === undefined) return undefined;
  try {
    const value = JSON.parse(decode(bytes)) as Json;
    return isJsonObject(value) ? value : undefined;
  } catch {
    // Not JSON after all: the sender's claim was wrong, and nothing in it can be looked at.
    return undefined;
  }
}

/** Part of every JavaScript platform, and pure; only no type library without one of them declares it. */
declare const TextDecoder: new (
  encoding: 'utf-8' | 'utf-16le',
) => { decode(bytes: Uint8Array): string };

const utf8 = new TextDecoder('utf-8');
const utf16 = new TextDecoder('utf-16le');

const decoders = {
  'utf-8': (bytes: Uint8Array): string => utf8.decode(bytes),
  'utf-16': (bytes: Uint8Array): string => utf16.decode(bytes),
  'utf-32': decodeUtf32,
};

/** Little-endian, with or without a byte order mark; throws where a number is no character. */
function decodeUtf32(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let text = '';
  for (let at = 0; at < bytes.byteLength; at += 4) {
    text += String.fromCodePoint(view.getUint32(at, true));
  }
  return text.replace(/^\uFEFF/, '');
}
