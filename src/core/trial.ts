/**
 * A new version of a module is on trial until it has proved itself. One that fails too often is given up for the
 * last good one, bundle and settings, until the deployment says something else of this module. Pure.
 */
import { readCreateOptions } from './create-options.ts';
import { isJsonObject, type Json, type JsonObject } from './json.ts';
import type { ModuleSpec } from './module-spec.ts';
import { type ModuleObservation, needsRestart } from './plan.ts';
import { sameJson } from './twin.ts';

/** What of a module makes another version of it. */
type ModuleVersion = Pick<ModuleSpec, 'version' | 'image' | 'createOptions' | 'env'>;

/** What is remembered of one module's versions. */
export type TrialRecord = {
  readonly good?: ModuleVersion;
  /** Given up; `version` as the deployment asked for it. */
  readonly bad?: {
    readonly version: ModuleVersion;
    readonly reason: string;
    readonly atMs: number;
  };
  /** The version on trial that has failed: how often, and when last. */
  readonly failed?: {
    readonly version: ModuleVersion;
    readonly count: number;
    readonly lastAtMs: number;
  };
};

export type TrialSettings = {
  /** A version that has run so long without a break is good. */
  readonly periodMs: number;
  /** So many failures before that, and it is given up. */
  readonly failuresMax: number;
};

export const TRIAL_SETTINGS: TrialSettings = { periodMs: 300_000, failuresMax: 3 };

/** The module as it is to run: what the deployment says, or the last good version of it. */
export function settled(spec: ModuleSpec, { good, bad }: TrialRecord): ModuleSpec {
  if (bad === undefined || good === undefined || !isSame(bad.version, spec)) return spec;
  const path = `modules.${spec.name}.settings.createOptions`;
  return {
    ...spec,
    ...good,
    settings: readCreateOptions(good.createOptions, path),
    rolledBack: {
      version: spec.version,
      image: spec.image,
      reason: bad.reason,
      atMs: bad.atMs,
    },
  };
}

/** The deployment says something else of the module: whatever was given up may be tried again. */
export function forgiven(record: TrialRecord, wanted: ModuleSpec): TrialRecord {
  const { bad, ...rest } = record;
  return bad === undefined || isSame(bad.version, wanted) ? record : rest;
}

/** Another version is asked for: the one before, if it ran and did not fail, is better than nothing to come back to. */
export function superseded(
  record: TrialRecord,
  before: ModuleSpec,
  wanted: ModuleSpec,
  module: ModuleObservation,
): TrialRecord {
  const hasRun = module.statistics.lastStartAtMs !== null;
  if (!hasRun || record.good !== undefined || !needsRestart(before, wanted)) return record;
  return hasFailed(record, before) ? record : proven(record, before);
}

/** What the sight of the module teaches. The same record when it is nothing new. */
export function judged(
  record: TrialRecord,
  wanted: ModuleSpec,
  module: ModuleObservation,
  nowMs: number,
  { failuresMax }: TrialSettings,
): TrialRecord {
  const { spec, state, endingCause, statistics, failedSuccessor } = module;
  // Given up already: what is seen of it is what led to that.
  if (record.bad !== undefined && isSame(record.bad.version, wanted)) return record;
  if (failedSuccessor !== undefined && !needsRestart(failedSuccessor.spec, wanted)) {
    const { lastExitAtMs, reason } = failedSuccessor;
    return failedOnce(record, wanted, lastExitAtMs, reason, nowMs, failuresMax);
  }
  if (spec === undefined || needsRestart(spec, wanted)) return record;
  if (state !== 'ended' || endingCause === 'stopped' || endingCause === 'host lost') return record;
  if (endingCause === 'exited' && statistics.exitCode === 0) return proven(record, wanted);
  const atMs = statistics.lastExitAtMs ?? nowMs;
  return failedOnce(record, wanted, atMs, statistics.exitReason, nowMs, failuresMax);
}

/** This version is good. */
export function proven(record: TrialRecord, spec: ModuleSpec): TrialRecord {
  if (isGood(record, spec) && record.failed === undefined) return record;
  const { failed: _over, ...rest } = record;
  const { version, image, createOptions, env } = spec;
  return { ...rest, good: { version, image, createOptions, env } };
}

/** Does it run as the last good version does? */
export function isGood({ good }: TrialRecord, spec: ModuleSpec): boolean {
  return good !== undefined && !needsRestart(good as ModuleSpec, spec);
}

function failedOnce(
  record: TrialRecord,
  spec: ModuleSpec,
  lastAtMs: number,
  reason: string,
  nowMs: number,
  failuresMax: number,
): TrialRecord {
  // A good one that crashes is a matter of the restart policy alone.
  if (isGood(record, spec)) return record;
  const { failed: before, ...rest } = record;
  const again = before !== undefined && isSame(before.version, spec);
  if (again && before.lastAtMs === lastAtMs) return record;
  const count = again ? before.count + 1 : 1;
  const { version, image, createOptions, env } = spec;
  const failing: ModuleVersion = { version, image, createOptions, env };
  if (record.good === undefined || count < failuresMax) {
    return { ...record, failed: { version: failing, count, lastAtMs } };
  }
  const times = count === 1 ? 'failed once' : `failed ${count} times`;
  const bad = { version: failing, reason: `it ${times}, last: ${reason}`, atMs: nowMs };
  return { ...rest, bad };
}

function hasFailed({ failed }: TrialRecord, spec: ModuleSpec): boolean {
  return failed !== undefined && !needsRestart(failed.version as ModuleSpec, spec);
}

/** To the operator a new label is a new version, too: it is how one asks for another try. */
function isSame(version: ModuleVersion, spec: ModuleSpec): boolean {
  return version.version === spec.version && !needsRestart(version as ModuleSpec, spec);
}

/** Records as they lie in the store; what cannot be read is left out. */
export function readTrials(stored: Json | undefined): Map<string, TrialRecord> {
  const modules = isJsonObject(stored) ? stored['modules'] : undefined;
  const records = new Map<string, TrialRecord>();
  for (const [name, value] of Object.entries(isJsonObject(modules) ? modules : {})) {
    if (!isJsonObject(value)) continue;
    const { good, bad, failed } = value as JsonObject;
    if (![good, (bad as JsonObject)?.['version'], (failed as JsonObject)?.['version']].every(fits))
      continue;
    records.set(name, value as unknown as TrialRecord);
  }
  return records;
}

function fits(value: Json | undefined): boolean {
  if (value === undefined) return true;
  return (
    isJsonObject(value) &&
    typeof value['image'] === 'string' &&
    typeof value['version'] === 'string' &&
    isJsonObject(value['createOptions']) &&
    isJsonObject(value['env'])
  );
}

export function sameRecord(a: TrialRecord, b: TrialRecord): boolean {
  return a === b || sameJson(a as unknown as Json, b as unknown as Json);
}
