/**
 * Requests out of an isolate, checked against the treaty (core/guest-protocol.ts). Whatever wrote them
 * had every freedom; past this file they are what their types say.
 */

import { blobAskProblem } from '../core/blobs.ts';
import type { GuestRequest } from '../core/guest-protocol.ts';
import { keptAskProblem } from '../core/kept.ts';
import { familiesProblem } from '../core/own-metrics.ts';
import type { HostSettings } from './host-settings.ts';

export type RequestLimits = Pick<
  HostSettings,
  'requestsMax' | 'nameLengthMax' | 'textLengthMax' | 'jsonDepthMax'
>;

export type CheckedRequests =
  | {
      readonly ok: true;
      readonly requests: readonly GuestRequest[];
      /** As ModuleSink.requests wants them: for a `send` its body, copied. */
      readonly bodies: readonly (Uint8Array | undefined)[];
    }
  | { readonly ok: false; readonly problems: readonly string[] };

/** Enough to see what is wrong; a guest that writes nonsense writes much of it. */
const PROBLEMS_MAX = 5;
const LEVELS = new Set<unknown>(['debug', 'info', 'warn', 'error']);
const TOPICS = new Set<unknown>(['inputs', 'desired', 'methods', 'ready']);
/** How the SDK shows receivers who sent a message: that is for us to say (supervisor/outputs.ts). */
const SENDER_NAMES = new Set(['$.cdid', '$.cmid']);

/** @param json a batch as the guest wrote it. @param bytes the bodies of its `send`s that are no text. */
export function checkGuestRequests(
  json: string,
  bytes: Uint8Array,
  limits: RequestLimits,
): CheckedRequests {
  let batch: unknown;
  try {
    batch = JSON.parse(json);
  } catch {
    return { ok: false, problems: ['its requests are not JSON'] };
  }
  if (!Array.isArray(batch)) return { ok: false, problems: ['its requests are no list'] };
  if (batch.length > limits.requestsMax) {
    return { ok: false, problems: [`${batch.length} requests, of ${limits.requestsMax} allowed`] };
  }
  const check = createCheck(limits);
  const problems: string[] = [];
  const bodies: (Uint8Array | undefined)[] = [];
  let at = 0;
  for (const [index, item] of (batch as unknown[]).entries()) {
    const problem = check(item);
    if (problem !== undefined) problems.push(`request ${index}: ${problem}`);
    if (problems.length >= PROBLEMS_MAX) break;
    if (problem !== undefined) continue;
    const request = item as GuestRequest;
    if (request.t !== 'send') bodies.push(undefined);
    else if (typeof request.b === 'string') bodies.push(Buffer.from(request.b));
    else {
      // Copied, because the chunk it lies in may be much larger and a message may live long.
      bodies.push(new Uint8Array(bytes.subarray(at, at + request.b)));
      at += request.b;
    }
  }
  if (problems.length === 0 && at !== bytes.byteLength) {
    problems.push(`the bodies take ${at} bytes, but ${bytes.byteLength} came`);
  }
  return problems.length > 0
    ? { ok: false, problems }
    : { ok: true, requests: batch as GuestRequest[], bodies };
}

type Fields = Readonly<Record<string, unknown>>;

