/** The emulator's limits, each with its default and the reason for it. */
import type { Clock, Log } from '../core/ports.ts';

export type EmulatorSettings = {
  /** How late a token may be, for boards whose clock is wrong. The hub's own value is not documented. */
  readonly clockSkewMs: number;
  /** TLS handshake, first byte and CONNECT packet each must arrive within this time (IoT Edge: 60 s). */
  readonly connectTimeoutMs: number;
  /** The hub's largest keepalive time-out, 29.45 minutes; a client's longer wish is cut to it. */
  readonly keepaliveMaxMs: number;
  /** Open connections of any kind. More MQTT clients are told 3, "server unavailable". */
  readonly connectionsMax: number;
  /** One MQTT packet: the largest message, a topic of 64 KB, and change. */
  readonly packetBytesMax: number;
  /** Body and properties of a device-to-cloud message (the hub's 256 KB). */
  readonly messageBytesMax: number;
  /** What may wait to be sent to one slow client before it is cut off. */
  readonly outboundBytesMax: number;
  /** Body of one REST request: fifty modules with 32 KB of desired properties fit. */
  readonly requestBytesMax: number;
  /** Payload of a direct method, each way (the hub's 128 KB). */
  readonly methodPayloadBytesMax: number;
  /** Direct methods waiting for one device or module. */
  readonly methodsPendingMax: number;
  /** The service SDK gives up exactly at the response time-out; the 504 must reach it before. */
  readonly methodEarlyMs: number;
  readonly devicesMax: number;
  /** The hub's 50, plus `$edgeAgent` and `$edgeHub`. */
  readonly modulesPerDeviceMax: number;
  /** Stored events; the oldest go first. */
  readonly eventRowsMax: number;
  readonly eventBytesMax: number;
  /** Event streams open at once. */
  readonly watchersMax: number;
  /** Cloud-to-device messages waiting for one device (the hub's 50), and the size of one (64 KB). */
  readonly deviceMessagesMax: number;
  readonly deviceMessageBytesMax: number;
  /** How long one waits when its sender did not say, and at most (the hub's 1 hour, 2 days). */
  readonly deviceMessageTtlMs: number;
  readonly deviceMessageTtlMaxMs: number;
  /** How long a delivered one may go without PUBACK before it is delivered again (the hub's 1 minute). */
  readonly deviceMessageLockMs: number;
  /** Deliveries without PUBACK after which one is given up (the hub's 10). */
  readonly deviceMessageDeliveriesMax: number;
  /** Feedback nobody fetched; the oldest goes first. */
  readonly feedbackRowsMax: number;
  /** Configurations and edge deployments (the hub's 100). */
  readonly configurationsMax: number;
  /** How long after a change a device is measured against them; the hub takes minutes. */
  readonly configurationDelayMs: number;
  /** Devices looked at in one turn. */
  readonly configurationBatch: number;
  /** How late a PUBACK is while the hub plays overloaded. */
  readonly throttledAckMs: number;
  /** The provisioning service's name for itself. */
  readonly dpsIdScope: string;
  readonly enrolmentsMax: number;
  /** How long it takes to assign a device; clients must ask until it is over. */
  readonly dpsAssignMs: number;
  /** What they are told to wait between two questions, seconds (the service says 3). */
  readonly dpsRetryAfterS: number;
};

export const defaultSettings: EmulatorSettings = {
  clockSkewMs: 300_000,
  connectTimeoutMs: 60_000,
  keepaliveMaxMs: 1_767_000,
  connectionsMax: 1_000,
  packetBytesMax: 335_872,
  messageBytesMax: 262_144,
  outboundBytesMax: 4_194_304,
  requestBytesMax: 2_097_152,
  methodPayloadBytesMax: 131_072,
  methodsPendingMax: 64,
  methodEarlyMs: 75,
  devicesMax: 1_000,
  modulesPerDeviceMax: 52,
  eventRowsMax: 10_000,
  eventBytesMax: 67_108_864,
  watchersMax: 16,
  deviceMessagesMax: 50,
  deviceMessageBytesMax: 65_536,
  deviceMessageTtlMs: 3_600_000,
  deviceMessageTtlMaxMs: 172_800_000,
  deviceMessageLockMs: 60_000,
  deviceMessageDeliveriesMax: 10,
  feedbackRowsMax: 10_000,
  configurationsMax: 100,
  configurationDelayMs: 100,
  configurationBatch: 20,
  throttledAckMs: 2_000,
  dpsIdScope: '0ne00150LE7',
  enrolmentsMax: 1_000,
  dpsAssignMs: 200,
  dpsRetryAfterS: 1,
};

/** What happened since the start, for tests and for people who wonder. */
export type Counters = {
  connected: number;
  refused: number;
  /** Connections closed because a newer one came with the same identity. */
  evicted: number;
  /** Connections closed because the client broke the protocol or a limit. */
  violations: number;
  /** Connections closed because the client did not read what it was sent. */
  tooSlow: number;
  events: number;
  /** Events that made room for newer ones. */
  eventsPruned: number;
  /** Cloud-to-device messages a device acknowledged, and those given up (expired, too many tries, purged). */
  messagesCompleted: number;
  messagesDead: number;
  /** PUBACKs kept back on purpose (faults.ts). */
  acksDropped: number;
};

export function newCounters(): Counters {
  return {
    connected: 0,
    refused: 0,
    evicted: 0,
    violations: 0,
    tooSlow: 0,
    events: 0,
    eventsPruned: 0,
    messagesCompleted: 0,
    messagesDead: 0,
    acksDropped: 0,
  };
}

/** What every part of the emulator is given. */
export type Surroundings = {
  readonly clock: Clock;
  readonly log: Log;
  readonly settings: EmulatorSettings;
  readonly counters: Counters;
};
