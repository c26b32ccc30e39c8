/**
 * Watches running turns: their time against their limits, and which module the host grows for. It
 * ticks only while something runs, so an idle board is not woken for it.
 */
import type { Clock, ModuleLimits } from '../core/ports.ts';
import type { ModulePulse } from './host-protocol.ts';
import type { HostSettings } from './host-settings.ts';
import type { IsolatedModule } from './isolated-module.ts';
import { outOfMemory, outOfTime } from './module-endings.ts';

type Watched = {
  readonly handle: number;
  readonly limits: ModuleLimits;
  readonly module: IsolatedModule;
};

export type Watchdog = {
  /** A turn begins. */
  busy(): void;
  /** A module is to end while it runs. */
  doomed(): void;
  add(watched: Watched): void;
  /** It has ended; gives what it used. */
  remove(handle: number): ModulePulse | undefined;
};

export type WatchdogDeps = {
  readonly clock: Clock;
  readonly settings: HostSettings;
  /** CPU time and memory of the whole host. */
  readonly usage: () => { readonly cpuMs: number; readonly residentBytes: number };
  readonly pulse: (pulses: readonly ModulePulse[]) => void;
};

type State = {
  readonly watched: Watched;
  /** The turn met at the last tick; undefined = none was under way. */
  turn: number | undefined;
  /** Of the turn under way: CPU time, and the same by the isolate's clock, which runs on while it waits. */
  turnMs: number;
  turnWallMs: number;
  cpuMs: number;
  heapBytes: number;
  grownBytes: number;
  /** How many turns there had been when the heap was last asked for. */
  sampledTurns: number;
  sampling: boolean;
  /** When a beat last met turns it had not met before. */
  activeAtMs: number;
  /** How many turns there had been, the collection's own included, when it was last collected. */
  collectedTurns: number;
  /** The last pulse as text: only news is told. */
  told: string;
};

const LATE_TICKS = 4;
/** Growth of the host that is worth a pulse of its own. */
const TELLING_BYTES = 16 * 1_048_576;

