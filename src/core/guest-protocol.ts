/**
 * The treaty between the runtime and the code in an isolate. Only JSON text and one byte buffer
 * cross the border, in batches: events go in through the guest's door, requests come out of its
 * outbox. Version 1. Both sides must keep to this file.
 *
 *   supervisor ──GuestEvent[]──▶ module host ──▶ door(events, bytes, hostEvents)      in the isolate
 *   supervisor ◀─GuestRequest[]─ module host ◀── outbox(requests, bytes, hostCalls, timerMs)
 *
 * The host passes events and requests through as text without parsing them; HostEvent and HostCall
 * are between the host and the guest alone. Everything that comes out of an isolate is hostile until
 * the supervisor has checked it.
 */
import type { BlobAsk } from './blobs.ts';
import type { Json, JsonObject } from './json.ts';
import type { KeptAsk } from './kept.ts';
import type { Properties } from './message.ts';
import type { MetricFamily } from './own-metrics.ts';

/** Written into each bundle; a runtime serves this version and the one before. */
export const TREATY_VERSION = 1;

/**
 * A message body: text when it is valid UTF-8 and not large, otherwise the number of its bytes. Those
 * bytes lie in the batch's byte buffer, one body after the other, in the order of the items.
 */
type WireBody = string | number;

/**
 * The first line of a module's code that is a classic script and no ES module: CommonJS without "use
 * strict" keeps its meaning only there.
 */
export const SCRIPT_MARK = '//isolet:script';

/** Bodies above this cross as bytes even when they are text: bytes are moved, text is copied and escaped. */
export const TEXT_BYTES_MAX = 65_536;

/** Supervisor → module. */
export type GuestEvent =
  /** A message for an input. The guest answers with `ack` or `nack` of `id`. `s` uses the names of core/message.ts. */
  | {
      readonly t: 'input';
      readonly id: number;
      readonly input: string;
      readonly p: Properties;
      readonly s: Properties;
      readonly b: WireBody;
    }
  /** A desired-properties patch with its `$version`; sent only after `listen: 'desired'`. */
  | { readonly t: 'desired'; readonly patch: JsonObject }
  /** A direct method call; sent only after `listen: 'methods'`. */
  | { readonly t: 'method'; readonly id: number; readonly name: string; readonly payload: Json }
  /** The answer to the request with this `call`. */
  | { readonly t: 'reply'; readonly call: number; readonly value: Json }
  /** The same for all of these, each with the value null. */
  | { readonly t: 'replies'; readonly calls: readonly number[] }
  /** `error.name` is a class name of azure-iot-common's `errors`. */
  | {
      readonly t: 'reply';
      readonly call: number;
      readonly error: { readonly name: string; readonly message: string };
    };

