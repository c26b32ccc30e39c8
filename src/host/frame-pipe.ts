/** Frames over a socket, for both ends of the pipe: written once per turn, read as they come. */
import type { Socket } from 'node:net';
import { createFrameDecoder, encodeFrame, type Frame, FrameError } from './frame.ts';

export type FramePipe = {
  send(kind: number, handle: number, json: string, bytes?: Uint8Array): void;
  /** Bytes sent that the other side has not taken from us yet. */
  queuedBytes(): number;
  /** Calls `run` once when the other side has taken everything. */
  whenTaken(run: () => void): void;
};

export type FramePipeEvents = {
  frame(frame: Frame): void;
  /** The peer broke the format; nothing more is read from it. */
  broken(problem: string): void;
};

/** Reads `socket` until it ends or breaks. Whoever owns the socket watches for its end. */
export function createFramePipe(
  socket: Socket,
  frameBytesMax: number,
  events: FramePipeEvents,
): FramePipe {
  const decoder = createFrameDecoder(frameBytesMax);
  let corked = false;
  let broken = false;

  socket.on('data', (chunk: Buffer) => {
    if (broken) return;
    try {
      for (const frame of decoder.push(chunk)) if (!broken) events.frame(frame);
    } catch (cause) {
      if (!(cause instanceof FrameError)) throw cause;
      broken = true;
      events.broken(cause.message);
    }
  });

  return {
    send(kind, handle, json, bytes) {
      if (!socket.writable) return;
      if (!corked) {
        corked = true;
        socket.cork();
        setImmediate(() => {
          corked = false;
          socket.uncork();
        });
      }
      for (const buffer of encodeFrame(kind, handle, json, bytes)) socket.write(buffer);
    },
    queuedBytes: () => socket.writableLength,
    whenTaken: (run) => void socket.once('drain', run),
  };
}
