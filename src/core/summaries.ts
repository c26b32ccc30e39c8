/** What the local API tells, and the CLI shows. */
import type { LogLevel } from './guest-protocol.ts';
import type { JsonObject } from './json.ts';
import type { ModuleName, Properties } from './message.ts';
import type { Endings, ModuleUse, MostUsed } from './module-use.ts';
import type { HostMemory, ModuleLimits } from './ports.ts';
import type { RestartReason } from './restart-reason.ts';

export type LogLine = {
  readonly atMs: number;
  readonly module: ModuleName;
  readonly level: LogLevel;
  readonly text: string;
  /** Those the module gave it (`log` of 'isolet'). */
  readonly fields?: JsonObject;
};

/** What one module keeps. */
export type KeptSummary = {
  readonly module: ModuleName;
  readonly deployed: boolean;
  readonly keys: number;
  /** Of keys and values. */
  readonly keyBytes: number;
  readonly blobs: number;
  readonly blobBytes: number;
};

/** A message its endpoint failed on, kept for a person. */
export type DeadLetterSummary = {
  readonly id: number;
  readonly endpoint: string;
  readonly source: string;
  readonly enqueuedAt: string;
  readonly deadAt: string;
  readonly attempts: number;
  readonly reason: string;
  /** Body and properties. */
  readonly bytes: number;
};

/** The same with the message. `body` is text; a body that is none is in `bodyBase64`. */
export type DeadLetterContent = DeadLetterSummary & {
  readonly properties: Properties;
  readonly systemProperties: Properties;
  readonly body?: string;
  readonly bodyBase64?: string;
};

export type QueueCounters = {
  accepted: number;
  delivered: number;
  /** Messages that had to be written. */
  written: number;
  expired: number;
  /** Became dead letters: their endpoints failed on them too often, or will never take them. */
  deadLettered: number;
  /** Refused: our limits, or a disk that is full. */
  refused: number;
};

/** `hostPort` 0 = any that is free; `hostIp` '' = every address. */
type PublishedSummary = {
  readonly port: number;
  readonly hostIp: string;
  readonly hostPort: number;
};

export type ModuleSummary = {
  readonly name: string;
  readonly status: string;
  readonly description: string;
  readonly version: string;
  readonly image: string;
  readonly restartCount: number;
  readonly startedAt: string | null;
  readonly connected: boolean;
  /** Deliveries waiting for its inputs. */
  readonly waiting: number;
  /** Why it last ended by something else than our wish; null when it never did. */
  readonly restartReason: RestartReason | null;
  /** Since its last start; null when it does not run. */
  readonly cpuMs: number | null;
  readonly heapBytes: number | null;
  /** Messages waiting for its inputs, and its twin. */
  readonly storageBytes: number;
  /** The host process it runs in, which it may share; null when it does not run. */
  readonly host: HostMemory | null;
  readonly limits: ModuleLimits;
  /** Where it may be reached: ports of its own, and where the device publishes them. */
  readonly ports: readonly PublishedSummary[];
  readonly totals: UseTotals;
};

/** Since a module was first deployed here, over all its starts and ours. */
export type UseTotals = Readonly<ModuleUse> & {
  readonly since: string;
  readonly endings: Endings;
};

/** What a module used over time. */
export type UseHistory = {
  readonly module: ModuleName;
  readonly totals: UseTotals;
  /** Oldest first, the hour under way last, a week at most. Hours in which the device was off are absent. */
  readonly hours: readonly (Readonly<ModuleUse> & MostUsed & { readonly from: string })[];
};

export type RuntimeSummary = {
  readonly version: string;
  readonly device: string;
  readonly pid: number;
  /** Module-host process ids by group. */
  readonly hosts: Readonly<Record<string, number>>;
  readonly connected: boolean;
  readonly deployment: {
    readonly version: number | null;
    readonly code: number;
    readonly description: string;
  };
  readonly messages: QueueCounters & {
    readonly noRoute: number;
    readonly tooLarge: number;
    readonly waiting: number;
    readonly waitingBytes: number;
    readonly waitingUpstream: number;
    /** Waiting for a person to decide about them. */
    readonly deadLetters: number;
    /** Dead letters that made room for newer ones. */
    readonly deadLettersDropped: number;
  };
  /** Identities with reported properties the hub has not confirmed. */
  readonly twinsPending: number;
  /** Lines that could not be kept, and the bytes of all that are. */
  readonly logs: { readonly linesDropped: number; readonly bytes: number };
};
