/**
 * The edges of the program on one page. Interfaces live here, implementations in their rooms, fakes
 * in test/fakes; each port has one contract suite in test/contracts that both pass.
 */
import type { Asked } from './asked.ts';
import type { DeviceGrant } from './device-grant.ts';
import type { Fault } from './fault.ts';
import type { GuestEvent, GuestRequest } from './guest-protocol.ts';
import type { Json, JsonObject } from './json.ts';
import type { KeepLimits, KeptStore, KeptWrite } from './kept.ts';
import type { EndpointId, Message, ModuleName } from './message.ts';
import { type NetworkGrant, noNetwork } from './network-grant.ts';
import type { PortGrant } from './port-grant.ts';
import type { RegistryCredentials } from './registry-credentials.ts';

export type Cancel = () => void;

/** Time, passed in so that tests can run years in seconds. */
export interface Clock {
  /** Wall clock, ms since 1970; may step by decades when a board without a clock learns the time. */
  now(): number;
  /** Monotonic ms since some point of this process's life; never steps. */
  elapsed(): number;
  after(delayMs: number, run: () => void): Cancel;
}

export type LogFields = Readonly<Record<string, unknown>>;

/** The message is a constant sentence, the data are fields. Never secrets, never message bodies. */
export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

// ---------------------------------------------------------------------------------------- store

/** One accepted message's place in the queue of one endpoint. */
export type DeliveryRow = {
  readonly endpoint: EndpointId;
  /** 0 first … 9; IoT Edge's "no priority" is 2_000_000_000 (spec/iotedge.md §5.1). */
  readonly priority: number;
  /** The device's time (supervisor/device-time.ts), not the wall's; Number.MAX_SAFE_INTEGER = never. */
  readonly expiresAtMs: number;
};

export type StoredDelivery = DeliveryRow & {
  readonly seq: number;
  readonly enqueuedAtMs: number;
  readonly message: Message;
};

/** A message its endpoint failed on until it was moved out of the way, kept for a person to decide about. */
export type DeadLetter = {
  readonly endpoint: EndpointId;
  readonly priority: number;
  readonly enqueuedAtMs: number;
  readonly message: Message;
  /** How often it was tried. */
  readonly attempts: number;
  /** Why the last try failed, in words. */
  readonly reason: string;
  /** Wall clock ms. */
  readonly deadAtMs: number;
};

/** `id` grows with each one and is never used again. */
export type StoredDeadLetter = DeadLetter & { readonly id: number };

/** A twin as it lies in the store. `desired` and `reported` carry `$version` when the hub told it. */
export type TwinRow = {
  readonly desired: JsonObject;
  readonly reported: JsonObject;
  /** Reported changes the hub has not confirmed, nulls kept; null = none. */
  readonly pending: JsonObject | null;
  /** When the twin last came from the hub whole, wall clock ms; null = never. */
  readonly syncedAtMs: number | null;
};

/** Restart statistics of one module (spec/iotedge.md §3.2). */
export type StatisticsRow = {
  readonly restartCount: number;
  readonly lastRestartAtMs: number | null;
  readonly lastStartAtMs: number | null;
  readonly lastExitAtMs: number | null;
  readonly exitCode: number;
  /** Why it last ended, in words for a person; '' when it never did. */
  readonly exitReason: string;
  /** The same in one word; undefined when it never did. */
  readonly exitCause?: EndingCause | undefined;
  /** It brought a host down once, so it runs in a host of its own. */
  readonly quarantined: boolean;
};

