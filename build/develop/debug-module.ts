/**
 * One module in plain Node, for a debugger: the same prelude, treaty and device services as in an isolate, and
 * none of its fences. The module's code can end this process, or stop it at a breakpoint.
 */
import vm from 'node:vm';
import {
  BOOT_NAME,
  type Door,
  type GuestBootFunction,
  type HostEvent,
  type Outbox,
  SCRIPT_MARK,
} from '../../src/core/guest-protocol.ts';
import type { Cancel, Ending } from '../../src/core/ports.ts';
import { createDeviceServices } from '../../src/host/device-services.ts';
import { createFileAccess } from '../../src/host/file-access.ts';
import { parseHostCalls } from '../../src/host/host-call-check.ts';
import { type HostStart, moduleFile } from '../../src/host/host-protocol.ts';
import type { HostSettings } from '../../src/host/host-settings.ts';
import { rejectedEvent } from '../../src/host/rejected-event.ts';
import { serviceTable } from '../../src/host/service-table.ts';
import { systemClock } from '../../src/lib/system-clock.ts';

export type DebugModule = {
  post(events: string, bytes: Uint8Array): void;
  /** An error none of its code caught, wherever it came up. */
  uncaught(cause: unknown): void;
  stop(): void;
};

export type DebugModuleEvents = {
  started(): void;
  requests(json: string, bytes: Uint8Array | undefined): void;
  quiet(posts: number): void;
  /** `process.exit`: the module must not run on, so this does not return. */
  exit(code: number): never;
  ended(ending: Ending): void;
};

export function startDebugModule(
  start: HostStart,
  code: string,
  prelude: string,
  settings: HostSettings,
  events: DebugModuleEvents,
): DebugModule {
  const files = createFileAccess(start.grants.binds, settings.fileBytesMax);
  let over = false;
  let loading = true;
  let posts = 0;
  let calls = 0;
  let cancelTimer: Cancel | undefined;
  let looks = false;
  const note = (text: string): void =>
    events.requests(JSON.stringify([{ t: 'log', level: 'info', text }]), undefined);
  const device = createDeviceServices(
    serviceTable,
    { module: start.module, grants: start.grants, settings, note },
    (event) => {
      tell(event);
      return !over;
    },
  );

  const world = vm.createContext(vm.constants.DONT_CONTEXTIFY) as Record<string, unknown>;
  vm.runInContext(prelude, world, { filename: 'file:///isolet/prelude.js' });
  const boot = world[BOOT_NAME] as GuestBootFunction;
  delete world[BOOT_NAME];
  const newBuffer = vm.runInContext('(size) => new ArrayBuffer(size)', world) as (
    size: number,
  ) => ArrayBuffer;
  const outbox: Outbox = (requests, bytes, hostCalls, timerMs) => {
    if (over) return;
    if (requests !== '') events.requests(requests, bytes);
    cancelTimer?.();
    cancelTimer = undefined;
    if (timerMs >= 0) {
      cancelTimer = systemClock.after(Math.max(timerMs, 1), () => {
        cancelTimer = undefined;
        tell({ t: 'timers' });
      });
    }
    if (hostCalls !== '') callHost(hostCalls);
    look();
  };
  const door: Door = boot(outbox, start.boot);
  void load();

  async function load(): Promise<void> {
    const filename = moduleFile(start.module);
    try {
      if (code.startsWith(SCRIPT_MARK)) {
        new vm.Script(code, { filename }).runInContext(world as vm.Context);
      } else {
        const module = new vm.SourceTextModule(code, {
          identifier: filename,
          context: world as vm.Context,
        });
        await module.link((name) => {
          throw new Error(`The bundle imports "${name}", but a bundle is one file.`);
        });
        // It may wait for ever, as any module may.
        module.evaluate().catch(uncaught);
      }
    } catch (cause) {
      return uncaught(cause);
    }
    setImmediate(() => {
      loading = false;
      if (!over) events.started();
      look();
    });
  }

  function callHost(text: string): void {
    const parsed = parseHostCalls(text, settings);
    if (!parsed.ok) return uncaught(new Error(`It broke the treaty: ${parsed.problem}.`));
    for (const call of parsed.calls) {
      if (call.t === 'exit') events.exit(call.code);
      calls++;
      void (call.t === 'ask' ? device.ask(call) : files(call)).then((done) => {
        calls--;
        tell(done);
      });
    }
  }

  /** In a turn of its own, as everything that goes in. */
  function tell(event: HostEvent): void {
    setImmediate(() => {
      if (!over) door('', undefined, JSON.stringify([event]));
      look();
    });
  }

  /** Is there anything left that could wake it? Asked once its turn is over. */
  function look(): void {
    if (looks) return;
    looks = true;
    setImmediate(() => {
      looks = false;
      if (!over && cancelTimer === undefined && calls === 0 && !device.isOpen()) {
        events.quiet(posts);
      }
    });
  }

  function end(ending: Ending): void {
    if (over) return;
    over = true;
    cancelTimer?.();
    device.close();
    events.ended(ending);
  }

  /** As in an isolate, a module's own handlers are asked before it ends. */
  function isTaken(cause: unknown): boolean {
    try {
      return door('', undefined, JSON.stringify([rejectedEvent(cause, loading)])) === true;
    } catch {
      return false;
    }
  }

  function uncaught(cause: unknown): void {
    if (!over && isTaken(cause)) return;
    end({ cause: 'error', exitCode: 1, reason: stackOf(cause) });
  }

  return {
    post(text, bytes) {
      if (over) return;
      posts++;
      let buffer: ArrayBuffer | undefined;
      if (bytes.byteLength > 0) {
        buffer = newBuffer(bytes.byteLength);
        new Uint8Array(buffer).set(bytes);
      }
      door(text, buffer, '');
      look();
    },
    uncaught,
    stop: () => end({ cause: 'stopped', exitCode: 0, reason: 'It was stopped.' }),
  };
}

/** Errors of the module are of another realm; frames of ours are nobody's business. */
function stackOf(cause: unknown): string {
  const { stack } = (cause ?? {}) as { readonly stack?: unknown };
  if (typeof stack !== 'string') return `Uncaught ${String(cause)}`;
  return stack
    .split('\n')
    .filter((line) => !/^\s+at .*(?:node:|\/debug-m)/.test(line))
    .join('\n');
}
