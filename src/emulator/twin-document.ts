/** A twin as the hub keeps it: two sections with versions and metadata, and tags (spec/iothub.md §3). Pure. */
import { isJsonObject, type Json, type JsonObject } from '../core/json.ts';
import { mergePatch, withoutNulls } from '../core/twin.ts';

export type TwinSection = {
  /** The user's properties alone: no `$version`, no `$metadata`. */
  readonly properties: JsonObject;
  /** Starts at 1, one more with every accepted write, even one that changes nothing. */
  readonly version: number;
  /** Mirrors the properties: when, and for desired ones with which version, each was last written. */
  readonly metadata: JsonObject;
};

export type TwinDocument = {
  /** One more with every write of any part. */
  readonly version: number;
  /** One more with every write by a service: a device's reports must not fail a service's If-Match. */
  readonly etag: number;
  readonly tags: JsonObject;
  readonly desired: TwinSection;
  readonly reported: TwinSection;
};

export function newTwin(at: string): TwinDocument {
  return {
    version: 1,
    etag: 1,
    tags: {},
    desired: {
      properties: {},
      version: 1,
      metadata: { $lastUpdated: at, $lastUpdatedVersion: 1 },
    },
    reported: { properties: {}, version: 1, metadata: { $lastUpdated: at } },
  };
}

/** Merges a patch into a section; nulls delete. */
export function patchSection(
  section: TwinSection,
  patch: JsonObject,
  at: string,
  whose: 'desired' | 'reported',
): TwinSection {
  const version = section.version + 1;
  const stamp = stampOf(at, version, whose);
  const properties = mergeDeleting(section.properties, patch);
  return { properties, version, metadata: touch(section.metadata, patch, properties, stamp) };
}

/** Merges a patch whose nulls delete; what is new holds no nulls either: there is nothing to delete. */
export function mergeDeleting(base: JsonObject, patch: JsonObject): JsonObject {
  return withoutNulls(mergePatch(base, patch, true) as JsonObject);
}

/** Puts `properties` (without nulls) in the place of all there was. */
export function replaceSection(
  section: TwinSection,
  properties: JsonObject,
  at: string,
  whose: 'desired' | 'reported',
): TwinSection {
  const version = section.version + 1;
  const whole = withoutNulls(properties);
  return {
    properties: whole,
    version,
    metadata: touch({}, whole, whole, stampOf(at, version, whose)),
  };
}

/**
 * What a device is told of a replacement: the whole new section, and null for every key that went.
 * The real hub's shape is not documented; this one is right for clients that merge and for those that
 * replace (spec/iothub.md §3.1).
 */
export function replacementPatch(from: JsonObject, to: JsonObject): JsonObject {
  const patch: [string, Json][] = [];
  for (const key of Object.keys(from)) if (!Object.hasOwn(to, key)) patch.push([key, null]);
  for (const [key, value] of Object.entries(to)) {
    const before = Object.hasOwn(from, key) ? from[key] : undefined;
    const nested = isJsonObject(value) && before !== undefined && isJsonObject(before);
    patch.push([key, nested ? replacementPatch(before, value) : value]);
  }
  return Object.fromEntries(patch);
}

/** The twin as its own device or module sees it: no tags, no metadata. */
export function deviceView(twin: TwinDocument): JsonObject {
  return { desired: deviceSection(twin.desired), reported: deviceSection(twin.reported) };
}

/** `tags`, `properties`, `version` and `etag` as a service sees them. */
export function serviceView(twin: TwinDocument): JsonObject {
  return {
    etag: etagText(twin.etag),
    version: twin.version,
    tags: twin.tags,
    properties: { desired: serviceSection(twin.desired), reported: serviceSection(twin.reported) },
  };
}

/** The hub's etags: eight bytes, base64. */
export function etagText(count: number): string {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(count));
  return bytes.toString('base64');
}

function deviceSection(section: TwinSection): JsonObject {
  return { ...section.properties, $version: section.version };
}

function serviceSection(section: TwinSection): JsonObject {
  return { ...section.properties, $metadata: section.metadata, $version: section.version };
}

function stampOf(at: string, version: number, whose: 'desired' | 'reported'): JsonObject {
  return whose === 'desired'
    ? { $lastUpdated: at, $lastUpdatedVersion: version }
    : { $lastUpdated: at };
}

/** Stamps every key the patch names and all above it; what is no more has no metadata. */
function touch(
  metadata: Json,
  patch: JsonObject,
  after: JsonObject,
  stamp: JsonObject,
): JsonObject {
  const before = isJsonObject(metadata) ? metadata : {};
  const kept = Object.entries(before).filter(([key]) => Object.hasOwn(after, key));
  const touched = Object.entries(patch)
    .filter(([key]) => Object.hasOwn(after, key))
    .map(([key, value]): [string, Json] => {
      const result = after[key] as Json;
      return [
        key,
        isJsonObject(value) && isJsonObject(result)
          ? touch(Object.hasOwn(before, key) ? (before[key] as Json) : {}, value, result, stamp)
          : stamp,
      ];
    });
  return { ...Object.fromEntries([...kept, ...touched]), ...stamp };
}
