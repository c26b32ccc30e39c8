/**
 * One module-host process as the supervisor sees it: spawned, spoken to, watched, killed. Whatever
 * goes wrong with it ends in the same call, `gone`, once.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, readSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import type { Cancel, Clock, Grants, Log } from '../core/ports.ts';
import { becomingArgument } from './become-user.ts';
import type { HostCells } from './control-groups.ts';
import type { Frame } from './frame.ts';
import { createFramePipe, type FramePipe } from './frame-pipe.ts';
import { ALLOW_FFI, permissionFlags } from './host-permissions.ts';
import type { HostSettings } from './host-settings.ts';
import type { HostUser } from './host-user.ts';
import { KEEPS_FFI } from './last-call.ts';
import { FORGETTING_FLAGS, V8_FLAGS } from './v8-flags.ts';

export type HostProcess = {
  /** 0 when it could not be started; `gone` follows. */
  readonly pid: number;
  send(kind: number, handle: number, json: string, bytes?: Uint8Array): void;
  /** Its requests stay in the pipe until this settles; what it says urgently is heard all the same. */
  readAgainAfter(relief: Promise<void>): void;
  /** The host has shown that it lives. */
  alive(): void;
  /** SIGKILL; `gone` is called when it has left. The first reason counts. */
  kill(reason: string): void;
};

export type HostProcessEvents = {
  frame(frame: Frame): void;
  /** It uses more memory than `ceilingBytes()`; called at each look until it is killed. */
  overCeiling(residentBytes: number): void;
  /** It has told nothing for `silenceMs`. */
  silent(): void;
  /** It is no more; `end` when it ended by itself, with a signal. */
  gone(reason: string, end?: HostEnd): void;
};

export type HostEnd = {
  readonly signal: NodeJS.Signals;
  /** The kernel killed it: it had reached its own ceiling. */
  readonly ranOut: boolean;
};

export type HostProcessDeps = {
  readonly hostMain: string;
  /** What it may touch for its modules. */
  readonly grants: readonly Grants[];
  /** Whom it runs as; undefined = as ourselves. */
  readonly user: HostUser | undefined;
  /** Groups of devices it keeps as that user. */
  readonly deviceGroups: readonly number[];
  readonly group: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly settings: HostSettings;
  /** How much memory it may use now. */
  readonly ceilingBytes: () => number;
  /** The kernel holds it to that, too; undefined = there is our own look alone. */
  readonly cells?: HostCells | undefined;
};

/**
 * Nothing of ours is any business of the modules; this is for glibc. Texts cross the border outside
 * V8's heap, and left to itself glibc keeps 80 MB of holes after a busy minute: large ones go back to
 * the kernel at once, and not each thread has an arena of its own. A tenth slower with 1 KB messages.
 */
const ENVIRONMENT = { MALLOC_MMAP_THRESHOLD_: '65536', MALLOC_ARENA_MAX: '2' };
const PIPE_FD = 3;
/** Only from the host. */
const URGENT_FD = 4;
/** The entry of the auxiliary vector that holds the page size, see getauxval(3). */
const AT_PAGESZ = 6n;
/** The kernel's scale ends at 1000: the host goes before anything that holds data. */
const OOM_SCORE = '900';
/** A process that waits for a dying card cannot even be killed; its modules need not wait for it. */
const FUNERAL_MS = 1_000;