/** One change of the store. A batch of them is one transaction. */
export type StoreWrite =
  | {
      readonly kind: 'append';
      /** Strictly increasing over the life of the store. */
      readonly seq: number;
      readonly enqueuedAtMs: number;
      readonly message: Message;
      /** At least one. */
      readonly deliveries: readonly DeliveryRow[];
    }
  /** The delivery is done; the message goes with its last delivery. Absent ones are ignored. */
  | {
      readonly kind: 'remove';
      readonly endpoint: EndpointId;
      readonly priority: number;
      readonly seq: number;
    }
  /** The delivery `seq` becomes a dead letter; it need not be there any more. */
  | (DeadLetter & { readonly kind: 'deadLetter'; readonly seq: number })
  /** null = all of them. */
  | { readonly kind: 'dropDeadLetters'; readonly ids: readonly number[] | null }
  | { readonly kind: 'twin'; readonly module: ModuleName; readonly twin: TwinRow | null }
  | {
      readonly kind: 'statistics';
      readonly module: ModuleName;
      readonly statistics: StatisticsRow | null;
    }
  /** A named JSON document: `deployment`, `lastGood`, `routes` … null removes it. */
  | { readonly kind: 'document'; readonly name: string; readonly value: Json }
  | KeptWrite;

/** What a start needs to know at once; deliveries themselves are read when wanted. */
export type StoreSnapshot = {
  /** Highest seq ever used, 0 in a new store. */
  readonly lastSeq: number;
  readonly lanes: readonly {
    readonly endpoint: EndpointId;
    readonly priority: number;
    readonly count: number;
    /** Sizes of their messages (messageSize), added up. */
    readonly bytes: number;
  }[];
  readonly deadLetters: { readonly count: number; readonly bytes: number };
  readonly twins: Readonly<Record<ModuleName, TwinRow>>;
  readonly statistics: Readonly<Record<ModuleName, StatisticsRow>>;
  readonly documents: Readonly<Record<string, Json>>;
};

/** What survives a power cut. Calls are carried out in the order they were made. Rejections are Faults: DISK_FULL, STORE_DAMAGED. */
export interface Store extends KeptStore {
  load(): Promise<StoreSnapshot>;
  /** One transaction: all or nothing, durable when it resolves. */
  commit(writes: readonly StoreWrite[]): Promise<void>;
  /** The next deliveries of one lane after `afterSeq` (0 = from the start), in order, `limit` at most. */
  read(
    endpoint: EndpointId,
    priority: number,
    afterSeq: number,
    limit: number,
  ): Promise<readonly StoredDelivery[]>;
  /** The dead letters after `afterId` (0 = from the start), oldest first, `limit` at most. */
  readDeadLetters(afterId: number, limit: number): Promise<readonly StoredDeadLetter[]>;
  close(): Promise<void>;
}

// ---------------------------------------------------------------------------------- module host

/** A host directory a module may use, from `HostConfig.Binds`. */
export type Bind = {
  /** Absolute path on the device. */
  readonly source: string;
  /** Absolute path as the module sees it. */
  readonly target: string;
  readonly writable: boolean;
  /** The field of the deployment that grants it, for sentences about it. */
  readonly at?: string;
};

/** What of the device a module may touch. */
export type Grants = {
  readonly binds: readonly Bind[];
  readonly devices: readonly DeviceGrant[];
  readonly ports: readonly PortGrant[];
  readonly network: NetworkGrant;
};

export const noGrants: Grants = { binds: [], devices: [], ports: [], network: noNetwork };

export type ModuleStart = {
  readonly module: ModuleName;
  /** ES module text, one file, no imports left. */
  readonly code: string;
  /** Source map JSON, or '' when the bundle has none. */
  readonly sourceMap: string;
  readonly device: string;
  readonly env: Readonly<Record<string, string>>;
  readonly grants: Grants;
  readonly limits: ModuleLimits;
  /** Modules of one group share a host process; a group of one is a quarantine. */
  readonly group: string;
  /**
   * What all modules of the group are granted: a host gets its rights when it starts, and one for all
   * costs less memory than one for each. Undefined = nobody else's are known.
   */
  readonly groupGrants?: readonly Grants[];
};

