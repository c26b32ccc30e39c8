/** Many changes of the registry in one call: each happens or fails by itself (spec/iothub.md §5.2). */
import { isJsonObject, type Json, type JsonObject } from '../core/json.ts';
import { HubError } from './hub-error.ts';
import { type IdentityWish, parseIdentityWish } from './identity-document.ts';
import type { IdentityName } from './identity-name.ts';
import type { IdentityRegistry } from './identity-registry.ts';
import { parseTwinChange } from './rest-twins.ts';
import type { TwinService } from './twin-service.ts';

/** What became of a bulk call, as the hub words it. */
type BulkOutcome = {
  readonly isSuccessful: boolean;
  readonly errors: readonly JsonObject[];
  readonly warnings: readonly JsonObject[];
};

export interface BulkRegistry {
  /** Throws ArgumentInvalid when the list itself cannot be read; its entries' failures are in the outcome. */
  run(operations: Json | undefined): BulkOutcome;
}

type Parts = {
  readonly registry: IdentityRegistry;
  readonly twins: TwinService;
  /** Runs its work as one transaction. */
  readonly together: (work: () => void) => void;
};

type Operation = {
  readonly name: IdentityName;
  readonly entry: JsonObject;
  readonly wish: IdentityWish;
  /** What the entry says of the etag; '' when nothing: then no etag is the right one. */
  readonly etag: string;
};

type Mode = (operation: Operation, parts: Parts) => void;

/** The hub's own. */
export const BULK_OPERATIONS_MAX = 100;

/** Lower-case names: the SDK itself mixes `create` with `DeleteIfMatchETag`. */
const modes: ReadonlyMap<string, Mode> = new Map<string, Mode>([
  ['create', create],
  ['update', (operation, parts) => update(operation, parts, undefined)],
  ['updateifmatchetag', (operation, parts) => update(operation, parts, operation.etag)],
  ['createorupdate', (operation, parts) => createOrUpdate(operation, parts, undefined)],
  [
    'createorupdateifmatchetag',
    (operation, parts) => createOrUpdate(operation, parts, operation.etag),
  ],
  ['delete', ({ name }, { registry }) => registry.remove(name, undefined)],
  ['deleteifmatchetag', ({ name, etag }, { registry }) => registry.remove(name, etag)],
  ['updatetwin', (operation, parts) => updateTwin(operation, parts, undefined)],
  ['updatetwinifmatchetag', (operation, parts) => updateTwin(operation, parts, operation.etag)],
]);

export function createBulkRegistry(parts: Parts): BulkRegistry {
  function runOne(entry: Json): JsonObject | undefined {
    const given = isJsonObject(entry) ? entry : {};
    const name = { device: textOf(given, 'id'), module: textOf(given, 'moduleId') };
    const importMode = textOf(given, 'importMode');
    try {
      const mode = modes.get(importMode.toLowerCase());
      if (name.device === '') throw new HubError('ArgumentInvalid', 'id must be a device id');
      if (mode === undefined) {
        throw new HubError(
          'ArgumentInvalid',
          `importMode ${JSON.stringify(importMode)} is none of ${[...modes.keys()].join(', ')}`,
        );
      }
      // In this one kind of request a device is called `id`, and its twin stands beside its identity.
      const { id: _, ...identity } = given;
      const wish = parseIdentityWish(identity, name);
      const etag = textOf(given, 'eTag') || textOf(given, 'etag');
      parts.together(() =>
        mode({ name, entry: given, wish, etag: etag.replaceAll('"', '') }, parts),
      );
      return undefined;
    } catch (cause) {
      if (!(cause instanceof HubError)) throw cause;
      return {
        deviceId: name.device,
        ...(name.module === '' ? {} : { moduleId: name.module }),
        errorCode: cause.errorName,
        errorStatus: cause.message,
        operation: importMode,
      };
    }
  }

  return {
    run(operations) {
      if (!Array.isArray(operations) || operations.length === 0) {
        throw new HubError('ArgumentInvalid', 'the body must be a list of identities');
      }
      const errors = (operations as readonly Json[])
        .map(runOne)
        .filter((error) => error !== undefined);
      return { isSuccessful: errors.length === 0, errors, warnings: [] };
    },
  };
}

function create({ name, entry, wish }: Operation, { registry, twins }: Parts): void {
  registry.create(name, wish);
  const change = parseTwinChange(entry);
  if (change.tags !== undefined || change.desired !== undefined) {
    twins.change(name, 'merge', change, undefined);
  }
}

function update({ name, wish }: Operation, { registry }: Parts, ifMatch: string | undefined): void {
  registry.update(name, wish, ifMatch);
}

function createOrUpdate(operation: Operation, parts: Parts, ifMatch: string | undefined): void {
  if (parts.registry.find(operation.name) === undefined) create(operation, parts);
  else update(operation, parts, ifMatch);
}

function updateTwin(
  { name, entry }: Operation,
  { registry, twins }: Parts,
  ifMatch: string | undefined,
): void {
  registry.get(name);
  twins.change(name, 'merge', parseTwinChange(entry), ifMatch);
}

function textOf(entry: JsonObject, key: string): string {
  const value = entry[key];
  return typeof value === 'string' ? value : '';
}
