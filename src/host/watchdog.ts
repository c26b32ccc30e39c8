/**
 * Watches running turns: their time against their limits, and which module the host grows for. It
 * ticks only while something runs, so an idle board is not woken for it.
 */
import type { Clock, ModuleLimits } from '../core/ports.ts';
import type { ModulePulse } from './host-protocol.ts';
import type { HostSettings } from './host-settings.ts';
import type { IsolatedModule } from './isolated-module.ts';

export type Watched = {
  readonly handle: number;
  readonly limits: ModuleLimits;
  readonly module: IsolatedModule;
};

export type Watchdog = {
  /** A turn begins. */
  busy(): void;
  add(watched: Watched): void;
  remove(handle: number): void;
};

export type WatchdogDeps = {
  readonly clock: Clock;
  readonly settings: HostSettings;
  /** CPU time and memory of the whole host. */
  readonly usage: () => { readonly cpuMs: number; readonly residentBytes: number };
  readonly pulse: (pulses: readonly ModulePulse[]) => void;
};

type Record = {
  readonly watched: Watched;
  turn: number | undefined;
  /** Of the turn under way: CPU time, and the same by the isolate's clock, which runs on while it waits. */
  turnMs: number;
  turnWallMs: number;
  cpuMs: number;
  heapBytes: number;
  grownBytes: number;
  /** CPU time when the last pulse told of it. */
  toldMs: number;
};

/** Growth of the host that is worth a pulse of its own. */
const TELLING_BYTES = 16 * 1_048_576;

export function createWatchdog({ clock, settings, usage, pulse }: WatchdogDeps): Watchdog {
  const records = new Map<number, Record>();
  let ticking = false;
  let last = usage();
  let untoldBytes = 0;

  function tick(): void {
    const now = usage();
    const usedMs = now.cpuMs - last.cpuMs;
    const grownBytes = now.residentBytes - last.residentBytes;
    last = now;
    const before = new Map([...records.values()].map((record) => [record, record.cpuMs]));
    let anyBusy = false;
    let anyLong = false;
    for (const record of records.values()) {
      if (measure(record, usedMs)) anyBusy = true;
      if (record.turnMs > 0) anyLong = true;
    }
    shareGrowth(grownBytes, before);
    // Whoever works long or takes much may have to be blamed before the next heartbeat.
    untoldBytes += grownBytes;
    if (anyLong || untoldBytes > TELLING_BYTES) tell();
    for (const record of records.values()) judge(record);
    ticking = anyBusy;
    if (ticking) clock.after(settings.tickMs, tick);
  }

  /** True while a turn is under way. */
  function measure(record: Record, usedMs: number): boolean {
    const { module } = record.watched;
    const turn = module.turn();
    const cpuMs = Math.max(record.cpuMs, module.cpuMs());
    const spentMs = cpuMs - record.cpuMs;
    record.cpuMs = cpuMs;
    if (turn === undefined || turn !== record.turn) {
      // A turn met for the first time may be much younger than a tick; it is charged from here on.
      record.turn = turn;
      record.turnMs = 0;
      record.turnWallMs = 0;
    } else {
      // The slice under way is counted as wall time, so on a crowded machine a module would pay for
      // others; it cannot have used more than the whole process did.
      record.turnMs += Math.min(spentMs, usedMs);
      record.turnWallMs += spentMs;
    }
    return turn !== undefined;
  }

  /** Gives the host's growth since the last tick to those who ran, by the time they used. */
  function shareGrowth(grownBytes: number, before: ReadonlyMap<Record, number>): void {
    const spent = [...before].map(([record, cpuMs]) => [record, record.cpuMs - cpuMs] as const);
    const totalMs = spent.reduce((sum, [, ms]) => sum + ms, 0);
    if (totalMs === 0) return;
    for (const [record, ms] of spent) {
      record.grownBytes = Math.max(0, record.grownBytes + (grownBytes * ms) / totalMs);
    }
  }

  function judge({ watched, turnMs, turnWallMs }: Record): void {
    const { module, limits } = watched;
    if (module.isOverLimit()) {
      return module.end({
        cause: 'out of memory',
        exitCode: 137,
        reason: `It used more than its ${limits.heapMb} MB of memory.`,
      });
    }
    const [limitMs, what] = module.isLoading()
      ? [limits.startMs, 'Loading its code']
      : [limits.turnMs, 'One turn of its code'];
    if (turnMs <= limitMs && turnWallMs <= limitMs * settings.wallFactor) return;
    const used =
      turnMs > limitMs
        ? `used more than its ${limitMs} ms of CPU time`
        : `did not end within ${limitMs * settings.wallFactor} ms`;
    module.end({ cause: 'out of time', exitCode: 137, reason: `${what} ${used}.` });
  }

  function tell(): void {
    untoldBytes = 0;
    const pulses: ModulePulse[] = [];
    for (const record of records.values()) {
      const cpuMs = Math.max(record.cpuMs, record.watched.module.cpuMs());
      if (cpuMs === record.toldMs) continue;
      record.toldMs = cpuMs;
      pulses.push({
        handle: record.watched.handle,
        cpuMs: Math.round(cpuMs),
        heapBytes: record.heapBytes,
        grownBytes: Math.round(record.grownBytes),
        turnMs: Math.round(record.turnMs),
        overLimit: record.watched.module.isOverLimit(),
      });
    }
    pulse(pulses);
  }

  function beat(): void {
    for (const record of records.values()) {
      if (record.watched.module.cpuMs() <= record.toldMs) continue;
      void record.watched.module.heapBytes().then((bytes) => {
        record.heapBytes = bytes ?? record.heapBytes;
      });
    }
    tell();
    clock.after(settings.heartbeatMs, beat);
  }
  beat();

  return {
    busy() {
      if (ticking) return;
      ticking = true;
      last = usage();
      clock.after(settings.tickMs, tick);
    },
    add(watched) {
      records.set(watched.handle, {
        watched,
        turn: undefined,
        turnMs: 0,
        turnWallMs: 0,
        cpuMs: 0,
        heapBytes: 0,
        grownBytes: 0,
        toldMs: 0,
      });
    },
    remove: (handle) => void records.delete(handle),
  };
}
