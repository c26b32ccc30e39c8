/** New versions on trial: watched while they run, given up when they fail, remembered over restarts. */
import type { Deployment } from '../core/deployment.ts';
import type { Json } from '../core/json.ts';
import type { ModuleName } from '../core/message.ts';
import type { ModuleObservation } from '../core/plan.ts';
import { needsRestart } from '../core/plan.ts';
import type { Clock, Log, StoreWrite } from '../core/ports.ts';
import {
  forgiven,
  isGood,
  judged,
  proven,
  readTrials,
  sameRecord,
  settled,
  superseded,
  type TrialRecord,
  type TrialSettings,
} from '../core/trial.ts';

export const TRIALS_DOCUMENT = 'lastGood';

export interface Trials {
  /** The deployment as it is to be carried out. */
  settle(wanted: Deployment): Deployment;
  /** Learns from what is seen. Returns when to look again, on the clock's `elapsed`; undefined = events tell. */
  look(
    wanted: Deployment,
    seen: ReadonlyMap<ModuleName, ModuleObservation>,
  ): { readonly changed: boolean; readonly againInMs: number | undefined };
  /**
   * Another deployment comes. Returns what must be in the store with it, in one commit: without what to come back
   * to, a device that loses power now could only try what is new.
   */
  supersede(
    before: Deployment | undefined,
    wanted: Deployment,
    seen: ReadonlyMap<ModuleName, ModuleObservation>,
  ): readonly StoreWrite[];
  /** False while what was learnt is not in the store. */
  isSaved(): boolean;
  /** Images of the last good versions: they are kept on the device. */
  images(): readonly string[];
}

export type TrialsDeps = {
  readonly clock: Clock;
  readonly log: Log;
  readonly write: (writes: readonly StoreWrite[]) => Promise<void>;
  readonly settings: TrialSettings;
  /** What was learnt is in the store. */
  readonly saved: () => void;
};

export function createTrials(deps: TrialsDeps, stored: Json | undefined): Trials {
  const { clock, log, settings } = deps;
  const records = readTrials(stored);
  /** Since when it runs without a break, by a clock that never steps. */
  const runs = new Map<ModuleName, { readonly startMs: number; readonly sinceMs: number }>();

  function remember(name: ModuleName, record: TrialRecord): boolean {
    const before = records.get(name) ?? {};
    if (sameRecord(before, record)) return false;
    records.set(name, record);
    if (record.bad !== undefined && before.bad?.atMs !== record.bad.atMs) {
      log.error('a new version was given up, the last good one comes back', {
        module: name,
        version: record.bad.version.version,
        reason: record.bad.reason,
      });
    }
    return true;
  }

  let unsaved = 0;

  function save(): void {
    unsaved++;
    void deps.write([document()]).then(() => {
      unsaved--;
      deps.saved();
    });
  }

  function document(): StoreWrite {
    const modules = Object.fromEntries(records) as unknown as Json;
    return { kind: 'document', name: TRIALS_DOCUMENT, value: { modules } };
  }

  /** How long it has run, ms; undefined = it does not. */
  function ranMs(name: ModuleName, module: ModuleObservation): number | undefined {
    if (module.state !== 'running') {
      runs.delete(name);
      return undefined;
    }
    const startMs = module.statistics.lastStartAtMs ?? 0;
    const known = runs.get(name);
    if (known?.startMs === startMs) return clock.elapsed() - known.sinceMs;
    runs.set(name, { startMs, sinceMs: clock.elapsed() });
    return 0;
  }

  return {
    settle(wanted) {
      const modules = [...wanted.modules].map(
        ([name, spec]) => [name, settled(spec, records.get(name) ?? {})] as const,
      );
      return { ...wanted, modules: new Map(modules) };
    },
    look(wanted, seen) {
      let changed = false;
      let againInMs: number | undefined;
      for (const name of records.keys()) {
        if (wanted.modules.has(name)) continue;
        records.delete(name);
        runs.delete(name);
        changed = true;
      }
      for (const [name, spec] of wanted.modules) {
        const module = seen.get(name);
        if (module === undefined) continue;
        let record = forgiven(records.get(name) ?? {}, spec);
        record = judged(record, spec, module, clock.now(), settings);
        const forMs = ranMs(name, module);
        const onTrial =
          forMs !== undefined &&
          module.spec !== undefined &&
          !needsRestart(module.spec, spec) &&
          (!isGood(record, spec) || record.failed !== undefined);
        if (onTrial && forMs >= settings.periodMs) record = proven(record, spec);
        else if (onTrial) againInMs = Math.min(againInMs ?? Infinity, settings.periodMs - forMs);
        if (remember(name, record)) changed = true;
      }
      if (changed) save();
      return { changed, againInMs };
    },
    supersede(before, wanted, seen) {
      let changed = false;
      for (const [name, old] of before?.modules ?? []) {
        const spec = wanted.modules.get(name);
        const module = seen.get(name);
        if (spec === undefined || module === undefined) continue;
        const record = superseded(records.get(name) ?? {}, old, spec, module);
        if (remember(name, record)) changed = true;
      }
      return changed ? [document()] : [];
    },
    isSaved: () => unsaved === 0,
    images: () => [...records.values()].flatMap(({ good }) => (good ? [good.image] : [])),
  };
}
