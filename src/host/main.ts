/**
 * The module-host process: isolates, and a pipe to the supervisor on fd 3. It holds nothing that must
 * survive, so it never tidies up: it ends by killing itself, because `exit` waits for busy isolates
 * (spec/isolates.md §1.5).
 */
import { writeSync } from 'node:fs';
import { Socket } from 'node:net';
import { collectWhenSettled } from '../lib/collect-garbage.ts';
import { systemClock } from '../lib/system-clock.ts';
import { becomeUser } from './become-user.ts';
import { bindProblems } from './bind-check.ts';
import { closedDevices } from './device-check.ts';
import { createDeviceServices } from './device-services.ts';
import { createFileAccess } from './file-access.ts';
import { encodeFrame, type Frame } from './frame.ts';
import { createFramePipe } from './frame-pipe.ts';
import { fromHost, type HostStart, toHost } from './host-protocol.ts';
import type { HostSettings } from './host-settings.ts';
import { createIsolatedModule, type IsolatedModule } from './isolated-module.ts';
import { createIsolates, type Isolates } from './isolates.ts';
import { takeLastCall } from './last-call.ts';
import { portProblems } from './port-check.ts';
import { createPrelude } from './prelude-script.ts';
import { serviceTable } from './service-table.ts';
import { createWatchdog, type Watchdog } from './watchdog.ts';

const PIPE_FD = 3;
const URGENT_FD = 4;
const STDERR_FD = 2;
/** The supervisor is trusted and checks what it sends. */
const FRAME_BYTES_MAX = 0xffff_ffff;
/** Room in a frame for its own fields. */
const FRAME_HEAD_BYTES = 64;

becomeUser(process.argv);
const trim = takeLastCall(process.argv);

type Running = {
  readonly settings: HostSettings;
  readonly isolates: Isolates;
  readonly watchdog: Watchdog;
};

const modules = new Map<number, IsolatedModule>();
let running: Running | undefined;
let snapshot: ArrayBuffer | undefined;
let waitsForRoom = false;

// The supervisor decides when we go; a service manager signals every process of the service.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => {});
process.on('uncaughtException', (cause) => die(`The module host failed: ${cause.stack}\n`));

const socket = new Socket({ fd: PIPE_FD });
// No host outlives its supervisor, however that one ended.
socket.on('close', () => die(''));
socket.on('error', () => die(''));
const pipe = createFramePipe(socket, FRAME_BYTES_MAX, {
  frame: onFrame,
  broken: (problem) => die(`The supervisor broke the pipe's format: ${problem}\n`),
});

function onFrame(frame: Frame): void {
  const { kind, handle, json, bytes } = frame;
  // A copy of its own: the isolates take it over.
  if (kind === toHost.snapshot) return void (snapshot = new Uint8Array(bytes).buffer);
  if (kind === toHost.hello) return hello(JSON.parse(json) as HostSettings, bytes.toString());
  if (kind === toHost.start) return start(handle, JSON.parse(json) as HostStart, bytes.toString());
  // A module may have ended while these were on their way.
  const module = modules.get(handle);
  if (kind === toHost.post) module?.post(json, bytes);
  if (kind === toHost.rest) module?.rest(Number(json));
  if (kind === toHost.stop) {
    module?.end({ cause: 'stopped', exitCode: 0, reason: 'It was stopped.' });
  }
}

function hello(settings: HostSettings, prelude: string): void {
  const watchdog = createWatchdog({
    clock: systemClock,
    settings,
    usage: () => {
      const { user, system } = process.cpuUsage();
      return { cpuMs: (user + system) / 1000, residentBytes: process.memoryUsage.rss() };
    },
    pulse: (pulses) => sendUrgently(fromHost.pulse, 0, JSON.stringify(pulses)),
  });
  const isolates = createIsolates(createPrelude(prelude, snapshot), systemClock, settings);
  running = { settings, isolates, watchdog };
  collectWhenSettled(trim);
}