export type ModuleLimits = KeepLimits & {
  /** V8 heap of the isolate, MB. */
  readonly heapMb: number;
  /** Loading the code, to the end of its first turn, ms of CPU time. */
  readonly startMs: number;
  /** Any later turn, ms of CPU time. */
  readonly turnMs: number;
  /** CPU time over time, 1 = one CPU; undefined = as much as there is. Above it the next turn waits. */
  readonly cpuShare?: number;
  /** Messages it may send, over time; undefined = no limit. Above it the next turn waits. */
  readonly messagesPerSecond?: number;
  /** Console lines, over time; undefined = no limit. More are dropped and counted. */
  readonly logLinesPerSecond?: number;
  /** Characters of one of them; undefined = the guest's own limit. The rest is cut. */
  readonly logLineLengthMax?: number;
  /** Requests without an answer yet; undefined = no limit. More are refused with TOO_MANY_REQUESTS. */
  readonly outstandingRequestsMax?: number;
  /** Bytes (messageSize) that may wait for its inputs together; undefined = each input's own limit. */
  readonly storageBytesMax?: number;
};

export type EndingCause =
  | 'stopped' // we asked for it
  | 'refused' // this device cannot give it what its settings ask for; none of its code ran
  | 'exited' // process.exit
  | 'error' // uncaught error or unhandled rejection
  | 'out of memory'
  | 'out of time'
  | 'wedged' // could not be stopped; the host was killed for it
  | 'crashed' // V8 itself gave up because of it, or the host died of a fault while it was the one at work
  | 'host lost'; // the host died, and this module was not the cause

/** How a module ended. */
export type Ending = {
  readonly cause: EndingCause;
  /** process.exit's code; 0 when stopped; 137 when killed and 125 when refused, as a container's; 1 otherwise. */
  readonly exitCode: number;
  /** One sentence for a person, with the source-mapped stack of an error. */
  readonly reason: string;
  /** This module had to be ended by killing its host: it gets a host of its own from now on. */
  readonly tookHost?: boolean;
};

/** What a running module may ask of us. */
export interface ModuleSink {
  /** The code has been loaded and its first turn is over. */
  started(): void;
  /**
   * Requests as they came, each already checked against the treaty. `bodies[i]` belongs to `requests[i]`
   * when that is a `send`. A promise asks for patience: nothing more is read from the module's host
   * until it settles.
   */
  requests(
    requests: readonly GuestRequest[],
    bodies: readonly (Uint8Array | undefined)[],
  ): Promise<void> | undefined;
  /**
   * Whoever has this is told when the module has come to rest for good, unless we post something: no timer
   * is set, nothing it asked of the device is under way, nothing is open there. `posts` were handled by then.
   */
  quiet?(posts: number): void;
  /** Called once, last. `used`: what it used until then. */
  ended(ending: Ending, used: ModuleMetrics): void;
}

/** One module in a host. After `ended` everything here is ignored. */
export interface RunningModule {
  /** `bodies[i]` belongs to `events[i]` when that is an `input` whose `b` is a number. */
  post(events: readonly GuestEvent[], bodies: readonly (Uint8Array | undefined)[]): void;
  /** Ends the module; resolves after `ended('stopped')` was called. */
  stop(): Promise<void>;
}

/** Counters of one running module, since its start. */
export type ModuleMetrics = {
  readonly cpuMs: number;
  /** Now, not since its start. */
  readonly heapBytes: number;
  /** How long it had something to do and waited, for the sake of its CPU share. */
  readonly cpuWaitMs: number;
  /** The same for its messages per second. */
  readonly messageWaitMs: number;
};

/** Memory of a host process as the kernel counts it. */
export type HostMemory = {
  readonly pid: number;
  /** Those that run in it. */
  readonly modules: readonly ModuleName[];
  readonly residentBytes: number;
  /** The same with memory shared between processes divided among them; null when the kernel does not say. */
  readonly proportionalBytes: number | null;
};

/** The container engine's place: isolates in host processes. */
export interface ModuleHost {
  start(start: ModuleStart, sink: ModuleSink): RunningModule;
  /** The module's last known use; undefined when it does not run. */
  metrics(module: ModuleName): ModuleMetrics | undefined;
  /** Of each host alive; read when asked, which costs a millisecond or two for each. */
  memory(): readonly HostMemory[];
  /** Process ids of the hosts alive, by group. */
  processes(): Readonly<Record<string, number>>;
  stop(): Promise<void>;
}

