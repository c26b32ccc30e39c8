/**
 * One module in its isolate: load it, give it turns one after the other, end it.
 *
 *   loading ──▶ idle ⇄ busy ──▶ ending ──the call under way settles──▶ ended
 *                                  └── it does not, for wedgeMs ──▶ wedged
 *
 * The isolate has one door in (a Reference to the guest's function) and one outbox (an ignored
 * Callback); nothing else of ours ever enters it (spec/isolates.md §1.4).
 */
import ivm from 'isolated-vm';
import type { HostEvent } from '../core/guest-protocol.ts';
import type { Cancel, Clock, Ending } from '../core/ports.ts';
import type { DeviceServices } from './device-services.ts';
import type { FileAccess } from './file-access.ts';
import { createGuestTimer, TIMER_MS_MAX } from './guest-timer.ts';
import { isPlainBytes, parseHostCalls } from './host-call-check.ts';
import { type HostStart, moduleFile } from './host-protocol.ts';
import type { HostSettings } from './host-settings.ts';
import type { Isolates } from './isolates.ts';
import { brokeTreaty, isCutShort, outOfMemory, refused, threw } from './module-endings.ts';
import { createPace, type Pace } from './pace.ts';
import { rejectedEvent } from './rejected-event.ts';
import { runCode } from './run-code.ts';
import { seedCopy } from './seed-copy.ts';

export type IsolatedModule = {
  post(events: string, bytes: Uint8Array): void;
  /** `mayRun` is true again. */
  resume(): void;
  /** It sent too much: no new turn for so many ms. */
  rest(ms: number): void;
  waited: Pace['waited'];
  end(ending: Ending): void;
  /** Calls into the isolate so far, the one under way included. */
  turns(): number;
  isRunning(): boolean;
  isLoading(): boolean;
  /** CPU time since its start, ms; the slice under way counts as wall time (spec/isolates.md §1.5). */
  cpuMs(): number;
  /** V8 has given the isolate up though nobody asked; its code may run on. */
  isOverLimit(): boolean;
  /** Its isolate is gone, but the call under way has not come back. */
  isDoomed(): boolean;
  /**
   * Gives back what its heap does not need; a turn of its own, and none when it is not at rest.
   * Returns the number of turns with it, 0 when there was none.
   */
  collect(): number;
  /** Heap and array buffers, bytes, once its turn is over; undefined when it ends before. */
  heapBytes(): Promise<number | undefined>;
};

export type IsolatedModuleEvents = {
  /** A call into the isolate begins. */
  busy(): void;
  /** It is to end while its code runs; from now on it may use what it wants. */
  doomed(): void;
  started(): void;
  /** Nothing but a post will wake it; so many were handled. */
  quiet?(posts: number): void;
  requests(json: string, bytes: Uint8Array | undefined): void;
  ended(ending: Ending): void;
  wedged(ending: Ending): void;
};

export type IsolatedModuleDeps = {
  /** False while the supervisor takes nothing: no new turns then, until `resume`. */
  readonly mayRun: () => boolean;
  readonly isolates: Isolates;
  readonly files: FileAccess;
  readonly services: (tell: (event: HostEvent) => boolean) => DeviceServices;
  /** What keeps it from starting on this device; asked before its code runs. */
  readonly obstacles: () => Promise<readonly string[]>;
  readonly clock: Clock;
  readonly settings: HostSettings;
};

type Inbox = { readonly events: string; readonly bytes: Uint8Array };

const HEAP_MB_MIN = 8;
const TAKEN = Symbol('taken');