function start(handle: number, start: HostStart, code: string): void {
  const { settings, isolates, watchdog } = running as Running;
  const files = createFileAccess(start.grants.binds, settings.fileBytesMax);
  const outbox = createOutbox(handle, settings);
  const leave = () => {
    modules.delete(handle);
    return watchdog.remove(handle);
  };
  const note = (text: string): void =>
    void outbox(JSON.stringify([{ t: 'log', level: 'info', text }]), undefined);
  const module = createIsolatedModule(
    start,
    code,
    {
      mayRun: () => !isFull(settings),
      isolates,
      files,
      services: (tell) =>
        createDeviceServices(
          serviceTable,
          { module: start.module, grants: start.grants, settings, note },
          tell,
        ),
      obstacles: () => obstacles(start),
      clock: systemClock,
      settings,
    },
    {
      busy: () => watchdog.busy(),
      doomed: () => watchdog.doomed(),
      started: () => pipe.send(fromHost.started, handle, ''),
      ...(start.tellsQuiet && {
        quiet: (posts: number) => pipe.send(fromHost.quiet, handle, JSON.stringify(posts)),
      }),
      requests(json, bytes) {
        const problem = outbox(json, bytes);
        if (problem !== undefined) {
          module.end({ cause: 'error', exitCode: 1, reason: problem });
        }
      },
      ended(ending) {
        const used = leave();
        pipe.send(fromHost.ended, handle, JSON.stringify({ ...ending, used }));
      },
      wedged(ending) {
        leave();
        sendUrgently(fromHost.wedged, handle, JSON.stringify(ending));
      },
    },
  );
  modules.set(handle, module);
  watchdog.add({ handle, limits: start.limits, module });
}

async function obstacles({ grants, problems }: HostStart): Promise<readonly string[]> {
  const found = [
    ...problems,
    ...(await bindProblems(grants.binds)),
    ...(await closedDevices(grants.devices)),
  ];
  // The ports of who is refused anyway may be another module's.
  return found.length > 0 ? found : portProblems(grants.ports);
}

/**
 * The supervisor reads less while its disk does not keep up. Modules get no new turns then: what they
 * would send waits in their own heaps, under their own limits.
 */
function isFull(settings: HostSettings): boolean {
  if (waitsForRoom) return true;
  if (pipe.queuedBytes() <= settings.queuedBytesMax) return false;
  waitsForRoom = true;
  pipe.whenTaken(() => {
    waitsForRoom = false;
    for (const module of modules.values()) module.resume();
  });
  return true;
}

/** Sends requests on, unless the module writes them faster than the supervisor takes them. */
function createOutbox(
  handle: number,
  settings: HostSettings,
): (json: string, bytes: Uint8Array | undefined) => string | undefined {
  // What was sent since the pipe was last empty: never less than what still waits of this module's.
  let waitingBytes = 0;
  return (json, bytes) => {
    const size = Buffer.byteLength(json) + (bytes?.byteLength ?? 0);
    if (size > settings.frameBytesMax - FRAME_HEAD_BYTES) {
      return `It broke the treaty: its requests of one turn take ${size} bytes.`;
    }
    waitingBytes = pipe.queuedBytes() === 0 ? size : waitingBytes + size;
    if (waitingBytes > settings.outboxBytesMax) {
      return `It sends faster than the runtime can take: ${waitingBytes} bytes wait.`;
    }
    pipe.send(fromHost.requests, handle, json, bytes);
    return undefined;
  };
}

/**
 * Past the queue of the pipe, and past the event loop: a flood of outbox calls is one long turn of it.
 * The supervisor reads all the time, so this blocks only while the supervisor itself is stuck.
 */
function sendUrgently(kind: number, handle: number, json: string): void {
  try {
    writeSync(URGENT_FD, Buffer.concat(encodeFrame(kind, handle, json)));
  } catch {
    // The supervisor is gone, and `close` is about to tell us.
  }
}

function die(words: string): void {
  try {
    writeSync(STDERR_FD, words);
  } finally {
    process.kill(process.pid, 'SIGKILL');
  }
}
