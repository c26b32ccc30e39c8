/** What the local API tells, and the CLI shows. */
import type { LogLevel } from './guest-protocol.ts';
import type { ModuleName } from './message.ts';

export type LogLine = {
  readonly atMs: number;
  readonly module: ModuleName;
  readonly level: LogLevel;
  readonly text: string;
};

export type QueueCounters = {
  accepted: number;
  delivered: number;
  /** Messages that had to be written. */
  written: number;
  expired: number;
  /** Let go after too many failed tries. */
  poison: number;
  /** Refused: our limits, or a disk that is full. */
  refused: number;
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
  readonly cpuMs: number | null;
  readonly heapBytes: number | null;
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
    readonly waitingUpstream: number;
  };
  /** Identities with reported properties the hub has not confirmed. */
  readonly twinsPending: number;
};