// ------------------------------------------------------------------------------------- upstream

/** What one module needs to speak to the hub as itself. `key` never leaves the supervisor. */
export type ModuleCredentials = {
  /** The hub's host name, with a port when it is not the standard one. */
  readonly hostName: string;
  readonly deviceId: string;
  readonly moduleId: ModuleName;
  readonly generationId: string;
  /** Base64 symmetric key. */
  readonly key: string;
};

/** Module identities at the hub, made with the device's own credentials (spec/iothub.md §6.1). */
export interface Identities {
  readonly deviceId: string;
  readonly hostName: string;
  /**
   * The module's credentials: from this device's own memory when it has been here before, otherwise
   * the identity is created (or taken over) at the hub. Rejects with UPSTREAM_AWAY, CREDENTIALS_REFUSED.
   */
  ensure(module: ModuleName): Promise<ModuleCredentials>;
  /** The hub refused these credentials: forget them, so that the next `ensure` asks the hub. */
  forget(module: ModuleName): void;
  stop(): Promise<void>;
}

export type MethodCall = { readonly name: string; readonly payload: Json };
export type MethodReply = { readonly status: number; readonly payload: Json };

/** A whole twin as the hub gives it: both sections with `$version`. */
export type TwinDocument = { readonly desired: JsonObject; readonly reported: JsonObject };

/** What the cloud may ask of one of our identities. */
export interface LinkSink {
  /** The link works: sends, reads and reports may be tried. */
  online(): void;
  offline(fault: Fault): void;
  /** A desired-properties patch with its `$version`. */
  desired(patch: JsonObject): void;
  /** Undefined = no such method: the hub's caller gets its time-out. */
  method(call: MethodCall): Promise<MethodReply | undefined>;
}

/** undefined = the hub has it; otherwise why not. A fault of the world is worth another try. */
export type SendOutcome = Fault | undefined;

/** One identity's connection to the cloud. It connects, and connects again, by itself until closed. */
export interface Link {
  /** Sends in order; one outcome per message. Never rejects. */
  send(messages: readonly Message[]): Promise<readonly SendOutcome[]>;
  /** Rejects with UPSTREAM_AWAY, UPSTREAM_REFUSED or TIMED_OUT. */
  readTwin(): Promise<TwinDocument>;
  /** Sends a reported patch (nulls delete). Rejects like readTwin, or with TWIN_INVALID when the hub refuses it for good. */
  report(patch: JsonObject): Promise<void>;
  close(): Promise<void>;
}

export interface Upstream {
  open(module: ModuleName, sink: LinkSink): Link;
  stop(): Promise<void>;
}

// ------------------------------------------------------------------------------------ artifacts

/** A module's bundle, verified by digest. */
export type Bundle = {
  /** `sha256:<hex>` of the archive. */
  readonly digest: string;
  readonly name: string;
  readonly version: string;
  readonly treaty: number;
  /** What it asks to touch; absent = it declares nothing, and gets what the deployment grants. */
  readonly asked?: Asked;
  readonly code: string;
  readonly sourceMap: string;
};

/** Bundles by image reference: fetched once, verified, kept. */
export interface Bundles {
  /** The bundle if it is on this device and intact. Rejects with IMAGE_INVALID, BUNDLE_INVALID. */
  find(image: string): Promise<Bundle | undefined>;
  /**
   * Fetches, verifies by digest, keeps. Rejects with IMAGE_INVALID, BUNDLE_INVALID, DOWNLOAD_FAILED,
   * DISK_FULL. When `unwanted` resolves it ends as DOWNLOAD_FAILED; what has come stays for another time.
   */
  fetch(image: string, logins?: RegistryCredentials, unwanted?: Promise<void>): Promise<Bundle>;
  /** Drops every bundle no reference of `images` names. */
  collect(images: readonly string[]): Promise<void>;
}
