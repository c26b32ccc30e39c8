/** Checks what a guest asks of the host itself. The text comes out of an isolate: it may be anything. */
import type { HostCall } from '../core/guest-protocol.ts';
import type { HostSettings } from './host-settings.ts';

export type ParsedHostCalls =
  | { readonly ok: true; readonly calls: readonly HostCall[] }
  | { readonly ok: false; readonly problem: string };

const PATH_LENGTH_MAX = 4_096;
/** A character of a file's text may take six in JSON. */
const TEXT_FACTOR = 6;

export function parseHostCalls(text: string, settings: HostSettings): ParsedHostCalls {
  if (text.length > TEXT_FACTOR * settings.fileBytesMax + settings.hostCallsMax * PATH_LENGTH_MAX) {
    return { ok: false, problem: `its host calls take ${text.length} characters` };
  }
  let calls: unknown;
  try {
    calls = JSON.parse(text);
  } catch {
    return { ok: false, problem: 'its host calls are not JSON' };
  }
  if (!Array.isArray(calls)) return { ok: false, problem: 'its host calls are no list' };
  for (const call of calls) {
    if (!isHostCall(call)) return { ok: false, problem: 'one of its host calls has a wrong shape' };
  }
  return { ok: true, calls: calls as HostCall[] };
}

function isHostCall(value: unknown): value is HostCall {
  if (typeof value !== 'object' || value === null) return false;
  const call = value as Readonly<Record<string, unknown>>;
  if (call['t'] === 'exit') return Number.isSafeInteger(call['code']);
  if (call['t'] === 'ask') {
    const { service, what } = call;
    return (
      Number.isSafeInteger(call['call']) &&
      typeof service === 'string' &&
      typeof what === 'string' &&
      'args' in call
    );
  }
  return (
    (call['t'] === 'readFile' || call['t'] === 'readDir' || call['t'] === 'writeFile') &&
    Number.isSafeInteger(call['call']) &&
    typeof call['path'] === 'string' &&
    call['path'].length <= PATH_LENGTH_MAX &&
    (call['t'] !== 'writeFile' || typeof call['text'] === 'string')
  );
}

/** Shared memory would let the guest change what was sent while it is sent. */
export function isPlainBytes(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array && value.buffer instanceof ArrayBuffer;
}
