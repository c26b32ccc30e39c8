/**
 * A ModuleHost whose modules are plain functions in this process. It keeps the contract of the real
 * one (test/contracts/module-host.ts) with microtasks alone, so a fake clock need not move for it.
 */
import type { GuestEvent, GuestRequest } from '../../src/core/guest-protocol.ts';
import type {
  Clock,
  Ending,
  ModuleHost,
  ModuleMetrics,
  ModuleSink,
  ModuleStart,
} from '../../src/core/ports.ts';
import { checkGuestRequests } from '../../src/host/guest-request-check.ts';
import { defaultHostSettings } from '../../src/host/host-settings.ts';
import { createMessagePace } from '../../src/host/message-pace.ts';
import { createPace } from '../../src/host/pace.ts';
import { systemClock } from '../../src/lib/system-clock.ts';

type Bodies = readonly (Uint8Array | undefined)[];

/** What a fake module's function is given. */
type FakeModule = {
  readonly start: ModuleStart;
  /** Called for each batch; throwing or rejecting ends the module. */
  onEvents(run: (events: readonly GuestEvent[], bodies: Bodies) => void | Promise<void>): void;
  /** Goes out at the end of the turn. `bodies` are those of the `send`s whose `b` is a number, in order. */
  request(requests: readonly GuestRequest[], bodies?: readonly Uint8Array[]): void;
  /** What it used of its CPU share, as if. */
  spend(cpuMs: number): void;
  /** What process.exit does, after the requests made before. */
  exit(code: number): void;
};

/** Throwing or rejecting is an error at load. */
export type FakeProgram = (module: FakeModule) => void | Promise<void>;

export type FakeModuleHost = ModuleHost & {
  /** Ends a running module as if by its own doing. */
  end(module: string, ending: Ending): void;
  /** What ends each version of a module that runs, oldest first. */
  members(module: string): readonly ((ending: Ending) => void)[];
  /** Ends all modules of a group as 'host lost', as a SIGKILL from outside would. */
  loseHost(group: string): void;
  /** The starts so far, oldest first. */
  readonly starts: readonly ModuleStart[];
};

type Member = {
  readonly start: ModuleStart;
  readonly end: (ending: Ending) => void;
  readonly metrics: () => ModuleMetrics;
};

/**
 * @param programs by the start's `code`, or else by the module's name.
 * @param clock moves modules with a CPU share or a message pace alone.
 */
