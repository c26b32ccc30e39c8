/** How a stored event looks to whoever watches the hub. Pure. */
import type { Json } from '../core/json.ts';
import { asText } from '../lib/text.ts';

/** What is kept of an event beside its body. */
export type EventEnvelope = {
  /** null = a key without a value. */
  readonly properties: Readonly<Record<string, string | null>>;
  readonly systemProperties: Readonly<Record<string, string>>;
  /** What the hub itself stamped on it (spec/iothub.md §2.2). */
  readonly annotations: Readonly<Record<string, string>>;
};

export type StoredEvent = EventEnvelope & {
  /** Strictly increasing over the life of the hub. */
  readonly seq: number;
  readonly enqueuedAtMs: number;
  readonly deviceId: string;
  /** '' when the device itself sent it. */
  readonly moduleId: string;
  readonly body: Uint8Array;
};

export type EventView = EventEnvelope & {
  readonly seq: number;
  readonly enqueuedTime: string;
  readonly deviceId: string;
  readonly moduleId: string | null;
  /** JSON when it says it is, else text when it is, else `{ base64 }`. */
  readonly body: Json;
};

export function viewEvent(event: StoredEvent): EventView {
  return {
    seq: event.seq,
    enqueuedTime: new Date(event.enqueuedAtMs).toISOString(),
    deviceId: event.deviceId,
    moduleId: event.moduleId === '' ? null : event.moduleId,
    properties: event.properties,
    systemProperties: event.systemProperties,
    annotations: event.annotations,
    body: viewBody(event),
  };
}

function viewBody(event: StoredEvent): Json {
  const text = asText(event.body);
  if (text === undefined) return { base64: Buffer.from(event.body).toString('base64') };
  const type = (event.systemProperties['content-type'] ?? '').toLowerCase();
  const encoding = (event.systemProperties['content-encoding'] ?? '').toLowerCase();
  if (!type.startsWith('application/json') || encoding !== 'utf-8') return text;
  try {
    const value = JSON.parse(text) as Json;
    // What nests too deep to be written again is shown as text.
    JSON.stringify(value);
    return value;
  } catch {
    return text;
  }
}
