/**
 * Cloud-to-device messages: a queue per device (spec/iothub.md §2.4).
 *
 *   send ─▶ waiting ─take─▶ locked ─complete─▶ gone, `Success`
 *              ▲               │ lock ran out, or the connection ended
 *              └───────────────┤
 *                              └─▶ gone: `DeliveryCountExceeded`; waiting too long: `Expired`
 *
 * Locks live in memory: a hub that dies holds none. What its sender asked to hear goes to feedback.ts.
 */
import type { Cancel } from '../core/ports.ts';
import type { Feedback, FeedbackStatus } from './feedback.ts';
import { HubError } from './hub-error.ts';
import type { IdentityRegistry } from './identity-registry.ts';
import type { Surroundings } from './settings.ts';
import type { State } from './state.ts';

/** Which outcomes the sender wants to hear of. */
export const messageAcks = ['none', 'positive', 'negative', 'full'] as const;
export type MessageAck = (typeof messageAcks)[number];

type MessageEnvelope = {
  /** null = a key without a value. */
  readonly properties: Readonly<Record<string, string | null>>;
  /** By the names services use: message-id, correlation-id, user-id, content-type, content-encoding. */
  readonly system: Readonly<Record<string, string>>;
};

export type NewDeviceMessage = MessageEnvelope & {
  readonly body: Uint8Array;
  readonly ack: MessageAck;
  /** Wall clock ms; undefined = the default time to live. Never further away than the longest one. */
  readonly expiresAtMs: number | undefined;
};

export type DeviceMessage = MessageEnvelope & {
  readonly seq: number;
  readonly body: Uint8Array;
  readonly ack: MessageAck;
  readonly expiresAtMs: number;
  /** How often it was delivered, this time included. */
  readonly deliveries: number;
};

export interface DeviceMessages {
  /** Throws DeviceNotFound, ArgumentInvalid, MessageTooLarge, DeviceMaximumQueueDepthExceeded. */
  send(device: string, message: NewDeviceMessage): void;
  /** Waiting or locked. */
  count(device: string): number;
  /** Throws away what waits, locked or not; returns how many. */
  purge(device: string): number;
  /** The oldest nobody holds, now held: until it is completed, released, or its lock runs out. */
  take(device: string): DeviceMessage | undefined;
  /** The device has it. False when it was not held any more. */
  complete(device: string, seq: number): boolean;
  /** The connection ended: what the device held waits again. */
  releaseAll(device: string): void;
  /** Calls `run` when something may be there to take, until the result is called. */
  watch(device: string, run: () => void): Cancel;
  stop(): void;
}

type Row = {
  readonly seq: number;
  readonly device: string;
  readonly enqueued_at_ms: number;
  readonly expires_at_ms: number;
  readonly ack: MessageAck;
  readonly deliveries: number;
  readonly envelope: string;
  readonly body: Buffer;
};

const MESSAGE_ID_CHARACTERS_MAX = 128;
/** Timers hold no more than this. */
const TIMER_MS_MAX = 2_147_483_647;

