/** What the frames between supervisor and module host mean. */
import type { Ending, Grants, ModuleLimits, ModuleMetrics } from '../core/ports.ts';

/** Supervisor → host. */
export const toHost = {
  /** First frame, but for `snapshot`. JSON: HostSettings; bytes: the guest prelude. */
  hello: 1,
  /** JSON: HostStart; bytes: the module's code. */
  start: 2,
  /** JSON: GuestEvent[] as the guest gets it; bytes: its bodies. */
  post: 3,
  stop: 4,
  /** JSON: how long it has no new turn, ms: it sent too much. */
  rest: 5,
  /** Before `hello`, if there is one. Bytes: what makePreludeSnapshot made of the prelude. */
  snapshot: 6,
} as const;

/**
 * Host → supervisor. `wedged` and `pulse` come on a pipe of their own, written at once: a module that
 * floods the host must not be able to hide behind its own requests.
 */
export const fromHost = {
  started: 1,
  /** JSON: GuestRequest[] as the guest wrote it, not looked at; bytes: its bodies. */
  requests: 2,
  /** JSON: Ending, with the last ModulePulse as `used`. */
  ended: 3,
  /** This isolate cannot be stopped: kill the host. JSON: Ending, as it is to be told. */
  wedged: 4,
  /** JSON: ModulePulse[], of those that ran since the last; also the sign that the host lives. */
  pulse: 5,
  /** Nothing but a post will wake this module. JSON: how many of them it has handled; only where asked for. */
  quiet: 6,
} as const;

export type HostStart = {
  readonly module: string;
  /** GuestBoot as JSON text. */
  readonly boot: string;
  /** What it begins to be random with: SEED_BYTES, base64. */
  readonly seed: string;
  readonly grants: Grants;
  /** Why this device cannot run it, as far as the supervisor knows; the host finds the rest. */
  readonly problems: readonly string[];
  readonly limits: ModuleLimits;
  /** Somebody wants to know when it is `quiet`. */
  readonly tellsQuiet: boolean;
};

/** What one module used, as the host sees it; its heap when it last rested. */
export type ModulePulse = ModuleMetrics & {
  readonly handle: number;
  /** By how much the host grew while this module ran: the trace of memory no heap limit counts. */
  readonly grownBytes: number;
  /** CPU time of the turn under way; 0 = it rests. */
  readonly turnMs: number;
  /** Its isolate was taken away, and yet its code still runs. */
  readonly doomed: boolean;
};

/** Characters of an ending's reason, whoever wrote it. */
export const REASON_LENGTH_MAX = 16_384;

/** The name the module's code has in stack traces; the supervisor finds it there to map it back. */
export function moduleFile(module: string): string {
  return `file:///${encodeURIComponent(module)}/main.js`;
}

/** Reads an Ending a host sent with a frame of this kind, its reason cut; undefined when it is none. */
export function parseEnding(kind: number, json: string): Ending | undefined {
  const value = parse(json) as Partial<Ending> | null | undefined;
  if (typeof value !== 'object' || value === null) return undefined;
  const { cause, exitCode, reason } = value;
  if (endingCauses[kind]?.has(cause as string) !== true || typeof reason !== 'string')
    return undefined;
  if (!Number.isSafeInteger(exitCode)) return undefined;
  return { cause, exitCode, reason: reason.slice(0, REASON_LENGTH_MAX) } as Ending;
}

/** How a module can end in a host that goes on, and in one that has to be killed for it. */
const endingCauses: Readonly<Record<number, ReadonlySet<string>>> = {
  [fromHost.ended]: new Set([
    'stopped',
    'refused',
    'exited',
    'error',
    'out of memory',
    'out of time',
  ]),
  [fromHost.wedged]: new Set(['out of memory', 'wedged', 'crashed']),
};

/** What a module that has ended used, as its last frame says; undefined when it says nothing. */
export function parseUsed(json: string): ModulePulse | undefined {
  const used = (parse(json) as { readonly used?: unknown } | undefined)?.used;
  return isPulse(used) ? used : undefined;
}

/** Reads the pulses a host sent; undefined when they are none. */
export function parsePulses(json: string): readonly ModulePulse[] | undefined {
  const value = parse(json);
  return Array.isArray(value) && value.every(isPulse) ? value : undefined;
}

function isPulse(value: unknown): value is ModulePulse {
  if (typeof value !== 'object' || value === null) return false;
  const pulse = value as Record<keyof ModulePulse, unknown>;
  return (
    isCount(pulse.handle) &&
    isCount(pulse.cpuMs) &&
    isCount(pulse.heapBytes) &&
    isCount(pulse.cpuWaitMs) &&
    isCount(pulse.messageWaitMs) &&
    isCount(pulse.grownBytes) &&
    isCount(pulse.turnMs) &&
    typeof pulse.doomed === 'boolean'
  );
}

function isCount(value: unknown): boolean {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