export function createIsolatedModule(
  start: HostStart,
  code: string,
  { mayRun, isolates, files, services, obstacles, clock, settings }: IsolatedModuleDeps,
  events: IsolatedModuleEvents,
): IsolatedModule {
  const heapMb = Math.max(HEAP_MB_MIN, start.limits.heapMb);
  const prepared = isolates.take(heapMb);
  const { isolate } = prepared;
  prepared.onCatastrophe = onCatastrophe;
  let door: ivm.Reference<(...args: unknown[]) => unknown> | undefined;
  let collector: ivm.Reference<() => void> | undefined;
  let ending: Ending | undefined;
  let over = false;
  let running = true;
  let loading = true;
  let turns = 1;
  let inbox: Inbox[] = [];
  let inboxBytes = 0;
  let hostEvents: HostEvent[] = [];
  let outboxCalls = 0;
  let hostCallLength = 0;
  /** CPU time when the isolate was last seen alive. */
  let lastCpuMs = 0;
  /** What its pace knows of it. */
  let paidMs = 0;
  const pace = createPace(start.limits.cpuShare, clock, next);
  let hostCallCount = 0;
  /** Calls whose answers have not gone in yet: these hold whole files. */
  let hostCalls = 0;
  let callsDone = 0;
  /** Signals that have not gone in yet. */
  let signals = 0;
  const device = services(signal);
  let posts = 0;
  const timer = createGuestTimer(clock, () => tell({ t: 'timers' }));
  let cancelWedge: Cancel = () => {};

  async function load(text: string): Promise<void> {
    const problems = await obstacles();
    if (problems.length > 0) return end(refused(problems));
    if (ending !== undefined) return;
    const { context, boot, collect } = await prepared.ready;
    collector = collect;
    const callback = new ivm.Callback(outbox, { ignored: true });
    door = (await boot.apply(undefined, [callback, start.boot, seedCopy(start.seed)], {
      result: { reference: true },
    })) as typeof door;
    boot.release();
    await runCode(isolate, context, text, moduleFile(start.module), limited());
  }

  /** Wraps every stretch of time in which code of the module may run. */
  async function occupy(work: () => Promise<unknown>): Promise<boolean> {
    running = true;
    outboxCalls = 0;
    hostCallLength = 0;
    hostCallCount = 0;
    events.busy();
    try {
      await work();
      return true;
    } catch (cause) {
      const left = await offer(cause);
      if (left === TAKEN) return true;
      end(isolate.isDisposed ? outOfMemory(start.limits.heapMb) : threw(left, turnMs()));
      return false;
    } finally {
      running = false;
      const nowMs = cpuMs();
      pace.spent(nowMs - paidMs);
      paidMs = nowMs;
      if (ending !== undefined) finish();
    }
  }

  /** Before a rejection nobody handled ends the module, its own handlers are asked. Gives what ends it. */
  async function offer(cause: unknown): Promise<unknown> {
    if (door === undefined || isolate.isDisposed || ending !== undefined || isCutShort(cause)) {
      return cause;
    }
    try {
      return (await enter('', undefined, [rejectedEvent(cause, loading)])) === true ? TAKEN : cause;
    } catch (another) {
      return another;
    }
  }

  function next(): void {
    if (running || ending !== undefined || !mayRun()) return;
    if (inbox.length === 0 && hostEvents.length === 0) {
      if (!timer.isSet() && hostCalls === 0 && !device.isOpen()) events.quiet?.(posts);
      return;
    }
    if (!pace.mayBegin()) return;
    const item = inbox.shift();
    inboxBytes -= item === undefined ? 0 : sizeOf(item);
    const news = hostEvents;
    hostEvents = [];
    hostCalls -= callsDone;
    callsDone = 0;
    signals = 0;
    turns++;
    void occupy(() => enter(item?.events ?? '', item?.bytes, news)).then(next);
  }

  function cpuMs(): number {
    if (!isolate.isDisposed) lastCpuMs = Number(isolate.cpuTime) / 1e6;
    return lastCpuMs;
  }

  function enter(
    text: string,
    bytes: Uint8Array | undefined,
    news: readonly HostEvent[],
  ): Promise<unknown> {
    const hostText = news.length === 0 ? '' : JSON.stringify(news);
    const target = door as NonNullable<typeof door>;
    const limit = limited();
    if (bytes === undefined || bytes.byteLength === 0) {
      return target.apply(undefined, [text, undefined, hostText], limit);
    }
    const moved = new ivm.ExternalCopy(bytes.buffer, { transferOut: true });
    const own = moved.copyInto({ release: true, transferIn: true });
    return target.apply(undefined, [text, own, hostText], limit);
  }

  const turnMs = (): number => (loading ? start.limits.startMs : start.limits.turnMs);
  const limited = (): ivm.RunOptions =>
    settings.tellsWhere ? { timeout: Math.min(turnMs(), TIMER_MS_MAX) } : {};

  function outbox(requests: unknown, bytes: unknown, calls: unknown, timerMs: unknown): void {
    if (ending !== undefined) return;
    if (
      typeof requests !== 'string' ||
      typeof calls !== 'string' ||
      typeof timerMs !== 'number' ||
      !(bytes === undefined || isPlainBytes(bytes))
    ) {
      return end(brokeTreaty('its outbox was called with the wrong things'));
    }
    outboxCalls++;
    if (outboxCalls > settings.outboxCallsMax) {
      return end(brokeTreaty(`it called its outbox ${outboxCalls} times in one turn`));
    }
    if (requests !== '') events.requests(requests, bytes);
    timer.set(timerMs);
    hostCallLength += calls.length;
    // They are parsed on the host's one thread, which watches over all modules.
    if (hostCallLength > settings.outboxBytesMax) {
      return end(brokeTreaty(`its host calls of one turn take ${hostCallLength} characters`));
    }
    if (calls !== '') callHost(calls);
  }

  function callHost(text: string): void {
    const parsed = parseHostCalls(text, settings);
    if (!parsed.ok) return end(brokeTreaty(parsed.problem));
    hostCallCount += parsed.calls.length;
    // Even those that are refused are answered, by the thread that serves all modules.
    if (hostCallCount > settings.requestsMax) {
      return end(brokeTreaty(`it made ${hostCallCount} host calls in one turn`));
    }
    for (const call of parsed.calls) {
      if (call.t === 'exit') {
        return end({
          cause: 'exited',
          exitCode: call.code,
          reason: `It called process.exit(${call.code}).`,
        });
      }
      if (hostCalls >= settings.hostCallsMax) {
        const error = { code: 'EMFILE', message: 'EMFILE: too many calls to the device at once' };
        tell({ t: 'done', call: call.call, error });
        continue;
      }
      hostCalls++;
      void (call.t === 'ask' ? device.ask(call) : files(call)).then((done) => {
        callsDone++;
        tell(done);
      });
    }
  }

  function tell(event: HostEvent): void {
    if (ending !== undefined) return;
    hostEvents.push(event);
    next();
  }

  /** Something of the device has news; false = dropped. */
  function signal(event: HostEvent): boolean {
    if (ending !== undefined || signals >= settings.signalsMax) return false;
    signals++;
    tell(event);
    return true;
  }

  function end(how: Ending): void {
    if (ending !== undefined) return;
    ending = how;
    device.close();
    inbox = [];
    hostEvents = [];
    timer.set(-1);
    pace.stop();
    cpuMs();
    // Not released first: releasing waits for the isolate, which may never come to it.
    if (!isolate.isDisposed) isolate.dispose();
    if (!running) return finish();
    events.doomed();
    cancelWedge = clock.after(settings.wedgeMs, () => wedge(how));
  }

  function finish(): void {
    if (over) return;
    over = true;
    cancelWedge();
    events.ended(ending as Ending);
  }

  function wedge(how: Ending): void {
    if (over) return;
    over = true;
    const keeps = how.cause === 'out of memory' || how.cause === 'crashed';
    const cause = keeps ? how.cause : 'wedged';
    events.wedged({
      cause,
      exitCode: 137,
      reason: `${how.reason} It could not be stopped, so its host was killed.`,
    });
  }

  function onCatastrophe(message: string): void {
    if (over) return;
    const cause = isolate.isDisposed || /memory/i.test(message) ? 'out of memory' : 'crashed';
    const reason = ending?.reason ?? 'V8 lost control of it.';
    wedge({ cause: ending?.cause ?? cause, exitCode: 137, reason: `${reason} (V8: ${message})` });
    ending ??= { cause, exitCode: 137, reason };
  }

  // The isolate's first turn begins with its making.
  // Bound, for what a closure of this function names stays as long as the module: the isolate has its own copy.
  void occupy(load.bind(undefined, code)).then((loaded) => {
    loading = false;
    if (!loaded || ending !== undefined) return;
    events.started();
    isolates.refill(heapMb);
    next();
  });

  return {
    post(text, bytes) {
      if (ending !== undefined) return;
      // A copy of its own, which moves into the isolate and is not copied again.
      const item = { events: text, bytes: new Uint8Array(bytes) };
      inboxBytes += sizeOf(item);
      if (inboxBytes > settings.inboxBytesMax) {
        return end({
          cause: 'error',
          exitCode: 1,
          reason: `More than ${settings.inboxBytesMax} bytes wait for it: it takes its events too slowly.`,
        });
      }
      inbox.push(item);
      posts++;
      next();
    },
    resume: next,
    rest: pace.rest,
    waited: pace.waited,
    end,
    turns: () => turns,
    isRunning: () => running && !over,
    isLoading: () => loading,
    cpuMs,
    isOverLimit: () => ending === undefined && isolate.isDisposed,
    isDoomed: () => running && !over && isolate.isDisposed,
    collect() {
      const target = collector;
      if (running || ending !== undefined || target === undefined) return 0;
      void occupy(() => target.apply(undefined, [])).then(next);
      return ++turns;
    },
    async heapBytes() {
      if (ending !== undefined) return undefined;
      try {
        const heap = await isolate.getHeapStatistics();
        return heap.used_heap_size + heap.externally_allocated_size;
      } catch {
        // It ended meanwhile, and that is told elsewhere.
        return undefined;
      }
    },
  };
}

function sizeOf(item: Inbox): number {
  return item.events.length + item.bytes.byteLength;
}