export function createDeviceMessages(
  state: State,
  parts: { readonly registry: IdentityRegistry; readonly feedback: Feedback },
  surroundings: Surroundings,
): DeviceMessages {
  const { clock, log, settings, counters } = surroundings;
  const insert = state.prepare(
    'INSERT INTO device_message (device, enqueued_at_ms, expires_at_ms, ack, deliveries, envelope, body) VALUES (?, ?, ?, ?, 0, ?, ?)',
  );
  const seqsOf = state
    .prepare('SELECT seq FROM device_message WHERE device = ? ORDER BY seq')
    .pluck();
  const select = state.prepare('SELECT * FROM device_message WHERE seq = ?');
  const countOf = state.prepare('SELECT count(*) FROM device_message WHERE device = ?').pluck();
  const expired = state.prepare('SELECT * FROM device_message WHERE expires_at_ms <= ?');
  const nextExpiry = state.prepare('SELECT min(expires_at_ms) FROM device_message').pluck();
  const delivered = state.prepare(
    'UPDATE device_message SET deliveries = deliveries + 1 WHERE seq = ?',
  );
  const remove = state.prepare('DELETE FROM device_message WHERE seq = ?');
  /** What is held, and how to stop waiting for its lock to run out. */
  const locks = new Map<number, { readonly device: string; readonly stopTimer: Cancel }>();
  const watchers = new Map<string, Set<() => void>>();
  let stopExpiry: Cancel = () => {};

  /** Out of the queue, and its sender is told if it asked. */
  function end(row: Row, status: FeedbackStatus): void {
    const good = status === 'Success';
    state.transaction(() => {
      remove.run(row.seq);
      if (row.ack !== 'full' && row.ack !== (good ? 'positive' : 'negative')) return;
      const { system } = JSON.parse(row.envelope) as MessageEnvelope;
      parts.feedback.add({
        originalMessageId: system['message-id'] ?? '',
        deviceGenerationId:
          parts.registry.find({ device: row.device, module: '' })?.generationId ?? '',
        deviceId: row.device,
        enqueuedTimeUtc: new Date(clock.now()).toISOString(),
        statusCode: status,
        description: status,
      });
    })();
    if (good) counters.messagesCompleted += 1;
    else counters.messagesDead += 1;
  }

  /** A held one goes only when it is released. */
  function sweep(): void {
    stopExpiry();
    for (const row of expired.all(clock.now()) as Row[]) {
      if (!locks.has(row.seq)) end(row, 'Expired');
    }
    const next = nextExpiry.get() as number | null;
    if (next === null) return;
    // Not at once again for one that is held: its release looks, too.
    const waitMs = Math.min(Math.max(next - clock.now(), 1_000), TIMER_MS_MAX);
    stopExpiry = clock.after(waitMs, () => aside(sweep));
  }

  function unlock(seq: number): boolean {
    const lock = locks.get(seq);
    lock?.stopTimer();
    return locks.delete(seq);
  }

  function release(seq: number): void {
    if (!unlock(seq)) return;
    const row = select.get(seq) as Row | undefined;
    if (row === undefined) return;
    if (row.expires_at_ms <= clock.now()) end(row, 'Expired');
    else if (row.deliveries >= settings.deviceMessageDeliveriesMax) {
      end(row, 'DeliveryCountExceeded');
    }
  }

  const changed = (device: string): void => {
    for (const run of watchers.get(device) ?? []) aside(run);
  };

  /** Does what nobody waits for. A full disk must not end the hub: what failed is done next time. */
  function aside(work: () => void): void {
    try {
      work();
    } catch (cause) {
      log.error('messages to devices could not be kept: look at the disk', { error: cause });
    }
  }

  sweep();

  return {
    send(device, message) {
      parts.registry.get({ device, module: '' });
      checkMessage(message, settings.deviceMessageBytesMax);
      sweep();
      if ((countOf.get(device) as number) >= settings.deviceMessagesMax) {
        throw new HubError(
          'DeviceMaximumQueueDepthExceeded',
          `${device} has ${settings.deviceMessagesMax} messages waiting already, and may not have more`,
        );
      }
      const { body, properties, system, ack } = message;
      const now = clock.now();
      const expiresAtMs = Math.min(
        message.expiresAtMs ?? now + settings.deviceMessageTtlMs,
        now + settings.deviceMessageTtlMaxMs,
      );
      insert.run(device, now, expiresAtMs, ack, JSON.stringify({ properties, system }), body);
      sweep();
      changed(device);
    },
    count: (device) => countOf.get(device) as number,
    purge(device) {
      parts.registry.get({ device, module: '' });
      const seqs = seqsOf.all(device) as number[];
      for (const seq of seqs) {
        unlock(seq);
        end(select.get(seq) as Row, 'Purged');
      }
      return seqs.length;
    },
    take(device) {
      sweep();
      const free = (seqsOf.all(device) as number[]).find((seq) => !locks.has(seq));
      if (free === undefined) return undefined;
      const row = select.get(free) as Row;
      delivered.run(row.seq);
      const stopTimer = clock.after(settings.deviceMessageLockMs, () => {
        aside(() => release(row.seq));
        changed(device);
      });
      locks.set(row.seq, { device, stopTimer });
      return {
        ...(JSON.parse(row.envelope) as MessageEnvelope),
        seq: row.seq,
        body: row.body,
        ack: row.ack,
        expiresAtMs: row.expires_at_ms,
        deliveries: row.deliveries + 1,
      };
    },
    complete(device, seq) {
      if (locks.get(seq)?.device !== device) return false;
      unlock(seq);
      const row = select.get(seq) as Row | undefined;
      if (row !== undefined) end(row, 'Success');
      return row !== undefined;
    },
    releaseAll(device) {
      const held = [...locks].filter(([, lock]) => lock.device === device);
      for (const [seq] of held) aside(() => release(seq));
    },
    watch(device, run) {
      const runs = watchers.get(device) ?? new Set();
      watchers.set(device, runs.add(run));
      return () => {
        runs.delete(run);
        if (runs.size === 0 && watchers.get(device) === runs) watchers.delete(device);
      };
    },
    stop() {
      stopExpiry();
      for (const { stopTimer } of locks.values()) stopTimer();
      locks.clear();
    },
  };
}

function checkMessage(message: NewDeviceMessage, bytesMax: number): void {
  if ((message.system['message-id'] ?? '').length > MESSAGE_ID_CHARACTERS_MAX) {
    throw new HubError(
      'ArgumentInvalid',
      `the message id is longer than ${MESSAGE_ID_CHARACTERS_MAX} characters`,
    );
  }
  let bytes = message.body.byteLength;
  for (const value of Object.values(message.system)) bytes += Buffer.byteLength(value);
  for (const [key, value] of Object.entries(message.properties)) {
    bytes += Buffer.byteLength(key) + Buffer.byteLength(value ?? '');
  }
  if (bytes > bytesMax) {
    throw new HubError('MessageTooLarge', `the message has ${bytes} bytes, more than ${bytesMax}`);
  }
}
