/**
 * What modules used hour by hour, for a week: one document of the store a day, written when an hour is
 * over. Hours are the wall clock's; one that has not been set yet gets none.
 */
import { isJsonObject, type Json, type JsonObject } from '../core/json.ts';
import type { ModuleName } from '../core/message.ts';
import {
  addUse,
  type ModuleUse,
  type MostUsed,
  mostFromJson,
  mostOf,
  noUse,
  useFromJson,
  useToJson,
} from '../core/module-use.ts';
import type { StoreWrite } from '../core/ports.ts';
import { CREDIBLE_MS } from './device-time.ts';

export type HourOfUse = {
  /** Wall clock ms of its beginning. */
  readonly fromMs: number;
  readonly use: Readonly<ModuleUse>;
  readonly most: MostUsed;
};

export interface MeterHistory {
  /** Adds to the hour of `nowMs`. Gives what is to be written when that is a new hour. */
  add(
    nowMs: number,
    module: ModuleName,
    use: Readonly<ModuleUse>,
    now: MostUsed,
  ): readonly StoreWrite[];
  /** Oldest first. */
  hours(module: ModuleName): readonly HourOfUse[];
  /** The hour under way, to be written more often than its day; null when there is none. */
  current(): Json;
  /** Writes for the day under way. */
  save(): readonly StoreWrite[];
}

export const HOUR_MS = 3_600_000;
/** A week, and the day under way. */
const DAYS_MAX = 8;
const DAY_MS = 24 * HOUR_MS;
const PREFIX = 'meter ';

type Hour = Map<ModuleName, { readonly use: ModuleUse; readonly most: MostUsed }>;

/** @param documents those of the last run. @param current what `current()` gave last. */
export function createMeterHistory(
  documents: Readonly<Record<string, Json>>,
  current: Json | undefined,
): MeterHistory {
  const hours = new Map<number, Hour>();
  for (const [name, value] of Object.entries(documents)) {
    if (name.startsWith(PREFIX)) readHours(value);
  }
  // The day it belongs to may not have been written with it yet.
  let openHourMs = readHours(current);

  function readHours(value: Json | undefined): number | undefined {
    if (!isJsonObject(value)) return undefined;
    let lastMs: number | undefined;
    for (const [name, modules] of Object.entries(value)) {
      const fromMs = Number(name);
      if (!isJsonObject(modules) || !Number.isSafeInteger(fromMs / HOUR_MS)) continue;
      const hour: Hour = new Map();
      for (const [module, use] of Object.entries(modules)) {
        hour.set(module, { use: useFromJson(use), most: mostFromJson(use) });
      }
      lastMs = fromMs;
      // What was written last knows most.
      hours.set(fromMs, hour);
    }
    return lastMs;
  }

  function hourToJson(hour: Hour): JsonObject {
    return Object.fromEntries(
      [...hour].map(([module, { use, most }]) => [module, { ...useToJson(use), ...most }]),
    );
  }

  function write(day: number): StoreWrite {
    const ofDay = [...hours].filter(([fromMs]) => dayOf(fromMs) === day);
    const value: Json = Object.fromEntries(
      ofDay.map(([fromMs, hour]) => [String(fromMs), hourToJson(hour)]),
    );
    return { kind: 'document', name: nameOf(day), value: ofDay.length === 0 ? null : value };
  }

  /** Old days go; so do those a clock invented that was ahead of its time. */
  function prune(nowMs: number): readonly StoreWrite[] {
    const days = [...new Set([...hours.keys()].map(dayOf))].sort((a, b) => a - b);
    const kept = new Set(days.filter((day) => day <= dayOf(nowMs) + 1).slice(-DAYS_MAX));
    for (const fromMs of hours.keys()) if (!kept.has(dayOf(fromMs))) hours.delete(fromMs);
    return days.filter((day) => !kept.has(day)).map(write);
  }

  function save(): readonly StoreWrite[] {
    return openHourMs === undefined ? [] : [write(dayOf(openHourMs))];
  }

  return {
    add(nowMs, module, use, now) {
      if (nowMs < CREDIBLE_MS) return [];
      const fromMs = Math.floor(nowMs / HOUR_MS) * HOUR_MS;
      const writes = fromMs === openHourMs ? [] : [...save(), ...prune(nowMs)];
      openHourMs = fromMs;
      const hour = hours.get(fromMs) ?? new Map();
      hours.set(fromMs, hour);
      const there = hour.get(module) ?? { use: noUse(), most: now };
      addUse(there.use, use);
      hour.set(module, { use: there.use, most: mostOf(there.most, now) });
      return writes;
    },
    hours: (module) =>
      [...hours]
        .sort(([a], [b]) => a - b)
        .flatMap(([fromMs, hour]) => {
          const there = hour.get(module);
          return there === undefined ? [] : [{ fromMs, ...there }];
        }),
    current() {
      const hour = openHourMs === undefined ? undefined : hours.get(openHourMs);
      return hour === undefined ? null : { [String(openHourMs)]: hourToJson(hour) };
    },
    save,
  };
}

const dayOf = (atMs: number): number => Math.floor(atMs / DAY_MS);

const nameOf = (day: number): string =>
  `${PREFIX}${new Date(day * DAY_MS).toISOString().slice(0, 10)}`;
