/**
 * The process a debugger opens: modules in plain Node, one at a time, spoken to as a module host is. Frames come
 * in on fd 3 and go out on fd 4, each written at once: a breakpoint holds nothing back.
 */
import { writeSync } from 'node:fs';
import { Socket } from 'node:net';
import { encodeFrame, type Frame } from '../../src/host/frame.ts';
import { createFramePipe } from '../../src/host/frame-pipe.ts';
import { fromHost, type HostStart, toHost } from '../../src/host/host-protocol.ts';
import type { HostSettings } from '../../src/host/host-settings.ts';
import { type DebugModule, startDebugModule } from './debug-module.ts';

const IN_FD = 3;
const OUT_FD = 4;
const FRAME_BYTES_MAX = 0xffff_ffff;

let settings: HostSettings;
let prelude = '';
let current: { readonly handle: number; readonly module: DebugModule } | undefined;

// Ctrl-C in the terminal is for whoever started us.
for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => {});
process.on('uncaughtException', (cause) => {
  if (current === undefined) throw cause;
  current.module.uncaught(cause);
});

const socket = new Socket({ fd: IN_FD });
socket.on('close', () => process.exit());
createFramePipe(socket, FRAME_BYTES_MAX, {
  frame: onFrame,
  broken: () => process.exit(1),
});

function onFrame({ kind, handle, json, bytes }: Frame): void {
  if (kind === toHost.hello) {
    settings = JSON.parse(json) as HostSettings;
    prelude = bytes.toString();
  } else if (kind === toHost.start) {
    begin(handle, JSON.parse(json) as HostStart, bytes.toString());
  } else if (handle === current?.handle) {
    if (kind === toHost.post) current.module.post(json, bytes);
    if (kind === toHost.stop) current.module.stop();
  }
}

function begin(handle: number, start: HostStart, code: string): void {
  const module = startDebugModule(start, code, prelude, settings, {
    started: () => send(fromHost.started, handle, ''),
    requests: (json, bytes) => send(fromHost.requests, handle, json, bytes),
    quiet: (posts) => send(fromHost.quiet, handle, JSON.stringify(posts)),
    exit(exitCode) {
      const reason = `It called process.exit(${exitCode}).`;
      send(fromHost.ended, handle, JSON.stringify({ cause: 'exited', exitCode, reason }));
      process.exit();
    },
    ended(ending) {
      send(fromHost.ended, handle, JSON.stringify(ending));
      if (current?.handle === handle) current = undefined;
    },
  });
  current = { handle, module };
}

function send(kind: number, handle: number, json: string, bytes?: Uint8Array): void {
  for (const buffer of encodeFrame(kind, handle, json, bytes)) {
    for (let at = 0; at < buffer.byteLength; ) at += writeSync(OUT_FD, buffer, at);
  }
}
