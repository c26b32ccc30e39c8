/**
 * What each module has used since it was first deployed here, over all its starts and ours, and hour by
 * hour for a week. Totals are written every five minutes when they changed, and at a stop: a power cut
 * costs five minutes of counting, and a card is spared.
 */
import { isJsonObject, type Json, type JsonObject } from '../core/json.ts';
import type { ModuleName } from '../core/message.ts';
import {
  addUse,
  type Endings,
  type ModuleUse,
  type MostUsed,
  noUse,
  useFromJson,
  useSince,
  useToJson,
} from '../core/module-use.ts';
import type {
  Cancel,
  Clock,
  Ending,
  HostMemory,
  ModuleMetrics,
  StoreWrite,
} from '../core/ports.ts';
import { type RestartReason, restartReason } from '../core/restart-reason.ts';
import { createMeterHistory, HOUR_MS, type HourOfUse } from './meter-history.ts';

type MeterTotals = {
  /** Wall clock ms of the first count. */
  readonly sinceMs: number;
  readonly use: Readonly<ModuleUse>;
  readonly endings: Endings;
};

export interface Meter {
  /** The module's own counters: whoever does something for it adds to them. */
  counters(module: ModuleName): ModuleUse;
  ended(module: ModuleName, ending: Ending, used: ModuleMetrics): void;
  totals(module: ModuleName): MeterTotals;
  /** Oldest first, the hour under way last. */
  hours(module: ModuleName): readonly HourOfUse[];
  forget(module: ModuleName): void;
  /** Writes a last time. */
  stop(): void;
}

export type MeterDeps = {
  readonly clock: Clock;
  readonly write: (writes: readonly StoreWrite[]) => Promise<void>;
  /** What a running module used since its start; undefined when it does not run. */
  readonly metrics: (module: ModuleName) => ModuleMetrics | undefined;
  readonly memory: () => readonly HostMemory[];
  readonly storageBytes: (module: ModuleName) => number;
};

type Held = {
  readonly sinceMs: number;
  /** All but the CPU time and the waits of the run under way. */
  readonly counted: ModuleUse;
  readonly endings: Partial<Record<RestartReason, number>>;
  /** The totals when they were last added to an hour. */
  told: Readonly<ModuleUse>;
};

const DOCUMENT = 'meter';
const SAVE_MS = 300_000;

/** @param documents those of the last run. */
export function createMeter(
  { clock, write, metrics, memory, storageBytes }: MeterDeps,
  documents: Readonly<Record<string, Json>>,
): Meter {
  const stored = documents[DOCUMENT];
  const { modules = null, hour = null } = isJsonObject(stored) ? stored : {};
  const history = createMeterHistory(documents, hour);
  const held = new Map<ModuleName, Held>();
  for (const [module, value] of Object.entries(isJsonObject(modules) ? modules : {})) {
    held.set(module, heldFromJson(value, clock.now()));
  }
  let saved = JSON.stringify(stored);
  let rolledAtMs = clock.now();
  let cancel: Cancel = () => {};

  function hold(module: ModuleName): Held {
    const there = held.get(module) ?? heldFromJson(null, clock.now());
    held.set(module, there);
    return there;
  }

  function useOf(module: ModuleName, { counted }: Held): Readonly<ModuleUse> {
    const use = { ...counted };
    addUse(use, runningUse(metrics(module)));
    return use;
  }

  /** Adds what came since the last time to the hour it began in; gives what is to be written for it. */
  function roll(): readonly StoreWrite[] {
    const fromMs = rolledAtMs;
    rolledAtMs = clock.now();
    const hosts = memory();
    return [...held].flatMap(([module, there]) => {
      const use = useOf(module, there);
      const since = useSince(there.told, use);
      there.told = use;
      return history.add(fromMs, module, since, now(module, hosts));
    });
  }

  function now(module: ModuleName, hosts: readonly HostMemory[]): MostUsed {
    const host = hosts.find(({ modules: those }) => those.includes(module));
    return {
      heapBytesMax: metrics(module)?.heapBytes ?? 0,
      hostBytesMax: host?.proportionalBytes ?? host?.residentBytes ?? 0,
      storageBytesMax: storageBytes(module),
    };
  }

  function save(more: readonly StoreWrite[]): void {
    const value: JsonObject = {
      modules: Object.fromEntries(
        [...held].map(([module, { sinceMs, endings, told }]) => [
          module,
          { ...useToJson(told), sinceMs, endings },
        ]),
      ),
      hour: history.current(),
    };
    const text = JSON.stringify(value);
    if (text === saved && more.length === 0) return;
    saved = text;
    void write([...more, { kind: 'document', name: DOCUMENT, value }]);
  }

  function arm(): void {
    const toHourMs = HOUR_MS - (clock.now() % HOUR_MS);
    cancel = clock.after(Math.min(SAVE_MS, toHourMs), () => {
      save(roll());
      arm();
    });
  }
  arm();

  return {
    counters: (module) => hold(module).counted,
    ended(module, { cause }, used) {
      const { counted, endings } = hold(module);
      addUse(counted, runningUse(used));
      const reason = restartReason(cause);
      endings[reason] = (endings[reason] ?? 0) + 1;
    },
    totals(module) {
      const there = hold(module);
      return { sinceMs: there.sinceMs, use: useOf(module, there), endings: there.endings };
    },
    hours(module) {
      const writes = roll();
      if (writes.length > 0) save(writes);
      return history.hours(module);
    },
    forget: (module) => void held.delete(module),
    stop() {
      cancel();
      save([...roll(), ...history.save()]);
    },
  };
}

function runningUse(metrics: ModuleMetrics | undefined): Partial<ModuleUse> {
  if (metrics === undefined) return {};
  const { cpuMs, cpuWaitMs, messageWaitMs } = metrics;
  return { cpuMs, cpuWaitMs, messageWaitMs };
}

function heldFromJson(value: Json, nowMs: number): Held {
  const counted = useFromJson(value);
  const { sinceMs, endings } = isJsonObject(value) ? value : {};
  return {
    sinceMs: typeof sinceMs === 'number' ? sinceMs : nowMs,
    counted,
    endings: isJsonObject(endings) ? { ...(endings as Endings) } : {},
    told: value === null ? noUse() : { ...counted },
  };
}