/** Gives what is wrong with one request, or undefined. */
function createCheck(limits: RequestLimits): (value: unknown) => string | undefined {
  return (value) => {
    if (!isObject(value)) return 'is no object';
    switch (value['t']) {
      case 'send':
        return (
          keys(value, 6) ??
          call(value) ??
          (value['output'] === null ? undefined : name(value, 'output')) ??
          properties(value, 'p') ??
          properties(value, 's') ??
          body(value['b'])
        );
      case 'ack':
        return keys(value, 2) ?? ids(value['ids']);
      case 'nack':
        return keys(value, 3) ?? ids(value['ids']) ?? text(value, 'reason');
      case 'listen':
      case 'unlisten':
        return keys(value, 2) ?? (TOPICS.has(value['what']) ? undefined : 'what is no topic');
      case 'twin':
        return keys(value, 2) ?? call(value);
      case 'report':
        return (
          keys(value, 3) ??
          call(value) ??
          (isObject(value['patch']) ? json(value['patch'], 'patch') : 'patch is no object')
        );
      case 'invoke':
        return (
          keys(value, 8) ??
          call(value) ??
          name(value, 'device') ??
          (value['module'] === null ? undefined : name(value, 'module')) ??
          name(value, 'name') ??
          json(value['payload'], 'payload') ??
          seconds(value, 'responseTimeoutS') ??
          seconds(value, 'connectTimeoutS')
        );
      case 'answer':
        return (
          keys(value, 4) ??
          count(value['id'], 'id') ??
          (Number.isSafeInteger(value['status']) ? undefined : 'status is no integer') ??
          json(value['payload'], 'payload')
        );
      case 'keep':
        return keys(value, 3) ?? call(value) ?? keptAskProblem(value['ask']);
      case 'blob':
        return keys(value, 3) ?? call(value) ?? blobAskProblem(value['ask']);
      case 'metrics':
        return keys(value, 2) ?? familiesProblem(value['families']);
      case 'log':
        return (
          keys(value, value['fields'] === undefined ? 3 : 4) ??
          (LEVELS.has(value['level']) ? undefined : 'level is none') ??
          text(value, 'text') ??
          fields(value)
        );
      default:
        return 'has an unknown type';
    }
  };

  function name(value: Fields, field: string): string | undefined {
    const one = value[field];
    if (typeof one !== 'string') return `${field} is no text`;
    return one.length > limits.nameLengthMax ? `${field} is too long` : undefined;
  }

  /** Words for a person are cut, not refused: no module should end for talking too much. */
  function text(value: Fields, field: string): string | undefined {
    const one = value[field];
    if (typeof one !== 'string') return `${field} is no text`;
    if (one.length > limits.textLengthMax) {
      (value as Record<string, unknown>)[field] = `${one.slice(0, limits.textLengthMax)}…`;
    }
    return undefined;
  }

  /** Of a log line, if it has any: likewise left out, not refused. */
  function fields(value: Fields): string | undefined {
    const own = value['fields'];
    if (own === undefined) return undefined;
    if (!isObject(own)) return 'fields is no object';
    const problem = json(own, 'fields');
    if (problem === undefined && JSON.stringify(own).length > limits.textLengthMax) {
      (value as Record<string, unknown>)['fields'] = { '…': 'the fields were too long' };
    }
    return problem;
  }

  /** How large they may be is the hub's rule for messages, and refused more kindly there. */
  function properties(value: Fields, field: string): string | undefined {
    const bag = value[field];
    if (!isObject(bag)) return `${field} is no object`;
    for (const key of Object.keys(bag)) {
      if (key === '__proto__') return `${field} has the forbidden name __proto__`;
      if (SENDER_NAMES.has(key)) return `${field} has the name ${key}, which is the runtime's`;
      if (typeof bag[key] !== 'string') return `${field} has a value that is no text`;
    }
    return undefined;
  }

  function json(value: unknown, field: string, depth = 0): string | undefined {
    if (value === undefined) return `${field} is missing`;
    if (typeof value !== 'object' || value === null) return undefined;
    if (depth >= limits.jsonDepthMax) return `${field} is nested too deeply`;
    if (Object.hasOwn(value, '__proto__')) return `${field} has the forbidden name __proto__`;
    for (const one of Object.values(value)) {
      const problem = json(one, field, depth + 1);
      if (problem !== undefined) return problem;
    }
    return undefined;
  }

  function ids(value: unknown): string | undefined {
    if (!Array.isArray(value)) return 'ids are no list';
    if (value.length > limits.requestsMax) return 'ids are too many';
    return value.every(isCount) ? undefined : 'ids hold something else';
  }
}

function keys(value: Fields, wanted: number): string | undefined {
  return Object.keys(value).length === wanted
    ? undefined
    : `${String(value['t'])} has wrong fields`;
}

function call(value: Fields): string | undefined {
  return count(value['call'], 'call');
}

function body(value: unknown): string | undefined {
  return typeof value === 'string' ? undefined : count(value, 'b');
}

function count(value: unknown, field: string): string | undefined {
  return isCount(value) ? undefined : `${field} is no count`;
}

function seconds(value: Fields, field: string): string | undefined {
  const one = value[field];
  return Number.isFinite(one) && (one as number) >= 0 ? undefined : `${field} is no time`;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
