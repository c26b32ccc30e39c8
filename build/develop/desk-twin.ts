/** The twin of the one module on the desk, as a hub would keep it. */
import { Fault } from '../../src/core/fault.ts';
import { isJsonObject, type JsonObject } from '../../src/core/json.ts';
import type { TwinDocument } from '../../src/core/ports.ts';
import { mergePatch, stripMetadata, versionOf, withoutNulls } from '../../src/core/twin.ts';
import { twinProblem } from '../../src/core/twin-limits.ts';

export type DeskTwin = {
  read(): TwinDocument;
  /** @throws {Fault} TWIN_INVALID as on a device (spec/iothub.md §3.3); nothing of the patch is kept then. */
  report(patch: JsonObject): void;
  /** Returns the patch with the version it has, as the module is told it. */
  desire(patch: JsonObject): JsonObject;
};

export function createDeskTwin({ desired = {}, reported = {} }: Partial<TwinDocument>): DeskTwin {
  let twin: TwinDocument = { desired: first(desired), reported: first(reported) };

  function merged(section: JsonObject, patch: JsonObject): JsonObject {
    const next = mergePatch(section, patch, true);
    const version = (versionOf(section) ?? 0) + 1;
    return { ...(isJsonObject(next) ? next : {}), $version: version };
  }

  return {
    read: () => twin,
    report(patch) {
      const reported = merged(twin.reported, patch);
      const problem = twinProblem(patch) ?? twinProblem(stripMetadata(withoutNulls(reported)));
      if (problem !== undefined) throw new Fault('TWIN_INVALID', problem);
      twin = { ...twin, reported };
    },
    desire(patch) {
      twin = { ...twin, desired: merged(twin.desired, patch) };
      return { ...patch, $version: versionOf(twin.desired) as number };
    },
  };
}

function first(section: JsonObject): JsonObject {
  return { $version: 1, ...section };
}
