/** The demo's output: a line a second for a person, or every event as JSON. */
import { isJsonObject, type Json } from '../../core/json.ts';
import type { HubEvent } from '../cloud/service-client.ts';
import { FILTER, MONITOR, machineTemperature } from './verdict.ts';

export interface Display {
  say(text: string, data?: Readonly<Record<string, unknown>>): void;
  event(event: HubEvent): void;
  /** Once a second. */
  tick(alertsPerS: number, threshold: number): void;
  summary(summary: Readonly<Record<string, unknown>>, text: string): void;
}

const write = (text: string): void => void process.stdout.write(`${text}\n`);

export function jsonDisplay(): Display {
  return {
    say: (text, data) => write(JSON.stringify({ text, ...data })),
    event: (event) => write(JSON.stringify({ event })),
    tick: () => {},
    summary: (summary) => write(JSON.stringify({ summary })),
  };
}

export function textDisplay(): Display {
  let temperature: number | undefined;
  let monitor: Json = null;
  let alerts = 0;
  return {
    say: (text) => write(text),
    event({ moduleId, body }) {
      if (moduleId === FILTER) {
        temperature = machineTemperature(body);
        alerts++;
      } else if (moduleId === MONITOR) {
        monitor = body;
      }
    },
    tick(alertsPerS, threshold) {
      const time = new Date().toTimeString().slice(0, 8);
      const last =
        alerts > 0 ? `last ${temperature?.toFixed(1).padStart(5)} °C` : 'none this second';
      alerts = 0;
      const rate = `${alertsPerS.toFixed(0).padStart(3)} alerts/s  ${last.padEnd(16)}`;
      write(`${time}  ${FILTER} (> ${threshold} °C) ${rate}   ${MONITOR} ${machine(monitor)}`);
    },
    summary: (_, text) => write(text),
  };
}

function machine(body: Json): string {
  if (!isJsonObject(body)) return '…';
  const parts: string[] = [];
  const load = number(body, 'load', 'one');
  if (load !== undefined) parts.push(`load ${load.toFixed(2)}`);
  const available = number(body, 'memory', 'availableBytes');
  const total = number(body, 'memory', 'totalBytes');
  if (available !== undefined && total !== undefined) {
    parts.push(
      `${((total - available) / 2 ** 30).toFixed(1)} of ${(total / 2 ** 30).toFixed(1)} GB used`,
    );
  }
  return parts.join(', ');
}

function number(body: Json, ...path: readonly string[]): number | undefined {
  let value: Json | undefined = body;
  for (const key of path) value = isJsonObject(value) ? value[key] : undefined;
  return typeof value === 'number' ? value : undefined;
}
