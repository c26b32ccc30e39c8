/** What reading a manifest finds: problems that refuse it, notices that do not. Both begin with the path. */
import type { Json, JsonObject } from './json.ts';
import { nearest } from './nearest.ts';

export type Findings = { readonly problems: string[]; readonly notices: string[] };

/** A manifest of a megabyte may be wrong in a hundred thousand places. */
const TOLD_MAX = 50;
const SHOWN_LENGTH_MAX = 60;

export function noFindings(): Findings {
  return { problems: [], notices: [] };
}

/** The first of them, and how many there are besides. */
export function told(sentences: readonly string[]): readonly string[] {
  const rest = sentences.length - TOLD_MAX;
  return rest > 0 ? [...sentences.slice(0, TOLD_MAX), `and ${rest} more`] : sentences;
}

/** A wrong value for a sentence. Never use it where secrets may stand: env, credentials, createOptions. */
export function shown(value: Json | undefined): string {
  if (value === undefined) return 'missing';
  const text = JSON.stringify(value);
  return text.length > SHOWN_LENGTH_MAX ? `${text.slice(0, SHOWN_LENGTH_MAX)}…` : text;
}

/**
 * The fields of `known`, whatever the case of their names, as IoT Edge's parser takes them (spec/iotedge.md
 * §1.1). Others are ignored, as there, but a notice tells of them: they may be misspelt.
 */
export function knownFields(
  value: JsonObject,
  known: readonly string[],
  path: string,
  { problems, notices }: Findings,
): JsonObject {
  const found = new Map<string, Json>();
  for (const [key, field] of Object.entries(value)) {
    const at = path === '' ? key : `${path}.${key}`;
    const name = known.find((one) => one.toLowerCase() === key.toLowerCase());
    if (name === undefined) {
      const near = nearest(key.slice(0, SHOWN_LENGTH_MAX), known);
      const hint = near === undefined ? '' : `: did you mean ${near}?`;
      notices.push(`${shortened(at)} is not known here and is ignored${hint}`);
    } else if (found.has(name)) {
      problems.push(`${shortened(at)} is given twice, in two spellings: leave one of them out`);
    } else found.set(name, field);
  }
  return Object.fromEntries(found);
}

/** A path with the names of a hostile manifest in it. */
export function shortened(path: string): string {
  return path.length > 200 ? `${path.slice(0, 200)}…` : path;
}
