/** IoT Hub's limits on reported properties, checked before a module is told yes (spec/iotedge.md §8.5). */
import { isJsonObject, type Json, type JsonObject } from './json.ts';

const SIZE_MAX = 32_768;
const DEPTH_MAX = 10;
const KEY_BYTES_MAX = 1024;
const STRING_BYTES_MAX = 4096;
const INTEGER_MIN = -4_503_599_627_370_496;
const INTEGER_MAX = 4_503_599_627_370_495;

/** Why this section, or patch of it, breaks a limit; undefined when it breaks none. */
export function twinProblem(section: JsonObject): string | undefined {
  const size = utf8Length(JSON.stringify(section));
  if (size > SIZE_MAX) return `Twin properties size ${size} exceeds maximum ${SIZE_MAX}`;
  return objectProblem(section, 0);
}

function objectProblem(value: JsonObject, depth: number): string | undefined {
  if (depth > DEPTH_MAX) return depthProblem;
  for (const [key, inner] of Object.entries(value)) {
    const problem = keyProblem(key) ?? valueProblem(key, inner, depth);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

const depthProblem = `Nested depth of twin property exceeds ${DEPTH_MAX}`;

function keyProblem(key: string): string | undefined {
  if (utf8Length(key) > KEY_BYTES_MAX) {
    return `Length of property name ${key.slice(0, 10)}.. exceeds maximum length of ${KEY_BYTES_MAX}`;
  }
  // Control characters, white space, and the characters paths are written with.
  const bad = /[.$#\s\p{Cc}]/u.exec(key);
  return bad === null ? undefined : `Property name ${key} contains invalid character '${bad[0]}'`;
}

function valueProblem(key: string, value: Json, depth: number): string | undefined {
  if (isJsonObject(value)) return objectProblem(value, depth + 1);
  if (Array.isArray(value)) return arrayProblem(key, value, depth + 1);
  if (typeof value === 'string' && utf8Length(value) > STRING_BYTES_MAX) {
    return `Value associated with property name ${key} has length ${utf8Length(value)} that exceeds maximum length of ${STRING_BYTES_MAX}`;
  }
  if (
    Number.isInteger(value) &&
    ((value as number) < INTEGER_MIN || (value as number) > INTEGER_MAX)
  ) {
    return `Property ${key} has an out of bound value. Valid values are between ${INTEGER_MIN} and ${INTEGER_MAX}`;
  }
  return undefined;
}

function arrayProblem(key: string, values: readonly Json[], depth: number): string | undefined {
  if (depth > DEPTH_MAX) return depthProblem;
  for (const value of values) {
    if (value === null) return "Arrays cannot contain 'null' as value";
    if (isJsonObject(value)) {
      const nulled = Object.keys(value).find((name) => value[name] === null);
      if (nulled !== undefined)
        return `Property ${nulled} of an object in an array cannot be 'null'`;
    }
    const problem = valueProblem(key, value, depth);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII is meant.
const ASCII = /^[\0-\x7f]*$/;

/** Bytes of a string in UTF-8, without an encoder (this room has none). A lone surrogate counts as three. */
export function utf8Length(text: string): number {
  let bytes = text.length;
  // Nearly all are, and a loop over whole twins would be work for V8's optimizing compiler: 6 MB of code.
  if (ASCII.test(text)) return bytes;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code < 0x80) continue;
    bytes++;
    if (code < 0x800) continue;
    bytes++;
    // A pair of surrogates is two units, and four bytes.
    if (code >= 0xd800 && code < 0xdc00 && isLowSurrogate(text.charCodeAt(at + 1))) at++;
  }
  return bytes;
}

function isLowSurrogate(code: number): boolean {
  return code >= 0xdc00 && code < 0xe000;
}
