/** Twins: read, changed by their device, changed by services, and who is told of it. */
import { isJsonObject, type Json, type JsonObject } from '../core/json.ts';
import { withoutNulls } from '../core/twin.ts';
import type { Changes } from './changes.ts';
import type { Connections } from './connections.ts';
import { HubError } from './hub-error.ts';
import { type IdentityName, identityKey } from './identity-name.ts';
import { topicOf } from './mqtt-topics.ts';
import type { Surroundings } from './settings.ts';
import type { State } from './state.ts';
import {
  etagText,
  mergeDeleting,
  patchSection,
  replacementPatch,
  replaceSection,
  type TwinDocument,
} from './twin-document.ts';
import { sectionBytesMax, sizeProblem, twinProblems } from './twin-limits.ts';

/** What a service may change; undefined = leave it. */
export type TwinChange = {
  readonly tags: JsonObject | undefined;
  readonly desired: JsonObject | undefined;
};

export interface TwinService {
  /** Throws DeviceNotFound when there is none. */
  read(name: IdentityName): TwinDocument;
  /** Merges a device's patch. `baseVersion` undefined = for whatever version. Returns the new version. */
  report(name: IdentityName, patch: Json, baseVersion: string | undefined): number;
  /** Merges (PATCH) or replaces (PUT) what a service may change, and notifies the device. */
  change(
    name: IdentityName,
    how: 'merge' | 'replace',
    change: TwinChange,
    ifMatch: string | undefined,
  ): TwinDocument;
}

/** More problems than this help nobody. */
const PROBLEMS_SHOWN = 10;

export function createTwinService(
  state: State,
  { connections, changes }: { readonly connections: Connections; readonly changes: Changes },
  surroundings: Surroundings,
): TwinService {
  const select = state.prepare('SELECT document FROM twin WHERE device = ? AND module = ?').pluck();
  const update = state.prepare('UPDATE twin SET document = ? WHERE device = ? AND module = ?');
  const now = (): string => new Date(surroundings.clock.now()).toISOString();

  function read(name: IdentityName): TwinDocument {
    const text = select.get(name.device, name.module) as string | undefined;
    if (text === undefined) {
      throw new HubError('DeviceNotFound', `there is no twin of ${identityKey(name)}`);
    }
    return JSON.parse(text) as TwinDocument;
  }

  const save = (name: IdentityName, twin: TwinDocument): void => {
    update.run(JSON.stringify(twin), name.device, name.module);
    changes.touched(name.device);
  };

  return {
    read,
    report(name, patch, baseVersion) {
      const section = requireSection('reported', patch);
      const twin = read(name);
      if (baseVersion !== undefined && baseVersion !== String(twin.reported.version)) {
        throw new HubError(
          'PreconditionFailed',
          `the patch is for version ${baseVersion}, reported is at ${twin.reported.version}`,
        );
      }
      const reported = patchSection(twin.reported, section, now(), 'reported');
      requireSize('reported', reported.properties);
      save(name, { ...twin, version: twin.version + 1, reported });
      return reported.version;
    },
    change(name, how, change, ifMatch) {
      const before = read(name);
      if (ifMatch !== undefined && ifMatch !== etagText(before.etag)) {
        throw new HubError('PreconditionFailed', 'the twin was changed since you read it');
      }
      const changed =
        how === 'merge' ? merged(before, change, now()) : replaced(before, change, now());
      const after = { ...changed.twin, version: before.version + 1, etag: before.etag + 1 };
      save(name, after);
      if (changed.notice !== undefined) {
        const version = after.desired.version;
        const connection = connections.find(name);
        if (connection?.subscribed('desired') === true) {
          connection.publish(
            topicOf.desired(version),
            JSON.stringify({ ...changed.notice, $version: version }),
          );
        }
      }
      return after;
    },
  };
}

/** A changed twin, and what its device is to be told of desired properties. */
type Changed = { readonly twin: TwinDocument; readonly notice: JsonObject | undefined };

function merged(before: TwinDocument, change: TwinChange, at: string): Changed {
  let twin = before;
  if (change.tags !== undefined) {
    const tags = mergeDeleting(before.tags, requireSection('tags', change.tags));
    requireSize('tags', tags);
    twin = { ...twin, tags };
  }
  if (change.desired === undefined) return { twin, notice: undefined };
  const patch = requireSection('desired', change.desired);
  const desired = patchSection(before.desired, patch, at, 'desired');
  requireSize('desired', desired.properties);
  return { twin: { ...twin, desired }, notice: patch };
}

/** A section that is not given becomes empty: that is what replacing means. */
function replaced(before: TwinDocument, change: TwinChange, at: string): Changed {
  const tags = withoutNulls(requireSection('tags', change.tags ?? {}));
  requireSize('tags', tags);
  const properties = requireSection('desired', change.desired ?? {});
  const desired = replaceSection(before.desired, properties, at, 'desired');
  requireSize('desired', desired.properties);
  const notice = replacementPatch(before.desired.properties, desired.properties);
  return { twin: { ...before, tags, desired }, notice };
}

function requireSection(which: keyof typeof sectionBytesMax, value: Json): JsonObject {
  if (!isJsonObject(value)) {
    throw new HubError('ArgumentInvalid', `${which} must be a JSON object`);
  }
  const problems = twinProblems(value);
  if (problems.length > 0) {
    throw new HubError('ArgumentInvalid', problems.slice(0, PROBLEMS_SHOWN).join('; '));
  }
  return value;
}

function requireSize(which: keyof typeof sectionBytesMax, properties: JsonObject): void {
  const problem = sizeProblem(which, properties);
  if (problem !== undefined) throw new HubError('ArgumentInvalid', problem);
}
