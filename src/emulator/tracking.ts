/** How refusals are worded for MQTT and REST clients (spec/iothub.md §3.2, §4.2, §5.4). */
import { randomBytes } from 'node:crypto';
import type { JsonObject } from '../core/json.ts';
import type { HubError } from './hub-error.ts';

/** The body of a refused twin request. */
export function errorBody(error: HubError, nowMs: number): JsonObject {
  return {
    errorCode: error.number,
    trackingId: trackingId(nowMs),
    message: error.message,
    timestampUtc: new Date(nowMs).toISOString(),
  };
}

/** The body of a refused REST request; method time-outs are JSON inside JSON. */
export function restErrorBody(error: HubError, nowMs: number): JsonObject {
  if (error.nested === undefined) {
    return {
      Message: `ErrorCode:${error.errorName};${error.message}`,
      ExceptionMessage: `Tracking ID:${trackingId(nowMs)}`,
    };
  }
  const info = { timeout: asDuration(error.nested.timeoutS) };
  return {
    Message: JSON.stringify({ ...errorBody(error, nowMs), info }),
    ExceptionMessage: '',
  };
}

function trackingId(nowMs: number): string {
  const id = randomBytes(16).toString('hex').toUpperCase();
  const [, year, month, day, time] = /^(\d+)-(\d+)-(\d+)T([\d:]+)/.exec(
    new Date(nowMs).toISOString(),
  ) as unknown as readonly string[];
  return `${id}-G:0-TimeStamp:${month}/${day}/${year} ${time}`;
}

function asDuration(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(11, 19);
}
