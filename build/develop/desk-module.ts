/** A module's folder as something to run at a desk: named, with what it asks for and is granted here. */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Arguments, Option } from '../../src/cli/command.ts';
import { readAsked } from '../../src/core/asked.ts';
import { decide } from '../../src/core/capabilities.ts';
import { Fault } from '../../src/core/fault.ts';
import { isJsonObject, type JsonObject } from '../../src/core/json.ts';
import { noPolicy } from '../../src/core/policy.ts';
import type { ModuleStart, TwinDocument } from '../../src/core/ports.ts';
import { type Package, readPackage } from '../bundle-module.ts';
import { readGrantWords } from './grant-words.ts';

export type DeskModule = {
  readonly source: Package;
  readonly start: Pick<ModuleStart, 'module' | 'env' | 'grants' | 'limits'>;
  /** From `twin.json`. */
  readonly twin: Partial<TwinDocument>;
  /** What it asks for and does not get, in sentences. */
  readonly missing: readonly string[];
};

export const moduleOptions: Readonly<Record<string, Option>> = {
  grant: { type: 'string', multiple: true, value: 'WHAT', help: 'what it may use; see above' },
  memory: { type: 'string', value: 'MB', help: 'heap of its isolate (default 32, as on a device)' },
};

/** A device's own limits (docs/limits.md), but for those on what it says and sends. */
const MEMORY_MB = 32;
const LIMITS = { startMs: 5_000, turnMs: 2_000 };

/** Throws a BundleError or CONFIG_INVALID with all problems of a kind. */
export function readDeskModule(dir: string, args: Arguments): DeskModule {
  const source = readPackage(resolve(dir));
  const { grants, env } = readGrantWords(args.texts('grant'), (path) => resolve(path));
  // readPackage has told what is wrong with it.
  const asked = source.capabilities && readAsked(source.capabilities, '', []);
  const memoryMb = args.count('memory', 0) || undefined;
  const granted = { grants, memoryMb, memoryDefaultMb: MEMORY_MB, at: '--grant' };
  const decision = decide(asked, granted, noPolicy);
  return {
    source,
    start: {
      module: source.name,
      env,
      grants: decision.grants,
      limits: { ...LIMITS, heapMb: decision.memoryMb },
    },
    twin: readTwin(join(source.folder, 'twin.json')),
    missing: [...decision.missing, ...decision.refusals.map(({ sentence }) => sentence)],
  };
}

/** `{ "desired": {…}, "reported": {…} }`, both optional; none without the file. */
function readTwin(file: string): Partial<TwinDocument> {
  if (!existsSync(file)) return {};
  let twin: unknown;
  try {
    twin = JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new Fault('CONFIG_INVALID', `${file} is not JSON: ${(cause as Error).message}`);
  }
  const {
    desired = {},
    reported = {},
    ...others
  } = (isJsonObject(twin) ? twin : { '': 0 }) as JsonObject;
  if (!isJsonObject(desired) || !isJsonObject(reported) || Object.keys(others).length > 0) {
    throw new Fault(
      'CONFIG_INVALID',
      `${file} must be an object with "desired" and "reported", both objects`,
    );
  }
  return { desired, reported };
}