export function createFakeModuleHost(
  programs: Readonly<Record<string, FakeProgram>>,
  clock: Clock = systemClock,
): FakeModuleHost {
  const members = new Set<Member>();
  const starts: ModuleStart[] = [];
  const pids = new Map<string, number>();
  let lastPid = 1_000_000;

  function start(what: ModuleStart, sink: ModuleSink): ReturnType<ModuleHost['start']> {
    starts.push(what);
    if (!pids.has(what.group)) pids.set(what.group, ++lastPid);
    const ended = Promise.withResolvers<void>();
    const { cpuShare, messagesPerSecond } = what.limits;
    const pace = createPace(cpuShare, clock, drain);
    const paced = createMessagePace(messagesPerSecond, clock, pace.rest);
    const line: (() => void)[] = [];
    let cpuMs = 1;
    const member: Member = { start: what, end, metrics };
    members.add(member);
    let over = false;
    let loaded = false;
    let handler: Parameters<FakeModule['onEvents']>[0] = () => {};
    let waiting: (() => void)[] = [];
    let requests: GuestRequest[] = [];
    let bodies: Uint8Array[] = [];
    let exitCode: number | undefined;
    let held = false;

    function metrics(): ModuleMetrics {
      const waited = pace.waited();
      return {
        cpuMs,
        heapBytes: 1_000_000,
        cpuWaitMs: waited.cpuMs,
        messageWaitMs: waited.messageMs,
      };
    }

    function end(ending: Ending): void {
      if (over) return;
      over = true;
      members.delete(member);
      pace.stop();
      sink.ended(ending, metrics());
      ended.resolve();
    }

    /** Gives the turns that are due, in their order. */
    function drain(): void {
      while (!over && line.length > 0 && pace.mayBegin()) line.shift()?.();
    }

    function fail(cause: unknown): void {
      flush();
      const reason = cause instanceof Error ? String(cause.stack) : `Uncaught ${String(cause)}`;
      end({ cause: 'error', exitCode: 1, reason });
    }

    function flush(): void {
      if (over || held) return;
      if (requests.length > 0) {
        const json = JSON.stringify(requests);
        const checked = checkGuestRequests(json, Buffer.concat(bodies), defaultHostSettings);
        requests = [];
        bodies = [];
        if (checked.ok) {
          paced(checked.requests);
          const relief = sink.requests(checked.requests, checked.bodies);
          if (relief !== undefined) {
            held = true;
            void relief.then(() => {
              held = false;
              flush();
            });
            return;
          }
        } else {
          const reason = `It broke the treaty: ${checked.problems.join('; ')}.`;
          end({ cause: 'error', exitCode: 1, reason });
        }
      }
      if (exitCode !== undefined) {
        end({ cause: 'exited', exitCode, reason: `It called process.exit(${exitCode}).` });
      }
    }

    async function turn(run: () => void | Promise<void>): Promise<void> {
      if (over) return;
      try {
        const rest = run();
        queueMicrotask(flush);
        await rest;
        queueMicrotask(flush);
      } catch (cause) {
        fail(cause);
      }
    }

    const module: FakeModule = {
      start: what,
      onEvents: (run) => void (handler = run),
      request(list, more = []) {
        requests.push(...list);
        bodies.push(...more);
        queueMicrotask(flush);
      },
      spend(ms) {
        cpuMs += ms;
        pace.spent(ms);
      },
      exit(code) {
        exitCode ??= code;
        queueMicrotask(flush);
      },
    };

    queueMicrotask(() => {
      const program = programs[what.code] ?? programs[what.module];
      if (program === undefined) {
        return fail(new Error(`The fake has no program for ${what.module}.`));
      }
      void turn(() => program(module));
      queueMicrotask(() =>
        queueMicrotask(() => {
          if (over) return;
          loaded = true;
          sink.started();
          for (const deliver of waiting) deliver();
          waiting = [];
        }),
      );
    });

    return {
      post(events, eventBodies) {
        if (over || events.length === 0) return;
        const copy = structuredClone(events);
        const deliver = (): void => {
          line.push(() => void turn(() => handler(copy, eventBodies)));
          drain();
        };
        if (loaded) queueMicrotask(deliver);
        else waiting.push(deliver);
      },
      stop() {
        queueMicrotask(() => end({ cause: 'stopped', exitCode: 0, reason: 'It was stopped.' }));
        return ended.promise;
      },
    };
  }

  return {
    start,
    starts,
    metrics: (module) => [...members].find((one) => one.start.module === module)?.metrics(),
    memory: () =>
      [...pids].map(([group, pid]) => {
        const modules = [...members].filter(({ start: { group: of } }) => of === group);
        return {
          pid,
          modules: modules.map(({ start: { module } }) => module),
          residentBytes: 60_000_000,
          proportionalBytes: 40_000_000,
        };
      }),
    processes: () => Object.fromEntries(pids),
    end(module, ending) {
      for (const member of members) if (member.start.module === module) member.end(ending);
    },
    members: (module) =>
      [...members].filter((one) => one.start.module === module).map((one) => one.end),
    loseHost(group) {
      pids.delete(group);
      const reason = 'The module host ended by itself (SIGKILL).';
      for (const member of Array.from(members)) {
        if (member.start.group === group) {
          member.end({ cause: 'host lost', exitCode: 137, reason });
        }
      }
    },
    async stop() {
      const ending: Ending = { cause: 'stopped', exitCode: 0, reason: 'It was stopped.' };
      for (const member of Array.from(members)) member.end(ending);
      pids.clear();
    },
  };
}
