/**
 * The modules of one group and the host process they share. It knows who runs there, checks what
 * comes out, and when the host has to be killed tells each module how it ended: the culprit first.
 */
import { type GuestBoot, TREATY_VERSION } from '../core/guest-protocol.ts';
import type { ModuleName } from '../core/message.ts';
import type {
  Cancel,
  Clock,
  Ending,
  Grants,
  Log,
  ModuleMetrics,
  ModuleSink,
  ModuleStart,
  RunningModule,
} from '../core/ports.ts';
import {
  type Culprit,
  convict,
  crashed,
  culpritOf,
  KILLED,
  type Suspect,
  suspectLargest,
  suspectLatest,
  suspectWorking,
} from './blame.ts';
import type { HostCells } from './control-groups.ts';
import type { Frame } from './frame.ts';
import { checkGuestRequests } from './guest-request-check.ts';
import { createHostProcess, type HostEnd } from './host-process.ts';
import {
  fromHost,
  type HostStart,
  type ModulePulse,
  parseEnding,
  parsePulses,
  parseUsed,
  toHost,
} from './host-protocol.ts';
import type { HostSettings } from './host-settings.ts';
import type { HostUser } from './host-user.ts';
import { createMessagePace, type MessagePace } from './message-pace.ts';
import { stopped } from './module-endings.ts';
import { metricsOf, sumOfMetrics } from './module-metrics.ts';
import { newSeed } from './new-seed.ts';
import { createStackMapper, type StackMapper } from './stack-map.ts';
import { type FileBounds, startProblems } from './start-check.ts';

export type HostGroup = {
  readonly pid: number;
  /** `known`: what keeps it from starting, as far as others have found. */
  start(start: ModuleStart, sink: ModuleSink, known: readonly string[]): RunningModule;
  metrics(module: string): ModuleMetrics | undefined;
  /** Those that run here. */
  modules(): readonly ModuleName[];
  /** Ends all its modules as 'stopped' and its host with them. */
  stop(): void;
  /** When the host is no more and every module has been told. */
  readonly left: Promise<void>;
};

export type HostGroupDeps = FileBounds & {
  readonly group: string;
  readonly hostMain: string;
  /** What the host may touch: the grants of all modules that may come. */
  readonly grants: readonly Grants[];
  readonly user: HostUser | undefined;
  /** Groups of devices it keeps as that user. */
  readonly deviceGroups: readonly number[];
  readonly prelude: string;
  /** Of the prelude; undefined = there is none. Called once. */
  readonly snapshot: () => Uint8Array | undefined;
  /** It had a snapshot, and crashed before any module had started. */
  readonly diedAtBirth: (reason: string) => void;
  readonly clock: Clock;
  readonly log: Log;
  readonly settings: HostSettings;
  /** Memory of the machine, bytes. */
  readonly machineBytes: number;
  /** How often the kernel has killed a process because memory ran out. */
  readonly oomKills: () => number;
  readonly cells?: HostCells | undefined;
  /** It takes no more modules: the next one needs a new group. Called once. */
  readonly closed: () => void;
};

type Member = {
  readonly handle: number;
  /** No more of it: code, source map and the grants of all others are large. */
  readonly start: Pick<ModuleStart, 'module' | 'limits'>;
  readonly sink: ModuleSink;
  readonly stacks: StackMapper;
  /** Set when the sink was told; the host may not know yet. */
  over: boolean;
  started: boolean;
  readonly startedAtMs: number;
  pulse: ModulePulse | undefined;
  readonly paced: MessagePace;
  /** When it was last given something, or last said something. */
  activeAtMs: number;
  cancelStop: Cancel;
  readonly ended: PromiseWithResolvers<void>;
};

