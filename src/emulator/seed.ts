/**
 * A hub's first contents from a JSON file (docs/emulator.md has the schema). Sowing it again changes
 * nothing that is there: only what is missing is made. All of it or none.
 */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { Fault } from '../core/fault.ts';
import { isJsonObject, type Json, type JsonObject } from '../core/json.ts';
import type { Authorities } from './authorities.ts';
import type { EnrolmentKind } from './enrolment.ts';
import type { Enrolments } from './enrolments.ts';
import { HubError } from './hub-error.ts';
import { parseIdentityWish } from './identity-document.ts';
import type { IdentityName } from './identity-name.ts';
import type { IdentityRegistry } from './identity-registry.ts';
import type { Policies } from './policies.ts';
import type { State } from './state.ts';
import type { TwinService } from './twin-service.ts';

export type Seed = {
  /** For messages. */
  readonly file: string;
  readonly contents: JsonObject;
};

export type SeedParts = {
  readonly state: State;
  readonly policies: Policies;
  readonly authorities: Authorities;
  readonly registry: IdentityRegistry;
  readonly twins: TwinService;
  readonly enrolments: Enrolments;
};

/** Sows one entry of a section; throws a HubError or a Fault. `folder`: where files it names lie. */
type Sower = (entry: JsonObject, parts: SeedParts, folder: string) => void;

/** The sections a seed may have, each a list of objects, in the order they are sown. */
const sections: Readonly<Record<string, Sower>> = {
  policies: sowPolicy,
  certificates: sowCertificate,
  devices: (entry, parts) =>
    sowIdentity(entry, { device: textOf(entry, 'deviceId'), module: '' }, parts),
  enrollments: (entry, parts) => sowEnrolment('individual', 'registrationId', entry, parts),
  enrollmentGroups: (entry, parts) => sowEnrolment('group', 'enrollmentGroupId', entry, parts),
};

/** Throws CONFIG_INVALID when the file cannot be read or is no JSON object. */
export function readSeed(file: string): Seed {
  let contents: Json;
  try {
    contents = JSON.parse(readFileSync(file, 'utf8')) as Json;
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? (cause as Error).message;
    throw new Fault('CONFIG_INVALID', `the seed ${file} cannot be read as JSON: ${reason}`, {
      cause,
    });
  }
  if (isJsonObject(contents)) return { file, contents };
  throw new Fault('CONFIG_INVALID', `the seed ${file} must be a JSON object`);
}

/** Throws CONFIG_INVALID with every problem; then nothing was sown. */
export function sow({ file, contents }: Seed, parts: SeedParts): void {
  const problems = Object.keys(contents)
    .filter((section) => !Object.hasOwn(sections, section))
    .map(
      (section) => `there is no section ${section}: known are ${Object.keys(sections).join(', ')}`,
    );
  const folder = dirname(resolve(file));
  parts.state.transaction(() => {
    for (const [section, sower] of Object.entries(sections)) {
      const entries = contents[section] ?? [];
      if (!Array.isArray(entries)) problems.push(`${section} must be a list`);
      else {
        entries.forEach((entry, index) => {
          const problem = problemOf(() => sower(objectOf(entry), parts, folder));
          if (problem !== undefined) problems.push(`${section}[${index}]: ${problem}`);
        });
      }
    }
    if (problems.length === 0) return;
    throw new Fault('CONFIG_INVALID', `the seed ${file} cannot be used: ${problems.join('; ')}`);
  })();
}

function problemOf(work: () => void): string | undefined {
  try {
    work();
    return undefined;
  } catch (cause) {
    if (cause instanceof HubError || cause instanceof Fault) return cause.message;
    throw cause;
  }
}

function sowPolicy(entry: JsonObject, { policies }: SeedParts): void {
  const [name, primary] = [textOf(entry, 'name'), textOf(entry, 'primaryKey')];
  policies.setKeys(name, [
    primary,
    entry['secondaryKey'] === undefined ? primary : textOf(entry, 'secondaryKey'),
  ]);
}

function sowCertificate(entry: JsonObject, { authorities }: SeedParts, folder: string): void {
  const name = textOf(entry, 'name');
  authorities.put(
    name,
    entry['pem'] === undefined
      ? readPem(resolve(folder, textOf(entry, 'file')))
      : textOf(entry, 'pem'),
  );
}

function readPem(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new Fault(
      'CONFIG_INVALID',
      `${file} cannot be read (${(cause as NodeJS.ErrnoException).code})`,
      { cause },
    );
  }
}

/** A device with its modules, or one module. */
function sowIdentity(entry: JsonObject, name: IdentityName, parts: SeedParts): void {
  const { registry, twins } = parts;
  const { modules = [], tags, properties, ...identity } = entry;
  const wish = parseIdentityWish(identity, name);
  if (registry.find(name) === undefined) {
    registry.create(name, wish);
    const { desired, reported } = objectOf(properties ?? {});
    if (tags !== undefined || desired !== undefined) {
      const change = { tags: optional(tags), desired: optional(desired) };
      twins.change(name, 'merge', change, undefined);
    }
    if (reported !== undefined) twins.report(name, reported, undefined);
  }
  if (!Array.isArray(modules)) throw new HubError('ArgumentInvalid', 'modules must be a list');
  for (const module of modules) {
    const inner = objectOf(module);
    sowIdentity(inner, { device: name.device, module: textOf(inner, 'moduleId') }, parts);
  }
}

function sowEnrolment(
  kind: EnrolmentKind,
  idName: string,
  entry: JsonObject,
  { enrolments }: SeedParts,
): void {
  const id = textOf(entry, idName);
  if (enrolments.find(kind, id) !== undefined) return;
  enrolments.put(kind, id, entry, { conditional: false, etag: undefined });
}

function optional(value: Json | undefined): JsonObject | undefined {
  return value === undefined ? undefined : objectOf(value);
}

function objectOf(value: Json): JsonObject {
  if (isJsonObject(value)) return value;
  throw new HubError('ArgumentInvalid', 'it must be an object');
}

function textOf(entry: JsonObject, key: string): string {
  const value = entry[key];
  if (typeof value === 'string' && value !== '') return value;
  throw new HubError('ArgumentInvalid', `${key} must be a text`);
}
