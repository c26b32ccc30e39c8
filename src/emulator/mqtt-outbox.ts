/** What goes out to one MQTT client: gathered per turn, bounded for a client that does not read, late on demand. */
import type { Duplex } from 'node:stream';
import { generate, type Packet } from 'mqtt-packet';
import type { Cancel, Clock } from '../core/ports.ts';

export interface MqttOutbox {
  send(packet: Packet, protocolVersion?: 4 | 5): void;
  /** Closes the socket once everything is on its way; a client that does not take it is not waited for. */
  finish(): void;
  /** Closes the socket now. */
  destroy(): void;
}

/** How long a last packet may take to leave. */
const LINGER_MS = 5_000;

export function createMqttOutbox(
  socket: Duplex,
  clock: Clock,
  options: {
    readonly bytesMax: number;
    /** How late what is sent now shall be (faults.ts). */
    delayMs(): number;
    /** More than `bytesMax` wait. */
    tooSlow(bytes: number): void;
  },
): MqttOutbox {
  let corked = false;
  let finishing = false;
  /** In order: what comes after a late packet is not earlier than it. */
  const late: { readonly atMs: number; readonly bytes: Buffer }[] = [];
  let lateBytes = 0;
  let stopTimer: Cancel = () => {};

  function write(bytes: Buffer): void {
    if (!corked) {
      corked = true;
      socket.cork();
      process.nextTick(() => {
        corked = false;
        socket.uncork();
      });
    }
    socket.write(bytes);
  }

  function writeLate(): void {
    const now = clock.elapsed();
    for (let first = late[0]; first !== undefined && first.atMs <= now; first = late[0]) {
      late.shift();
      lateBytes -= first.bytes.length;
      write(first.bytes);
    }
    const next = late[0];
    if (next !== undefined) stopTimer = clock.after(Math.ceil(next.atMs - now), writeLate);
    else if (finishing) close();
  }

  function close(): void {
    const stopLinger = clock.after(LINGER_MS, () => socket.destroy());
    socket.once('close', stopLinger);
    socket.end(() => socket.destroy());
  }

  return {
    send(packet, protocolVersion = 4) {
      const bytes = generate(packet, { protocolVersion });
      const delayMs = options.delayMs();
      const last = late.at(-1);
      if (delayMs === 0 && last === undefined) write(bytes);
      else {
        late.push({ bytes, atMs: Math.max(clock.elapsed() + delayMs, last?.atMs ?? 0) });
        lateBytes += bytes.length;
        if (last === undefined) writeLate();
      }
      const waiting = socket.writableLength + lateBytes;
      if (waiting > options.bytesMax) options.tooSlow(waiting);
    },
    finish() {
      finishing = true;
      if (late.length === 0) close();
    },
    destroy() {
      stopTimer();
      socket.destroy();
    },
  };
}