const MB = 1_048_576;
export function createHostGroup(deps: HostGroupDeps): HostGroup {
  const { group, clock, log, settings } = deps;
  const hostBytesMax = deps.machineBytes * settings.memoryShare;
  const members = new Map<number, Member>();
  const left = Promise.withResolvers<void>();
  let lastHandle = 0;
  const oomKillsBefore = deps.oomKills();
  let closed = false;
  let culprit: Culprit | undefined;
  let stopping = false;
  let warned = false;
  /** When it first spoke. */
  let readyAtMs: number | undefined;
  let pulsedAtMs = 0;
  let cancelIdle: Cancel = () => {};

  const host = createHostProcess(
    { ...deps, ceilingBytes },
    { frame: onFrame, overCeiling, silent, gone },
  );
  /** What comes from a snapshot may crash before any module has a part in it. */
  let unproven = sendSnapshot();
  host.send(toHost.hello, 0, JSON.stringify(settings), Buffer.from(deps.prelude));
  log.debug('module host started', { group, pid: host.pid });

  function sendSnapshot(): boolean {
    const snapshot = deps.snapshot();
    if (snapshot !== undefined) host.send(toHost.snapshot, 0, '', snapshot);
    return snapshot !== undefined;
  }

  function ceilingBytes(): number {
    let heapMb = 0;
    for (const { start } of members.values()) heapMb += start.limits.heapMb;
    const wanted = (settings.baseMb + heapMb * settings.heapFactor) * MB;
    return Math.min(wanted, hostBytesMax);
  }

  // ------------------------------------------------------------------------- what the host says

  function onFrame(frame: Frame): void {
    if (frame.kind === fromHost.pulse) return onPulse(frame.json);
    const member = members.get(frame.handle);
    // Numbers are never used twice and the host says `ended` last: nobody honest sends this.
    if (member === undefined)
      return distrust(`it spoke for module ${frame.handle}, which it lacks`);
    switch (frame.kind) {
      case fromHost.started:
        if (member.started) return distrust('it started a module twice');
        member.started = true;
        unproven = false;
        if (!member.over) member.sink.started();
        return;
      case fromHost.requests:
        return onRequests(member, frame);
      case fromHost.quiet:
        return void (member.over || member.sink.quiet?.(Number(frame.json)));
      case fromHost.ended:
      case fromHost.wedged: {
        const ending = parseEnding(frame.kind, frame.json);
        if (ending === undefined) return distrust('it told an ending that is none');
        if (frame.kind === fromHost.wedged) return bringDown(member, ending);
        members.delete(member.handle);
        member.pulse = parseUsed(frame.json) ?? member.pulse;
        tellEnd(member, ending);
        restWhenEmpty();
        return;
      }
      default:
        return distrust(`it sent a frame of kind ${frame.kind}`);
    }
  }

  function onPulse(json: string): void {
    const pulses = parsePulses(json);
    if (pulses === undefined) return distrust('it sent a pulse that is none');
    host.alive();
    pulsedAtMs = clock.elapsed();
    readyAtMs ??= pulsedAtMs;
    for (const pulse of pulses) {
      const member = members.get(pulse.handle);
      if (member !== undefined) member.pulse = pulse;
    }
  }

  function onRequests(member: Member, frame: Frame): void {
    if (member.over) return;
    member.activeAtMs = clock.elapsed();
    const checked = checkGuestRequests(frame.json, frame.bytes, settings);
    if (checked.ok) {
      member.paced(checked.requests);
      const relief = member.sink.requests(member.stacks.requests(checked.requests), checked.bodies);
      if (relief !== undefined) host.readAgainAfter(relief);
      return;
    }
    const reason = `It broke the treaty: ${checked.problems.join('; ')}.`;
    tellEnd(member, { cause: 'error', exitCode: 1, reason });
    askToEnd(member);
  }

  /** A host that is not itself any more: whatever it says next may be a lie. */
  function distrust(what: string): void {
    log.error('module host is not to be trusted and was killed', { group, what });
    close();
    host.kill(`The module host broke its protocol: ${what}.`);
  }

  // -------------------------------------------------------------------------------- its ends

  function bringDown(member: Member, ending: Ending): void {
    close();
    culprit ??= { handle: member.handle, ending };
    log.warn('module host killed', { group, culprit: member.start.module, reason: ending.reason });
    host.kill(`The module host was killed because of ${member.start.module}.`);
  }

  function overCeiling(residentBytes: number): void {
    const megabytes = Math.round(residentBytes / MB);
    const all = suspects();
    const guilty = convict(all);
    // A host may grow faster than it tells why; the next pulse comes before the next look.
    if (guilty === undefined && !warned) {
      warned = true;
      return;
    }
    const worst = (guilty ?? suspectWorking(all) ?? suspectLatest(all) ?? suspectLargest(all))
      ?.member;
    const reason = `Its host used ${megabytes} MB, more than it may, most of it for this module.`;
    if (worst !== undefined) {
      return bringDown(worst, { cause: 'out of memory', exitCode: KILLED, reason });
    }
    killUnblamed(`The module host used ${megabytes} MB, and no module stands out.`);
  }

  function silent(): void {
    // Loading is no work here: whoever waits for a silent host to load it is its victim.
    const all = suspects().map((one) => ({ ...one, loadingMs: 0 }));
    const worst = (convict(all) ?? suspectWorking(all) ?? suspectLatest(all))?.member;
    const silence = `has been silent for ${readyAtMs === undefined ? settings.bootMs : settings.silenceMs} ms`;
    if (worst !== undefined) {
      const reason = `Its host ${silence} while this module was at work.`;
      return bringDown(worst, { cause: 'wedged', exitCode: KILLED, reason });
    }
    killUnblamed(`The module host ${silence}.`);
  }

  function killUnblamed(reason: string): void {
    close();
    log.warn('module host killed', { group, reason });
    host.kill(reason);
  }

  function suspects(): readonly (Suspect & { readonly member: Member })[] {
    const now = clock.elapsed();
    return [...members.values()].map((member) => ({
      member,
      handle: member.handle,
      pulse: member.pulse,
      heapMb: member.start.limits.heapMb,
      activeAtMs: member.activeAtMs > pulsedAtMs ? member.activeAtMs : undefined,
      loadingMs: member.started ? 0 : now - Math.max(member.startedAtMs, readyAtMs ?? now),
    }));
  }

  /** A host that ended by itself: which module brought that about, as far as anybody can tell. */
  function findCulprit(reason: string, { signal, ranOut }: HostEnd): Culprit | undefined {
    const elsewhere = deps.oomKills() === oomKillsBefore ? undefined : 'device';
    const memoryRanOut = ranOut ? 'host' : elsewhere;
    if (!unproven || !crashed(signal))
      return culpritOf(suspects(), { signal, reason, memoryRanOut });
    deps.diedAtBirth(reason);
    return undefined;
  }

  function gone(reason: string, end?: HostEnd): void {
    if (end !== undefined && !stopping) culprit ??= findCulprit(reason, end);
    if (!closed) log.warn('module host died', { group, reason, modules: members.size });
    log.debug('module host ended', { group, pid: host.pid, reason });
    close();
    cancelIdle();
    const lost: Ending = stopping ? stopped : { cause: 'host lost', exitCode: KILLED, reason };
    const guilty = members.get(culprit?.handle ?? 0);
    if (guilty !== undefined && culprit !== undefined) {
      tellEnd(guilty, { ...culprit.ending, tookHost: true });
    }
    for (const member of members.values()) tellEnd(member, lost);
    members.clear();
    left.resolve();
  }

  function close(): void {
    if (closed) return;
    closed = true;
    deps.closed();
  }

  function tellEnd(member: Member, ending: Ending): void {
    member.cancelStop();
    if (member.over) return;
    member.over = true;
    const reason = member.stacks.lastReason(ending.reason);
    member.sink.ended({ ...ending, reason }, metricsOf(member.pulse));
    member.ended.resolve();
  }

  function askToEnd(member: Member): void {
    member.cancelStop();
    host.send(toHost.stop, member.handle, '');
    const reason = `It could not be stopped within ${settings.stopMs} ms, so its host was killed.`;
    member.cancelStop = clock.after(settings.stopMs, () =>
      bringDown(member, { cause: 'wedged', exitCode: KILLED, reason }),
    );
  }

  function restWhenEmpty(): void {
    if (members.size > 0) return;
    cancelIdle = clock.after(settings.idleMs, () => {
      close();
      host.kill('The module host had no more modules.');
    });
  }

  // ------------------------------------------------------------------------------- its modules

  function start(what: ModuleStart, sink: ModuleSink, known: readonly string[]): RunningModule {
    cancelIdle();
    const member: Member = {
      handle: ++lastHandle,
      start: { module: what.module, limits: what.limits },
      sink,
      stacks: createStackMapper(what.module, what.sourceMap, clock),
      over: false,
      started: false,
      startedAtMs: clock.elapsed(),
      pulse: undefined,
      paced: createMessagePace(what.limits.messagesPerSecond, clock, (ms) =>
        host.send(toHost.rest, member.handle, JSON.stringify(ms)),
      ),
      activeAtMs: 0,
      cancelStop: () => {},
      ended: Promise.withResolvers(),
    };
    members.set(member.handle, member);
    const { module, code, device, env, grants, limits } = what;
    const guestBoot: GuestBoot = {
      treaty: TREATY_VERSION,
      module,
      device,
      env,
      arch: process.arch,
      lineMax: limits.logLineLengthMax,
    };
    const boot = JSON.stringify(guestBoot);
    const problems = [...known, ...startProblems(what, { ...deps, hostBytesMax })];
    // An isolate is made before anything is asked, and none may be larger than the device.
    const heapMb = problems.length > 0 ? 0 : limits.heapMb;
    const told = { module, boot, grants, problems, tellsQuiet: sink.quiet !== undefined };
    const wire: HostStart = { ...told, seed: newSeed(), limits: { ...limits, heapMb } };
    host.send(toHost.start, member.handle, JSON.stringify(wire), Buffer.from(code));
    return {
      post(events, bodies) {
        if (member.over || events.length === 0) return;
        member.activeAtMs = clock.elapsed();
        const present = bodies.filter((body) => body !== undefined);
        host.send(toHost.post, member.handle, JSON.stringify(events), Buffer.concat(present));
      },
      stop() {
        if (!member.over) askToEnd(member);
        return member.ended.promise;
      },
    };
  }

  return {
    pid: host.pid,
    start,
    metrics: (module) =>
      sumOfMetrics(
        [...members.values()]
          .filter((one) => one.start.module === module && !one.over)
          .map((one) => metricsOf(one.pulse)),
      ),
    modules: () => [...members.values()].filter(({ over }) => !over).map((one) => one.start.module),
    stop() {
      stopping = true;
      close();
      host.kill('The runtime stops.');
    },
    left: left.promise,
  };
}
