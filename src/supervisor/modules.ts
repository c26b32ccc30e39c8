/** The modules of this device: which run, how they ended, how often they were started again. */
import type { Asked } from '../core/asked.ts';
import type { ModuleSpec } from '../core/deployment.ts';
import { Fault } from '../core/fault.ts';
import type { JsonObject } from '../core/json.ts';
import type { ModuleName } from '../core/message.ts';
import { type FailedSuccessor, type ModuleObservation, needsRestart } from '../core/plan.ts';
import { noPolicy, type Policy } from '../core/policy.ts';
import type {
  Bundle,
  Clock,
  Ending,
  Grants,
  Log,
  ModuleHost,
  ModuleLimits,
  ModuleMetrics,
  ModuleStart,
  StatisticsRow,
  StoreSnapshot,
  StoreWrite,
} from '../core/ports.ts';
import { INTENSIVE_CARE_MS } from '../core/restart-policy.ts';
import {
  type Listening,
  type LiveModule,
  type ModuleServices,
  startLiveModule,
} from './live-module.ts';
import type { Meter } from './meter.ts';
import { hostFor, rightsOf } from './rights.ts';
import { createTakeover, type Takeover } from './takeover.ts';

type DeliverArguments = Parameters<LiveModule['deliver']>;

export interface Modules {
  /** `counts`: it is a restart after a failure. */
  start(spec: ModuleSpec, bundle: Bundle, counts: boolean): void;
  /** Starts it beside the version that runs, which it takes over from as soon as it can. */
  replace(spec: ModuleSpec, bundle: Bundle): void;
  /** Ends the version that stands beside. */
  withdraw(module: ModuleName): void;
  stop(module: ModuleName): void;
  /** Ends it, or its pause, for a person who wants it to begin anew; that is not counted as a restart. */
  restart(module: ModuleName): void;
  forget(module: ModuleName): void;
  /** The version that takes method calls. */
  live(module: ModuleName): LiveModule | undefined;
  /** A desired patch, for all its versions. */
  desired(module: ModuleName, patch: JsonObject): void;
  /** One input of one module as an Endpoint; rejects with ENDPOINT_AWAY when it does not run. */
  deliver(module: ModuleName, ...what: DeliverArguments): Promise<void>;
  observe(): ReadonlyMap<ModuleName, ModuleObservation>;
  metrics(module: ModuleName): ModuleMetrics | undefined;
}

export type ModulesDeps = {
  readonly host: ModuleHost;
  readonly services: ModuleServices;
  readonly clock: Clock;
  readonly log: Log;
  readonly write: (writes: readonly StoreWrite[]) => Promise<void>;
  /** IoT Edge's own variables for a module (spec/iotedge.md §11.5). */
  readonly identityEnv: (module: ModuleName) => Readonly<Record<string, string>>;
  readonly device: string;
  readonly limits: ModuleLimits;
  readonly meter: Meter;
  /** What the device lets deployments grant; all of it when absent. */
  readonly policy?: Policy;
  /** The modules of the deployment: their shared host gets the rights for all of them. */
  readonly deployed: () => Iterable<ModuleSpec>;
  /** What the bundle of an image asks for; undefined = it declares nothing, or is not here yet. */
  readonly asked: (image: string) => Asked | undefined;
  /** A module started, listens, or ended: whoever waits for it looks again. */
  readonly changed: (module: ModuleName, what: 'started' | 'ended' | Listening) => void;
};

/** One version of a module, from its start to its end. */
type Life = {
  readonly spec: ModuleSpec;
  readonly version: string;
  readonly startedAtMs: number;
  readonly live: LiveModule;
  state: Exclude<ModuleObservation['state'], 'idle'>;
};

type Held = {
  /** The one that runs, or ran last; undefined = none since this process began. */
  life: Life | undefined;
  ending: Ending | undefined;
  statistics: StatisticsRow;
  /** The one beside it. */
  successor: Life | undefined;
  failedSuccessor: FailedSuccessor | undefined;
  takeover: Takeover | undefined;
};

const NEW: StatisticsRow = {
  restartCount: 0,
  lastRestartAtMs: null,
  lastStartAtMs: null,
  lastExitAtMs: null,
  exitCode: 0,
  exitReason: '',
  quarantined: false,
};

/** Who uses the machine's devices has a host with those who do, too (decision 0010). */
function groupOf({ devices }: Grants): string {
  return devices.some(({ kind }) => kind !== undefined) ? 'devices' : 'shared';
}

