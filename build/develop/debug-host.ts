/**
 * A module host for a debugger: plain Node in a child process, with Node's own inspector. isolated-vm's
 * inspector aborts on this Node, so there is no isolate: no memory or time limits, and no sandbox.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { TREATY_VERSION } from '../../src/core/guest-protocol.ts';
import type { Ending, ModuleSink } from '../../src/core/ports.ts';
import type { Frame } from '../../src/host/frame.ts';
import { createFramePipe, type FramePipe } from '../../src/host/frame-pipe.ts';
import { checkGuestRequests } from '../../src/host/guest-request-check.ts';
import { fromHost, type HostStart, parseEnding, toHost } from '../../src/host/host-protocol.ts';
import { newSeed } from '../../src/host/new-seed.ts';
import { createStackMapper, type StackMapper } from '../../src/host/stack-map.ts';
import { systemClock } from '../../src/lib/system-clock.ts';
import { beside, bundled, type DeskHost, deskSettings, readPrelude } from './desk-host.ts';

const IN_FD = 3;
const OUT_FD = 4;
const FRAME_BYTES_MAX = 0xffff_ffff;
const NOTHING_USED = { cpuMs: 0, heapBytes: 0, cpuWaitMs: 0, messageWaitMs: 0 };

/** What differs from a device. */
export const PLAIN =
  'With a debugger the module runs in plain Node: no isolate, no limits on memory and time.';

type Member = { readonly stacks: StackMapper; readonly sink: ModuleSink };

export type DebugOptions = {
  /** 0 = any free one. */
  readonly port: number;
  /** Nothing runs before a debugger has come. */
  readonly waits: boolean;
  readonly say: (text: string) => void;
};

export async function openDebugHost({ port, waits, say }: DebugOptions): Promise<DeskHost> {
  const settings = deskSettings({});
  const prelude = await readPrelude();
  const members = new Map<number, Member>();
  let lastHandle = 0;
  let child: ChildProcess | undefined;
  let pipe: FramePipe;
  let words = '';

  /** One process for all versions: the debugger stays where it is. */
  function open(): void {
    if (child !== undefined) return;
    const flag = waits ? '--inspect-wait' : '--inspect';
    const made = spawn(
      process.execPath,
      [
        `${flag}=127.0.0.1:${port}`,
        '--experimental-vm-modules',
        '--disable-warning=ExperimentalWarning',
        beside(bundled ? './debug-host.js' : './debug-main.ts'),
      ],
      { stdio: ['ignore', 'inherit', 'pipe', 'pipe', 'pipe'] },
    );
    child = made;
    createInterface({ input: made.stderr as Readable }).on('line', hear);
    for (const fd of [IN_FD, OUT_FD]) (made.stdio[fd] as Socket).on('error', () => {});
    pipe = createFramePipe(made.stdio[IN_FD] as Socket, FRAME_BYTES_MAX, silent);
    createFramePipe(made.stdio[OUT_FD] as Socket, FRAME_BYTES_MAX, { ...silent, frame: onFrame });
    pipe.send(toHost.hello, 0, JSON.stringify(settings), Buffer.from(prelude));
    // After the last of what it wrote.
    made.on('close', (code, signal) => {
      if (child === made) child = undefined;
      const reason = `The process it was debugged in ended (${signal ?? `code ${code}`}).`;
      for (const handle of members.keys()) {
        end(handle, { cause: 'host lost', exitCode: 1, reason });
      }
    });
  }

  function hear(line: string): void {
    if (/^Debugger (?:listening|attached)|^Starting inspector|^Waiting for/.test(line)) say(line);
    else words += `${line}\n`;
  }

  function onFrame({ kind, handle, json, bytes }: Frame): void {
    const member = members.get(handle);
    if (member === undefined) return;
    const { sink, stacks } = member;
    if (kind === fromHost.started) sink.started();
    if (kind === fromHost.quiet) sink.quiet?.(Number(json));
    if (kind === fromHost.ended) {
      end(handle, parseEnding(kind, json) ?? { cause: 'error', exitCode: 1, reason: json });
    }
    if (kind !== fromHost.requests) return;
    const checked = checkGuestRequests(json, bytes, settings);
    if (checked.ok) return void sink.requests(stacks.requests(checked.requests), checked.bodies);
    end(handle, { cause: 'error', exitCode: 1, reason: checked.problems.join('; ') });
  }

  function end(handle: number, ending: Ending): void {
    const member = members.get(handle);
    if (member === undefined) return;
    members.delete(handle);
    const reason = member.stacks.lastReason(ending.reason);
    member.sink.ended({ ...ending, reason }, NOTHING_USED);
  }

  return {
    words: () => words,
    host: {
      start(start, sink) {
        open();
        const handle = ++lastHandle;
        const stacks = createStackMapper(start.module, start.sourceMap, systemClock);
        members.set(handle, { stacks, sink });
        const { module, device, env, grants, limits, code } = start;
        const { logLineLengthMax: lineMax } = limits;
        const boot = { treaty: TREATY_VERSION, module, device, env, arch: process.arch, lineMax };
        const wire: HostStart = {
          module,
          boot: JSON.stringify(boot),
          seed: newSeed(),
          grants,
          problems: [],
          limits,
          tellsQuiet: true,
        };
        pipe.send(toHost.start, handle, JSON.stringify(wire), Buffer.from(code));
        return {
          post(events, bodies) {
            const present = bodies.filter((body) => body !== undefined);
            pipe.send(toHost.post, handle, JSON.stringify(events), Buffer.concat(present));
          },
          async stop() {
            pipe.send(toHost.stop, handle, '');
          },
        };
      },
      metrics: () => undefined,
      memory: () => [],
      processes: () => ({}),
      async stop() {
        if (child === undefined) return;
        const gone = new Promise((resolve) => child?.once('close', resolve));
        child.kill('SIGKILL');
        await gone;
      },
    },
  };
}

const silent = { frame() {}, broken() {} };