export function createHostProcess(deps: HostProcessDeps, events: HostProcessEvents): HostProcess {
  const { clock, settings } = deps;
  const { hostMain, grants, user, deviceGroups } = deps;
  const rights = permissionFlags(hostMain, grants);
  // Whoever has no devices gives it up at once.
  const allowed = [...rights.filter((right) => right !== ALLOW_FFI), ALLOW_FFI];
  const flags = [...V8_FLAGS, ...FORGETTING_FLAGS, ...allowed];
  const becomes = user !== undefined && deviceGroups.length > 0;
  const words = [
    ...(becomes ? [becomingArgument({ ...user, groups: deviceGroups })] : []),
    ...(rights.includes(ALLOW_FFI) ? [KEEPS_FFI] : []),
  ];
  const child = spawn(process.execPath, [...flags, hostMain, ...words], {
    cwd: '/',
    // Node drops the supplementary groups along with the user; a host that needs some drops the rest.
    ...(user === undefined || becomes ? {} : { uid: user.uid, gid: user.gid }),
    env: ENVIRONMENT,
    // Its own session: Ctrl-C in a terminal reaches the supervisor alone.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe'],
  });
  const pid = child.pid ?? 0;
  const cancels = new Set<Cancel>();
  let cancelSilence: Cancel = () => {};
  let killed: string | undefined;
  let over = false;

  child.on('error', (cause) => {
    if (child.pid === undefined) gone(`The module host could not be started: ${cause.message}.`);
  });
  child.on('exit', (code, signal) => {
    if (killed !== undefined) return gone(killed);
    const end = signal === null ? undefined : { signal, ranOut: cell?.ranOut() === true };
    gone(`The module host ended by itself (${signal ?? `code ${code}`}).`, end);
  });
  const cell = pid === 0 ? undefined : deps.cells?.make();
  cell?.limit(deps.ceilingBytes());
  cell?.hold(pid);
  let pipe: FramePipe | undefined;
  // A child that could not be spawned may lack everything; 'error' tells of it.
  if (pid !== 0) {
    pipe = openPipe(PIPE_FD);
    openPipe(URGENT_FD);
    passOutput(child, deps);
    lowerPriority(pid);
    watchMemory();
    expectWord(settings.bootMs);
  }

  function openPipe(fd: number): FramePipe {
    const socket = child.stdio[fd] as Socket;
    // Its end is told by 'exit'; what breaks on the way there is no news.
    socket.on('error', () => {});
    return createFramePipe(socket, settings.frameBytesMax, {
      frame: (frame) => {
        if (killed === undefined) events.frame(frame);
      },
      broken: (problem) => kill(`The module host broke the pipe's format: ${problem}.`),
    });
  }

  function every(delayMs: number, run: () => void): Cancel {
    const cancel = clock.after(delayMs, () => {
      run();
      if (!over && killed === undefined) next = every(delayMs, run);
    });
    let next: Cancel = cancel;
    return () => next();
  }

  function watchMemory(): void {
    const residentBytes = openStatm(pid);
    const cancel = every(settings.memoryMs, () => {
      const bytes = residentBytes.read();
      const ceilingBytes = deps.ceilingBytes();
      cell?.limit(ceilingBytes);
      if (bytes > ceilingBytes) events.overCeiling(bytes);
    });
    cancels.add(() => {
      cancel();
      residentBytes.close();
    });
  }

  function expectWord(withinMs: number): void {
    cancelSilence();
    if (over) return;
    cancelSilence = clock.after(withinMs, () => {
      // Perhaps it was us who were stopped for a while: what waits on the pipe is read first.
      cancelSilence = clock.after(settings.heartbeatMs, () => events.silent());
    });
  }

  function kill(reason: string): void {
    if (over || killed !== undefined) return;
    killed = reason;
    cancelSilence();
    cancels.add(clock.after(FUNERAL_MS, () => gone(reason)));
    child.kill('SIGKILL');
  }

  function gone(reason: string, end?: HostEnd): void {
    if (over) return;
    over = true;
    cancelSilence();
    for (const cancel of cancels) cancel();
    for (const stream of child.stdio ?? []) stream?.destroy();
    cell?.leave();
    events.gone(reason, end);
  }

  return {
    pid,
    readAgainAfter(relief) {
      const socket = child.stdio[PIPE_FD] as Socket;
      socket.pause();
      void relief.then(() => socket.resume());
    },
    alive: () => expectWord(settings.silenceMs),
    kill,
    send(kind, handle, json, bytes) {
      if (over || killed !== undefined || pipe === undefined) return;
      pipe.send(kind, handle, json, bytes);
      if (pipe.queuedBytes() > settings.pipeBytesMax) {
        kill(`The module host left ${pipe.queuedBytes()} bytes waiting on its pipe.`);
      }
    },
  };
}

/** Resident memory of a process; an open file of it can never come to mean another process. */
function openStatm(pid: number): { read(): number; close(): void } {
  const buffer = Buffer.alloc(128);
  let file: number | undefined;
  try {
    file = openSync(`/proc/${pid}/statm`, 'r');
  } catch {
    // It is gone already; 'exit' will tell.
  }
  return {
    read() {
      try {
        const length = file === undefined ? 0 : readSync(file, buffer, 0, buffer.length, 0);
        const pages = buffer.toString('latin1', 0, length).split(' ')[1];
        return Number(pages ?? 0) * pageBytes();
      } catch {
        return 0;
      }
    },
    close() {
      if (file !== undefined) closeSync(file);
      file = undefined;
    },
  };
}

let knownPageBytes: number | undefined;

/** 4 KB on most machines, 16 KB on a Raspberry Pi 5; the kernel told this process at its start. */
function pageBytes(): number {
  if (knownPageBytes !== undefined) return knownPageBytes;
  const vector = readFileSync('/proc/self/auxv');
  knownPageBytes = 4_096;
  for (let at = 0; at + 16 <= vector.length; at += 16) {
    if (vector.readBigUInt64LE(at) === AT_PAGESZ) {
      knownPageBytes = Number(vector.readBigUInt64LE(at + 8));
    }
  }
  return knownPageBytes;
}

function lowerPriority(pid: number): void {
  try {
    writeFileSync(`/proc/${pid}/oom_score_adj`, OOM_SCORE);
  } catch {
    // A kernel or container that does not let us: then the kernel chooses by size.
  }
}

/** What the host itself says (V8's last words, most of all) goes into the log, up to a bound. */
function passOutput(child: ChildProcess, { log, group, settings }: HostProcessDeps): void {
  let leftBytes = settings.outputBytesMax;
  for (const stream of [child.stdout, child.stderr] as Readable[]) {
    stream.on('error', () => {});
    stream.on('data', (chunk: Buffer) => {
      if (leftBytes <= 0) return;
      const text = chunk.toString('utf8', 0, leftBytes).trim();
      leftBytes -= chunk.length;
      if (text !== '') log.warn('module host said', { group, text });
    });
  }
}
