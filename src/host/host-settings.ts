/** Every limit of the module host in one place, with its default and the reason for it. */
import { type DeviceLimits, defaultDeviceLimits } from './devices/device-limits.ts';
import { defaultHttpServerLimits, type HttpServerLimits } from './http-server-limits.ts';

export type HostSettings = {
  /** How often the host compares running turns with their limits, ms. */
  readonly tickMs: number;
  /**
   * A turn may last this many times its CPU limit on the wall: a module asleep in `Atomics.wait`
   * uses no CPU, and yet it answers nobody.
   */
  readonly wallFactor: number;
  /**
   * A turn that is too long is cut short by V8, which knows where the code was, and counts wall time: for a desk,
   * where one module has the machine.
   */
  readonly tellsWhere: boolean;
  /** A disposed isolate still running after this cannot be stopped, ms. */
  readonly wedgeMs: number;
  /** How often the host tells that it lives, and what its modules use, ms. */
  readonly heartbeatMs: number;
  /** A host silent for so long is killed, ms. Its thread runs no module code, so it is never busy. */
  readonly silenceMs: number;
  /** What a host is given to say its first word, ms: Node from a slow card on a busy board. */
  readonly bootMs: number;
  /** A host that has not ended a module so long after we asked is killed, ms. */
  readonly stopMs: number;
  /** A module without a turn for so long has its heap collected, once, ms. Takes some ms of CPU time. */
  readonly restMs: number;
  /** How often the supervisor looks at a host's memory, ms. A module can take 2 GB/s. */
  readonly memoryMs: number;
  /** Memory (RSS) a host may use before any module is counted, MB. It starts with 50 to 60. */
  readonly baseMb: number;
  /** For each MB of its modules' heap limits a host may use so many: a heap may overshoot before V8 ends it. */
  readonly heapFactor: number;
  /** No host may use more than this part of the machine's memory, so that we kill it before the kernel does. */
  readonly memoryShare: number;
  /** A host without modules is kept this long, ms: a module being updated finds it warm. */
  readonly idleMs: number;
  /** A spare isolate, ready for the next module, is kept this long after a start, ms; 0 = none. It takes 2 MB. */
  readonly spareMs: number;
  /** Largest frame either way, bytes. */
  readonly frameBytesMax: number;
  /** Bytes that may wait in the host for one module's next turn; more ends the module. */
  readonly inboxBytesMax: number;
  /** Bytes of one module's requests that may wait for the supervisor; more ends the module. */
  readonly outboxBytesMax: number;
  /** With so many bytes waiting for the supervisor the host's modules get no new turns. */
  readonly queuedBytesMax: number;
  /** Outbox calls in one turn; the treaty knows one, flushes in a microtask may make it some more. */
  readonly outboxCallsMax: number;
  /** Bytes that may wait on the pipe to one host; more kills the host. */
  readonly pipeBytesMax: number;
  /** Requests in one batch, and calls to the host in one turn. */
  readonly requestsMax: number;
  /** Characters of a name: output, method, module, device. */
  readonly nameLengthMax: number;
  /** Characters of a log line or a reason; the rest is cut off. */
  readonly textLengthMax: number;
  /** Nesting of a payload or a patch; deeper JSON would overflow the stack of whoever walks it. */
  readonly jsonDepthMax: number;
  /** What a module may read or write of a file at once, bytes. */
  readonly fileBytesMax: number;
  /** A file a module appends to grows no larger than this, bytes. */
  readonly grownFileBytesMax: number;
  /** Files one module may have open. */
  readonly openFilesMax: number;
  /** Calls to the host of one module under way at once: files, and what else it uses of the device. */
  readonly hostCallsMax: number;
  /** News of the device (`signal`) that may wait for one module's next turn; the rest is dropped. */
  readonly signalsMax: number;
  readonly httpServer: HttpServerLimits;
  readonly devices: DeviceLimits;
  /** A fetch from its beginning to the last byte of the answer, redirects included, ms. */
  readonly fetchMs: number;
  /** Fetches of one module at once; one is over when its answer has been read. */
  readonly fetchesMax: number;
  /** Largest body of a fetch's request, bytes; the guest's own limit is the same (src/guest/web/fetch.ts). */
  readonly fetchRequestBytesMax: number;
  /** Largest body of its answer, bytes. */
  readonly fetchResponseBytesMax: number;
  /** Headers of a request or of an answer, bytes. */
  readonly fetchHeaderBytesMax: number;
  /** WebSockets of one module open at once. */
  readonly webSocketsMax: number;
  /** Largest message of a WebSocket, bytes; with as many waiting for the module no more is read. */
  readonly webSocketMessageBytesMax: number;
  /** Compressions of one module under way at once; each takes up to 0.3 MB. */
  readonly compressionsMax: number;
  /** Bytes of a host's own stdout and stderr that reach the log. */
  readonly outputBytesMax: number;
};

/** Those the config file can set. */
export type HostLimits = Pick<
  HostSettings,
  | 'httpServer'
  | 'devices'
  | 'fetchMs'
  | 'fetchesMax'
  | 'fetchResponseBytesMax'
  | 'fetchHeaderBytesMax'
  | 'webSocketsMax'
>;

const MB = 1_048_576;

export const defaultHostSettings: HostSettings = {
  tickMs: 50,
  wallFactor: 10,
  tellsWhere: false,
  wedgeMs: 1_000,
  heartbeatMs: 1_000,
  silenceMs: 5_000,
  bootMs: 30_000,
  stopMs: 3_000,
  restMs: 5_000,
  memoryMs: 100,
  baseMb: 128,
  heapFactor: 2,
  memoryShare: 0.75,
  idleMs: 10_000,
  spareMs: 10_000,
  frameBytesMax: 16 * MB,
  inboxBytesMax: 32 * MB,
  outboxBytesMax: 32 * MB,
  queuedBytesMax: MB,
  outboxCallsMax: 10_000,
  pipeBytesMax: 64 * MB,
  requestsMax: 65_536,
  nameLengthMax: 1_024,
  textLengthMax: 16_384,
  jsonDepthMax: 64,
  fileBytesMax: MB,
  grownFileBytesMax: 64 * MB,
  openFilesMax: 32,
  hostCallsMax: 64,
  signalsMax: 1_024,
  httpServer: defaultHttpServerLimits,
  devices: defaultDeviceLimits,
  fetchMs: 30_000,
  fetchesMax: 16,
  fetchRequestBytesMax: MB,
  fetchResponseBytesMax: 4 * MB,
  fetchHeaderBytesMax: 16_384,
  webSocketsMax: 8,
  webSocketMessageBytesMax: MB,
  compressionsMax: 32,
  outputBytesMax: 65_536,
};
