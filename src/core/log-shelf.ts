/** Where log lines lie: those of each module, and the runtime's own; bounded, the newest are kept. */
import type { ModuleName } from './message.ts';
import type { LogLine } from './summaries.ts';

/** The runtime's own lines, under the names of IoT Edge's identities: no module can be called so. */
export const AGENT_LOG = '$edgeAgent';
export const HUB_LOG = '$edgeHub';

export type LogSettings = {
  /** A file is followed by the next one when it would be longer than this, bytes. */
  readonly fileBytesMax: number;
  /** Files of one module; the oldest go. */
  readonly filesMax: number;
  /** All files of all modules, bytes; the oldest of whoever has most go. */
  readonly totalBytesMax: number;
  /** Lines are gathered so long before they are written, ms; an error takes those before it along at once. */
  readonly flushMs: number;
  /** So many bytes of one module are gathered at most, then they are written at once. */
  readonly pendingBytesMax: number;
  /** Nothing is written while the disk has less than this free. */
  readonly freeBytesMin: number;
};

/**
 * Kind to an SD card: a page that changes is written once in 30 s by the kernel, whatever we do; a file
 * is synced when it is full, once in thousands of lines.
 */
export const LOG_SETTINGS: LogSettings = {
  fileBytesMax: 524_288,
  filesMax: 4,
  totalBytesMax: 67_108_864,
  flushMs: 10_000,
  pendingBytesMax: 65_536,
  freeBytesMin: 33_554_432,
};

export type LogCounters = {
  /** Lines that were never written: the disk was full or failed for too long. */
  linesDropped: number;
  /** Of all files. */
  bytes: number;
};

export interface LogShelf {
  readonly counters: Readonly<LogCounters>;
  append(line: LogLine): void;
  /**
   * All lines appended before this call and still kept, in parts of one file each. `newest`: the newest
   * part first; within a part lines are always in their order. What was torn by a power cut is left out.
   */
  read(module: ModuleName, order: 'oldest' | 'newest'): AsyncIterable<readonly LogLine[]>;
  forget(module: ModuleName): Promise<void>;
  /** Who has lines here. */
  modules(): Promise<readonly ModuleName[]>;
  /** Writes what is gathered. */
  close(): Promise<void>;
}