export function createModules(deps: ModulesDeps, rows: StoreSnapshot['statistics']): Modules {
  const { host, services, clock, log, write, meter, changed } = deps;
  const policy = deps.policy ?? noPolicy;
  const held = new Map<ModuleName, Held>();
  for (const [name, statistics] of Object.entries(rows)) hold(name, statistics);

  function hold(name: ModuleName, statistics = NEW): Held {
    const module: Held = {
      life: undefined,
      ending: undefined,
      statistics,
      successor: undefined,
      failedSuccessor: undefined,
      takeover: undefined,
    };
    held.set(name, module);
    return module;
  }

  function remember(name: ModuleName, module: Held, change: Partial<StatisticsRow>): void {
    module.statistics = { ...module.statistics, ...change };
    void write([{ kind: 'statistics', module: name, statistics: module.statistics }]);
  }

  function start(spec: ModuleSpec, bundle: Bundle, counts: boolean): void {
    const module = held.get(spec.name) ?? hold(spec.name);
    const nowMs = clock.now();
    remember(spec.name, module, {
      lastStartAtMs: nowMs,
      ...(counts
        ? { restartCount: module.statistics.restartCount + 1, lastRestartAtMs: nowMs }
        : {}),
      ...newChance(module, spec),
    });
    module.ending = undefined;
    module.failedSuccessor = undefined;
    module.life = begin(spec, bundle, module, false);
  }

  function replace(spec: ModuleSpec, bundle: Bundle): void {
    const module = held.get(spec.name);
    const old = module?.life;
    if (module === undefined || module.successor !== undefined) return;
    // It ended meanwhile: there is nothing to take over.
    if (old === undefined || old.state === 'ended') return start(spec, bundle, false);
    const next = begin(spec, bundle, module, true);
    module.successor = next;
    module.takeover = createTakeover(old.live, next.live, clock, () => promote(module, old, next));
  }

  /** New code gets a new chance. */
  function newChance({ life }: Held, { image }: ModuleSpec): Partial<StatisticsRow> {
    const isNew = life !== undefined && life.spec.image !== image;
    return isNew ? { restartCount: 0, quarantined: false } : {};
  }

  function begin(spec: ModuleSpec, bundle: Bundle, module: Held, beside: boolean): Life {
    const { name } = spec;
    const { version, digest } = bundle;
    const { restartCount } = module.statistics;
    log.info('module starts', { module: name, version, digest, restartCount, beside });
    const started = clock.elapsed();
    const counters = meter.counters(name);
    counters.starts++;
    const rights = rightsOf(spec, bundle.asked, policy, deps.limits.heapMb);
    const notes = [...rights.refusals.map(({ sentence }) => sentence), ...rights.missing];
    if (notes.length > 0)
      log.info('not all that is asked or granted is given', { module: name, notes });
    const isServing = (): boolean => module.life === life;
    const live = startLiveModule(
      toStart(spec, bundle, module, rights),
      hostFor(rights, host),
      services,
      clock,
      counters,
      {
        started() {
          if (life.state === 'starting') life.state = 'running';
          log.info('module runs', { module: name, tookMs: Math.round(clock.elapsed() - started) });
          if (isServing()) changed(name, 'started');
          else module.takeover?.started();
        },
        listens(what) {
          if (isServing()) changed(name, what);
          else module.takeover?.look();
        },
        waits: () => module.takeover?.look(),
        ended(ending, used) {
          cancelCare();
          meter.ended(name, ending, used);
          life.state = 'ended';
          const quiet = ending.cause === 'stopped' || ending.cause === 'exited';
          log[quiet ? 'info' : 'error']('module ended', { module: name, version, ...ending });
          if (isServing()) endServing(module, ending);
          else if (module.successor === life) endSuccessor(module, life, ending);
          changed(name, 'ended');
        },
      },
      beside,
    );
    const life: Life = { spec, version, startedAtMs: clock.now(), live, state: 'starting' };
    // A module that has run this long is well: its failures of the past are forgiven.
    const cancelCare = clock.after(INTENSIVE_CARE_MS, () => {
      if (module.statistics.restartCount > 0) remember(name, module, { restartCount: 0 });
    });
    return life;
  }

  function endServing(module: Held, ending: Ending): void {
    const { life, successor } = module;
    const { name } = (life as Life).spec;
    module.ending = ending;
    remember(name, module, {
      lastExitAtMs: clock.now(),
      exitCode: ending.exitCode,
      exitReason: ending.reason,
      exitCause: ending.cause,
      quarantined: module.statistics.quarantined || ending.tookHost === true,
    });
    if (successor?.state === 'starting' || successor?.state === 'running') {
      promote(module, life as Life, successor);
    }
  }

  /** The version before runs on. */
  function endSuccessor(module: Held, { spec, version }: Life, ending: Ending): void {
    module.takeover?.over();
    module.takeover = undefined;
    module.successor = undefined;
    if (ending.cause === 'stopped' || ending.cause === 'host lost') return;
    const { failedSuccessor: before } = module;
    const again = before !== undefined && !needsRestart(before.spec, spec);
    module.failedSuccessor = {
      spec,
      attempts: again ? before.attempts + 1 : 1,
      lastExitAtMs: clock.now(),
      reason: ending.reason,
    };
    log.error('a new version could not take over, the one before runs on', {
      module: spec.name,
      version,
      reason: ending.reason,
    });
  }

  /** The successor is the module from now on. */
  function promote(module: Held, old: Life, next: Life): void {
    if (module.successor !== next || module.life !== old) return;
    const { name } = next.spec;
    const { takeover } = module;
    remember(name, module, { lastStartAtMs: next.startedAtMs, ...newChance(module, next.spec) });
    module.life = next;
    module.ending = undefined;
    module.successor = undefined;
    module.failedSuccessor = undefined;
    module.takeover = undefined;
    log.info('a new version takes over', {
      module: name,
      from: old.version,
      version: next.version,
    });
    void (async () => {
      if (old.state !== 'ended') {
        old.state = 'stopping';
        await old.live.stop();
      }
      next.live.release();
      // What the old one had not finished waits for the new one.
      changed(name, 'inputs');
    })();
    takeover?.over();
    changed(name, 'started');
    changed(name, 'inputs');
  }

  function toStart(
    spec: ModuleSpec,
    bundle: Bundle,
    module: Held,
    rights: ReturnType<typeof rightsOf>,
  ): ModuleStart {
    const { limits, device, identityEnv } = deps;
    return {
      module: spec.name,
      code: bundle.code,
      sourceMap: bundle.sourceMap,
      device,
      env: { ...spec.settings.env, ...spec.env, ...identityEnv(spec.name) },
      grants: rights.grants,
      limits: { ...limitsOf(spec, limits), heapMb: rights.memoryMb },
      ...((newChance(module, spec).quarantined ?? module.statistics.quarantined)
        ? { group: `module ${spec.name}` }
        : { group: groupOf(rights.grants), groupGrants: groupGrants(groupOf(rights.grants)) }),
    };
  }

  function groupGrants(group: string): readonly Grants[] {
    return [...deps.deployed()]
      .filter(({ name }) => held.get(name)?.statistics.quarantined !== true)
      .map((spec) => rightsOf(spec, deps.asked(spec.image), policy, deps.limits.heapMb).grants)
      .filter((grants) => groupOf(grants) === group);
  }

  function end(life: Life | undefined): void {
    if (life === undefined || life.state === 'ended') return;
    life.state = 'stopping';
    void life.live.stop();
  }

  async function deliver(name: ModuleName, ...what: DeliverArguments): Promise<void> {
    const module = held.get(name);
    // One version after the other, at the border between two messages.
    const gate = module?.takeover?.gate();
    if (gate !== undefined) await gate;
    const life = module?.life;
    if (life === undefined || life.state === 'ended') {
      throw new Fault('ENDPOINT_AWAY', `module ${name} is not running`);
    }
    return life.live.deliver(...what);
  }

  return {
    start,
    replace,
    stop(name) {
      const module = held.get(name);
      end(module?.successor);
      end(module?.life);
    },
    restart(name) {
      const module = held.get(name);
      if (module === undefined) return;
      end(module.successor);
      if (module.life !== undefined && module.life.state !== 'ended') return end(module.life);
      // As if it had never run: whoever asks for it will not wait for its pause.
      module.life = undefined;
      module.ending = undefined;
      changed(name, 'ended');
    },
    withdraw: (name) => end(held.get(name)?.successor),
    forget(name) {
      held.delete(name);
      meter.forget(name);
      services.ownMetrics.clear(name);
      void write([{ kind: 'statistics', module: name, statistics: null }]);
      changed(name, 'ended');
    },
    live(name) {
      const module = held.get(name);
      const life = module?.life;
      if (life === undefined || life.state === 'ended') return undefined;
      return module?.takeover?.called() ?? life.live;
    },
    desired(name, patch) {
      const module = held.get(name);
      module?.life?.live.desired(patch);
      module?.successor?.live.desired(patch);
    },
    deliver,
    observe: () =>
      new Map(
        [...held].map(([name, { life, ending, statistics, successor, failedSuccessor }]) => [
          name,
          {
            state: life?.state ?? 'idle',
            ready: life?.live.listening('ready') === true,
            spec: life?.spec,
            endingCause: ending?.cause,
            statistics,
            successor,
            failedSuccessor,
          },
        ]),
      ),
    metrics: (name) => host.metrics(name),
  };
}

/** What a module may use: the device's own limits, and what its settings change of them. */
export function limitsOf({ settings }: ModuleSpec, limits: ModuleLimits): ModuleLimits {
  return { ...limits, ...settings.limits, heapMb: settings.memoryMb ?? limits.heapMb };
}