/** Module → supervisor. `call` numbers are the guest's own, each answered exactly once by a `reply`. */
export type GuestRequest =
  /** Send a message; `output` null is the unnamed output. The reply's value is null. */
  | {
      readonly t: 'send';
      readonly call: number;
      readonly output: string | null;
      readonly p: Properties;
      readonly s: Properties;
      readonly b: WireBody;
    }
  /** These inputs are processed. An ack never overtakes a `send` made before it. */
  | { readonly t: 'ack'; readonly ids: readonly number[] }
  /** These inputs failed in the module (its handler threw or rejected); they are delivered again. */
  | { readonly t: 'nack'; readonly ids: readonly number[]; readonly reason: string }
  /** From now on send me these events; `ready`: no events, who waits for me may start. */
  | { readonly t: 'listen'; readonly what: 'inputs' | 'desired' | 'methods' | 'ready' }
  | { readonly t: 'unlisten'; readonly what: 'inputs' | 'desired' | 'methods' }
  /** Read my twin. The reply's value is `{ desired, reported }`, each with `$version`. */
  | { readonly t: 'twin'; readonly call: number }
  /** Merge a patch into my reported properties. The reply's value is null. */
  | { readonly t: 'report'; readonly call: number; readonly patch: JsonObject }
  /** Call a direct method of another module (or of a device, `module` null). Replies `{ status, payload }`. */
  | {
      readonly t: 'invoke';
      readonly call: number;
      readonly device: string;
      readonly module: string | null;
      readonly name: string;
      readonly payload: Json;
      readonly responseTimeoutS: number;
      readonly connectTimeoutS: number;
    }
  /** The answer to the `method` event with this id. */
  | {
      readonly t: 'answer';
      readonly id: number;
      readonly status: number;
      readonly payload: Json;
    }
  /** Use what I keep by key (core/kept.ts). Replies texts or nulls, a page, or null. */
  | { readonly t: 'keep'; readonly call: number; readonly ask: KeptAsk }
  /** Use my blobs (core/blobs.ts). Replies what is asked for. */
  | { readonly t: 'blob'; readonly call: number; readonly ask: BlobAsk }
  /** One console line, formatted in the guest; or a line of its log, with fields. */
  | {
      readonly t: 'log';
      readonly level: LogLevel;
      readonly text: string;
      readonly fields?: JsonObject;
    }
  /** Metrics of its own that have changed. */
  | { readonly t: 'metrics'; readonly families: readonly MetricFamily[] };

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Module host → guest. */
export type HostEvent =
  /** The guest's earliest timer is due: run all that are. */
  | { readonly t: 'timers' }
  /** The answer to the HostCall with this number. */
  | { readonly t: 'done'; readonly call: number; readonly value: Json }
  | {
      readonly t: 'done';
      readonly call: number;
      /** `code` is Node's (`ENOENT`, `EACCES`, …). */
      readonly error: { readonly code: string; readonly message: string };
    }
  /**
   * A promise was rejected, and nobody had asked for that by the end of its turn: isolated-vm tells the host, and
   * nobody else. An error arrives as its parts, what else is no object as it is. The door answers `true` when the
   * module takes it; else it is over. `loading`: what failed may be the loading itself.
   */
  | {
      readonly t: 'rejected';
      readonly loading: boolean;
      readonly thrown?: { readonly name: string; readonly message: string; readonly stack: string };
      readonly value?: Json;
    }
  /** News from something the module opened; `source` is the number it was given for it. */
  | {
      readonly t: 'signal';
      readonly service: string;
      readonly source: number;
      readonly value: Json;
    };

/** Guest → module host. */
export type HostCall =
  /** `process.exit(code)`. Never answered. */
  | { readonly t: 'exit'; readonly code: number }
  /** Read a file below a granted directory as UTF-8 text; `path` as the module sees it. Value: the text. */
  | { readonly t: 'readFile'; readonly call: number; readonly path: string }
  /** List a granted directory. Value: names. */
  | { readonly t: 'readDir'; readonly call: number; readonly path: string }
  /** Write a file below a directory granted read-write. Value: null. */
  | {
      readonly t: 'writeFile';
      readonly call: number;
      readonly path: string;
      readonly text: string;
    }
  /**
   * Use one of the device's services (src/host/device-services.ts); which words and arguments there
   * are is between the service and its half in the guest. Value: what the service says.
   */
  | {
      readonly t: 'ask';
      readonly call: number;
      readonly service: string;
      readonly what: string;
      readonly args: Json;
    };

/** What the guest is told once, before any of its code runs (as JSON text). */
export type GuestBoot = {
  readonly treaty: number;
  readonly module: string;
  readonly device: string;
  /** `process.env`: the manifest's env plus IoT Edge's own names (spec/iotedge.md §11.5). */
  readonly env: Readonly<Record<string, string>>;
  /** `process.arch`; undefined in the guest when the host does not tell. */
  readonly arch?: string;
  /** Characters of one console line, if not the guest's own limit. */
  readonly lineMax?: number | undefined;
};

/**
 * The prelude leaves this function on the isolate's global under the name in `BOOT_NAME`; the host
 * takes it away and calls it once. It returns the door. The seed is `SEED_BYTES` of the host's strong
 * random generator, fresh for each start: beside the boot text, so that nobody keeps or logs it.
 */
export type GuestBootFunction = (outbox: Outbox, boot: string, seed?: ArrayBuffer) => Door;
export const BOOT_NAME = '__isoletBoot';
export const SEED_BYTES = 32;

/** Host → guest, one call per batch. `''` stands for no events. Never throws. `true` = a rejection is taken. */
export type Door = (
  events: string,
  bytes: ArrayBuffer | undefined,
  hostEvents: string,
) => boolean | undefined;

/**
 * Guest → host, at most one call per turn of the guest. `''` stands for no requests or calls.
 * `timerMs` is the delay to the guest's earliest timer, -1 when it has none.
 */
export type Outbox = (
  requests: string,
  bytes: Uint8Array | undefined,
  hostCalls: string,
  timerMs: number,
) => void;