export function createWatchdog({ clock, settings, usage, pulse }: WatchdogDeps): Watchdog {
  const states = new Map<number, State>();
  let ticking = false;
  let last = usage();
  let untoldBytes = 0;

  function tick(): void {
    const now = usage();
    const usedMs = now.cpuMs - last.cpuMs;
    const grownBytes = now.residentBytes - last.residentBytes;
    last = now;
    const before = new Map([...states.values()].map((state) => [state, state.cpuMs]));
    let anyBusy = false;
    let anyLong = false;
    for (const state of states.values()) {
      if (measure(state, usedMs)) anyBusy = true;
      if (state.turnMs > 0) anyLong = true;
    }
    shareGrowth(grownBytes, before);
    // Whoever works long or takes much may have to be blamed before the next heartbeat.
    untoldBytes += grownBytes;
    if (anyLong || untoldBytes > TELLING_BYTES) tell();
    for (const state of states.values()) judge(state);
    ticking = anyBusy;
    if (ticking) clock.after(settings.tickMs, tick);
  }

  /** True while a turn is under way. */
  function measure(state: State, usedMs: number): boolean {
    const { module } = state.watched;
    const turn = module.isRunning() ? module.turns() : undefined;
    const cpuMs = Math.max(state.cpuMs, module.cpuMs());
    const spentMs = cpuMs - state.cpuMs;
    state.cpuMs = cpuMs;
    if (turn === undefined || turn !== state.turn) {
      // A turn met for the first time may be much younger than a tick; it is charged from here on.
      state.turn = turn;
      state.turnMs = 0;
      state.turnWallMs = 0;
    } else {
      // The slice under way is counted as wall time, so on a crowded machine a module would pay for
      // others; it cannot have used more than the whole process did.
      state.turnMs += Math.min(spentMs, usedMs);
      // A late tick means that the whole machine stood still, which is not the module's doing.
      state.turnWallMs += Math.min(spentMs, LATE_TICKS * settings.tickMs);
    }
    return turn !== undefined;
  }

  /** Gives the host's growth since the last tick to those who ran, by the time they used. */
  function shareGrowth(grownBytes: number, before: ReadonlyMap<State, number>): void {
    const spent = [...before].map(([state, cpuMs]) => [state, state.cpuMs - cpuMs] as const);
    const totalMs = spent.reduce((sum, [, ms]) => sum + ms, 0);
    if (totalMs === 0) return;
    for (const [state, ms] of spent) {
      state.grownBytes = Math.max(0, state.grownBytes + (grownBytes * ms) / totalMs);
    }
  }

  function judge({ watched, turnMs, turnWallMs }: State): void {
    const { module, limits } = watched;
    if (module.isOverLimit()) {
      return module.end(outOfMemory(limits.heapMb));
    }
    const [limitMs, what] = module.isLoading()
      ? [limits.startMs, 'Loading its code']
      : [limits.turnMs, 'One turn of its code'];
    if (turnMs <= limitMs && turnWallMs <= limitMs * settings.wallFactor) return;
    const used =
      turnMs > limitMs
        ? `used more than its ${limitMs} ms of CPU time`
        : `did not end within ${limitMs * settings.wallFactor} ms`;
    module.end(outOfTime(`${what} ${used}.`));
  }

  function pulseOf(state: State): ModulePulse {
    const { handle, module } = state.watched;
    const waited = module.waited();
    return {
      handle,
      cpuMs: Math.round(Math.max(state.cpuMs, module.cpuMs())),
      heapBytes: state.heapBytes,
      cpuWaitMs: Math.round(waited.cpuMs),
      messageWaitMs: Math.round(waited.messageMs),
      grownBytes: Math.round(state.grownBytes),
      turnMs: Math.round(state.turnMs),
      doomed: module.isDoomed(),
    };
  }

  function tell(): void {
    untoldBytes = 0;
    const pulses: ModulePulse[] = [];
    for (const state of states.values()) {
      const news = pulseOf(state);
      const text = JSON.stringify(news);
      if (text === state.told) continue;
      state.told = text;
      pulses.push(news);
    }
    pulse(pulses);
  }

  function beat(): void {
    for (const state of states.values()) {
      const { module } = state.watched;
      const turns = module.turns();
      if (state.sampling) continue;
      if (turns === state.sampledTurns) {
        tidy(state);
        continue;
      }
      state.activeAtMs = clock.elapsed();
      state.sampling = true;
      // Told with the next beat: a heartbeat waits for no isolate.
      void module.heapBytes().then((bytes) => {
        state.heapBytes = bytes ?? state.heapBytes;
        state.sampledTurns = turns;
        state.sampling = false;
      });
    }
    tell();
    clock.after(settings.heartbeatMs, beat);
  }

  /** V8 collects while a heap grows: what one holds that has come to rest would stay. */
  function tidy(state: State): void {
    const { module } = state.watched;
    if (state.collectedTurns === state.sampledTurns) return;
    if (clock.elapsed() - state.activeAtMs < settings.restMs) return;
    state.collectedTurns = module.collect();
  }
  beat();

  return {
    busy() {
      if (ticking) return;
      ticking = true;
      last = usage();
      clock.after(settings.tickMs, tick);
    },
    doomed: tell,
    add(watched) {
      states.set(watched.handle, {
        watched,
        turn: undefined,
        turnMs: 0,
        turnWallMs: 0,
        cpuMs: 0,
        heapBytes: 0,
        grownBytes: 0,
        sampling: false,
        sampledTurns: 0,
        activeAtMs: 0,
        collectedTurns: 0,
        told: '',
      });
    },
    remove(handle) {
      const state = states.get(handle);
      states.delete(handle);
      return state === undefined ? undefined : pulseOf(state);
    },
  };
}
