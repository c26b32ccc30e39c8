/** What a module uses, as numbers that only grow: totals, and differences of totals. */
import { isJsonObject, type Json, type JsonObject } from './json.ts';
import type { RestartReason } from './restart-reason.ts';

/** Every counter, each with 0 as its beginning. */
const NOTHING = {
  /** CPU time, ms. */
  cpuMs: 0,
  /** How long it had something to do and waited: for its CPU share, and because it sent too much, ms. */
  cpuWaitMs: 0,
  messageWaitMs: 0,
  /** Messages delivered to it and sent by it, and their bytes (messageSize). */
  messagesIn: 0,
  messagesOut: 0,
  bytesIn: 0,
  bytesOut: 0,
  /** Sent by it and not taken: no room, no route, too large. */
  messagesRefused: 0,
  logLines: 0,
  /** Console lines above its limit. */
  logLinesDropped: 0,
  /** Requests above its limit on those without an answer. */
  requestsRefused: 0,
  /** Combinations of label values of its own metrics above its limit, each time it told them. */
  seriesDropped: 0,
  /** Writes of what it keeps, and those refused because it keeps as much as it may. */
  keptWrites: 0,
  keptRefused: 0,
  starts: 0,
};

/** Counted where things happen: whoever holds it adds to it. */
export type ModuleUse = { -readonly [Name in keyof typeof NOTHING]: number };

/** The most of what comes and goes, among the times it was looked at. */
export type MostUsed = {
  readonly heapBytesMax: number;
  /** Of the host it ran in, which others may share. */
  readonly hostBytesMax: number;
  /** Messages waiting for its inputs, and its twin. */
  readonly storageBytesMax: number;
};

/** How often a module ended, by why. */
export type Endings = Readonly<Partial<Record<RestartReason, number>>>;

const names = Object.keys(NOTHING) as (keyof ModuleUse)[];

export const noUse = (): ModuleUse => ({ ...NOTHING });

export function addUse(to: ModuleUse, more: Readonly<Partial<ModuleUse>>): void {
  for (const name of names) to[name] += more[name] ?? 0;
}

/** What came since `before`. */
export function useSince(
  before: Readonly<ModuleUse>,
  now: Readonly<ModuleUse>,
): Readonly<ModuleUse> {
  const since = noUse();
  for (const name of names) since[name] = Math.max(0, now[name] - before[name]);
  return since;
}

/** Without zeros: most counters of most hours are. */
export function useToJson(use: Readonly<ModuleUse>): JsonObject {
  return Object.fromEntries(names.flatMap((name) => (use[name] > 0 ? [[name, use[name]]] : [])));
}

export function mostOf(one: MostUsed, other: MostUsed): MostUsed {
  return {
    heapBytesMax: Math.max(one.heapBytesMax, other.heapBytesMax),
    hostBytesMax: Math.max(one.hostBytesMax, other.hostBytesMax),
    storageBytesMax: Math.max(one.storageBytesMax, other.storageBytesMax),
  };
}

export function mostFromJson(value: Json | undefined): MostUsed {
  const fields = isJsonObject(value) ? value : {};
  const bytes = (name: keyof MostUsed): number => {
    const count = fields[name];
    return typeof count === 'number' ? count : 0;
  };
  return {
    heapBytesMax: bytes('heapBytesMax'),
    hostBytesMax: bytes('hostBytesMax'),
    storageBytesMax: bytes('storageBytesMax'),
  };
}

/** What is not a count counts as 0: an older or newer version may have written it. */
export function useFromJson(value: Json | undefined): ModuleUse {
  const use = noUse();
  if (!isJsonObject(value)) return use;
  for (const name of names) {
    const count = value[name];
    if (typeof count === 'number' && count > 0) use[name] = count;
  }
  return use;
}
