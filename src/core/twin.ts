/** Desired and reported properties: merging, comparing, and when a desired patch may be applied. */
import { isJsonObject, type Json, type JsonObject } from './json.ts';

/**
 * JSON merge patch as IoT Hub does it: objects merge, everything else replaces, null deletes.
 * With `nullDeletes` false nulls are kept, as a pending patch needs them. A branch that is new is
 * taken as it stands, as IoT Edge does (spec/iotedge.md §8.3).
 */
export function mergePatch(base: Json, patch: Json, nullDeletes: boolean): Json {
  if (!isJsonObject(base) || !isJsonObject(patch)) return patch;
  const merged = new Map<string, Json>(Object.entries(base));
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) {
      if (nullDeletes) merged.delete(key);
      else merged.set(key, null);
      continue;
    }
    const before = merged.get(key);
    merged.set(key, before === undefined ? value : mergePatch(before, value, nullDeletes));
  }
  return Object.fromEntries(merged);
}

/**
 * One patch that does to a section like `base` what `first` and then `second` do. A branch that the first
 * takes away (or makes a plain value) and the second makes anew must not find its old members again: they
 * are deleted by name. Nulls are kept.
 */
export function joinPatches(
  base: Json | undefined,
  first: JsonObject,
  second: JsonObject,
): JsonObject {
  const joined = new Map<string, Json>(Object.entries(first));
  for (const [key, value] of Object.entries(second)) {
    const had = joined.get(key);
    const below = memberOf(base, key);
    if (had === undefined || !isJsonObject(value)) joined.set(key, value);
    else if (isJsonObject(had)) joined.set(key, joinPatches(below, had, value));
    else joined.set(key, replacing(below, value));
  }
  return Object.fromEntries(joined);
}

/** The patch that leaves nothing of `before` but what `after` says. */
function replacing(before: Json | undefined, after: JsonObject): JsonObject {
  const gone = isJsonObject(before) ? Object.keys(before) : [];
  const patch = new Map<string, Json>(gone.map((key) => [key, null]));
  for (const [key, value] of Object.entries(after)) {
    patch.set(key, isJsonObject(value) ? replacing(memberOf(before, key), value) : value);
  }
  return Object.fromEntries(patch);
}

function memberOf(section: Json | undefined, key: string): Json | undefined {
  return isJsonObject(section) && Object.hasOwn(section, key) ? section[key] : undefined;
}

/** Without nulls anywhere: what a hub would hold after the same patch. Arrays hold none (spec §8.5). */
export function withoutNulls(section: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(section)
      .filter(([, value]) => value !== null)
      .map(([key, value]) => [key, isJsonObject(value) ? withoutNulls(value) : value]),
  );
}

/** The patch that turns `from` into `to`; an empty object when they are equal (spec/iotedge.md §8.3). */
export function diff(from: JsonObject, to: JsonObject): JsonObject {
  const patch: [string, Json][] = [];
  for (const key of Object.keys(from)) if (!Object.hasOwn(to, key)) patch.push([key, null]);
  for (const [key, after] of Object.entries(to)) {
    const before = Object.hasOwn(from, key) ? from[key] : undefined;
    if (before !== undefined && isJsonObject(before) && isJsonObject(after)) {
      const inner = diff(before, after);
      if (Object.keys(inner).length > 0) patch.push([key, inner]);
    } else if (before === undefined || !sameJson(before, after)) {
      patch.push([key, after]);
    }
  }
  return Object.fromEntries(patch);
}

/** Equality of JSON values; the order of an object's keys does not matter. */
export function sameJson(a: Json, b: Json): boolean {
  if (a === b) return true;
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((value, index) => sameJson(value, b[index] as Json));
  }
  if (isJsonObject(a) && isJsonObject(b)) {
    const keys = Object.keys(a);
    return (
      keys.length === Object.keys(b).length &&
      keys.every((key) => Object.hasOwn(b, key) && sameJson(a[key] as Json, b[key] as Json))
    );
  }
  return false;
}

/** Without the hub's `$metadata` and `$version` at the top level. */
export function stripMetadata(section: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(section).filter(([key]) => key !== '$metadata' && key !== '$version'),
  );
}

/** A section's `$version`, or undefined when it has none. */
export function versionOf(section: JsonObject): number | undefined {
  const version = section['$version'];
  return typeof version === 'number' ? version : undefined;
}

/**
 * May this desired patch be applied to what we have? Only when its version is the next one;
 * an older or equal one is `known` already; anything else is a `gap`, filled by a full read
 * (spec/iotedge.md §8.4).
 */
export function desiredPatchFits(have: JsonObject, patch: JsonObject): 'next' | 'known' | 'gap' {
  const before = versionOf(have);
  const after = versionOf(patch);
  if (before === undefined || after === undefined) return 'gap';
  if (after === before + 1) return 'next';
  return after <= before ? 'known' : 'gap';
}
