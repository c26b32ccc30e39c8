/** What the demo must have shown to call itself a success. Pure: events in, problems out. */
import { isJsonObject, type Json } from '../../core/json.ts';
import type { HubEvent } from '../cloud/service-client.ts';

export const FILTER = 'temperature-filter';
export const MONITOR = 'system-monitor';
export const THRESHOLD = 'TemperatureThreshold';

export interface Verdict {
  event(event: HubEvent, atMs: number): void;
  /** The threshold was changed in the twin at this moment. */
  changed(from: number, to: number, atMs: number): void;
  /** Messages received so far, by module. */
  received(): Readonly<Record<string, number>>;
  /** Alerts per second in the last `spanMs`. */
  rate(nowMs: number, spanMs: number): number;
  /** Why the demo is no success; none = it is one. */
  problems(endMs: number): readonly string[];
}

/** A change travels hub → supervisor → isolate; what comes sooner than this after it may be of the old threshold. */
const SETTLE_MS = 2_000;
const SPAN_MS = 5_000;

export function createVerdict(threshold: number): Verdict {
  const counts = new Map<string, number>();
  const alerts: number[] = [];
  const problems = new Set<string>();
  let lowest = threshold;
  let change: { readonly atMs: number; readonly rateBefore: number } | undefined;

  const alertsIn = (fromMs: number, toMs: number): number =>
    alerts.filter((atMs) => atMs >= fromMs && atMs < toMs).length;

  return {
    event({ moduleId, properties, body }, atMs) {
      const module = moduleId ?? 'the device';
      counts.set(module, (counts.get(module) ?? 0) + 1);
      if (module !== FILTER) return;
      alerts.push(atMs);
      if (properties['MessageType'] !== 'Alert') problems.add('an alert lacks MessageType: Alert');
      const temperature = machineTemperature(body);
      if (temperature === undefined || temperature <= lowest) {
        problems.add(`an alert came at ${temperature} °C, not above the threshold of ${lowest}`);
      }
    },
    changed(from, to, atMs) {
      change ??= { atMs, rateBefore: alertsIn(atMs - SPAN_MS, atMs) / (SPAN_MS / 1000) };
      lowest = Math.min(from, to);
    },
    received: () => Object.fromEntries(counts),
    rate: (nowMs, spanMs) => alertsIn(nowMs - spanMs, nowMs) / (spanMs / 1000),
    problems(endMs) {
      const found = [...problems];
      for (const module of [FILTER, MONITOR]) {
        if (!counts.has(module)) found.push(`nothing of ${module} reached the hub`);
      }
      if (change === undefined) {
        found.push('it ended before the twin change');
      } else {
        const from = change.atMs + SETTLE_MS;
        const span = Math.min(endMs - from, SPAN_MS);
        const after = span > 0 ? alertsIn(from, from + span) / (span / 1000) : Number.NaN;
        // Half as many at most: a raised threshold silences alerts, noise does not.
        if (!(after <= change.rateBefore / 2) || change.rateBefore === 0) {
          found.push(
            `the twin change made no visible difference: ${change.rateBefore.toFixed(1)} alerts/s before, ${after.toFixed(1)} after`,
          );
        }
      }
      return found;
    },
  };
}

export function machineTemperature(body: Json): number | undefined {
  const machine = isJsonObject(body) ? body['machine'] : undefined;
  const temperature = isJsonObject(machine) ? machine['temperature'] : undefined;
  return typeof temperature === 'number' ? temperature : undefined;
}
