/** The modules of this device: which run, how they ended, how often they were started again. */
import type { Asked } from '../core/asked.ts';
import type { ModuleSpec } from '../core/deployment.ts';
import { Fault } from '../core/fault.ts';
import type { ModuleName } from '../core/message.ts';
import type { ModuleObservation } from '../core/plan.ts';
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
import type { Endpoint } from './pump.ts';
import { hostFor, rightsOf } from './rights.ts';

export interface Modules {
  /** `counts`: it is a restart after a failure. */
  start(spec: ModuleSpec, bundle: Bundle, counts: boolean): void;
  stop(module: ModuleName): void;
  forget(module: ModuleName): void;
  live(module: ModuleName): LiveModule | undefined;
  /** One input of one module as an Endpoint; rejects with ENDPOINT_AWAY when it does not run. */
  deliver(
    module: ModuleName,
    input: string,
    ...rest: Parameters<Endpoint['deliver']>
  ): Promise<void>;
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

type Held = {
  state: ModuleObservation['state'];
  spec: ModuleSpec | undefined;
  ending: Ending | undefined;
  statistics: StatisticsRow;
  live: LiveModule | undefined;
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
      state: 'idle',
      spec: undefined,
      ending: undefined,
      statistics,
      live: undefined,
    };
    held.set(name, module);
    return module;
  }

  function remember(name: ModuleName, module: Held, change: Partial<StatisticsRow>): void {
    module.statistics = { ...module.statistics, ...change };
    void write([{ kind: 'statistics', module: name, statistics: module.statistics }]);
  }

  function start(spec: ModuleSpec, bundle: Bundle, counts: boolean): void {
    const { name } = spec;
    const module = held.get(name) ?? hold(name);
    const nowMs = clock.now();
    const changedSpec = module.spec !== undefined && module.spec.image !== spec.image;
    remember(name, module, {
      lastStartAtMs: nowMs,
      ...(counts
        ? { restartCount: module.statistics.restartCount + 1, lastRestartAtMs: nowMs }
        : {}),
      // New code gets a new chance.
      ...(changedSpec ? { restartCount: 0, quarantined: false } : {}),
    });
    module.state = 'starting';
    module.spec = spec;
    module.ending = undefined;
    log.info('module starts', {
      module: name,
      version: bundle.version,
      digest: bundle.digest,
      restartCount: module.statistics.restartCount,
    });
    const started = clock.elapsed();
    const counters = meter.counters(name);
    counters.starts++;
    const rights = rightsOf(spec, bundle.asked, policy, deps.limits.heapMb);
    const notes = [...rights.refusals.map(({ sentence }) => sentence), ...rights.missing];
    if (notes.length > 0)
      log.info('not all that is asked or granted is given', { module: name, notes });
    const what = toStart(spec, bundle, module, rights);
    const live: LiveModule = startLiveModule(
      what,
      hostFor(rights, host),
      services,
      clock,
      counters,
      {
        started() {
          module.state = 'running';
          log.info('module runs', { module: name, tookMs: Math.round(clock.elapsed() - started) });
          changed(name, 'started');
        },
        listens: (what) => changed(name, what),
        ended(ending, used) {
          cancelCare();
          meter.ended(name, ending, used);
          module.state = 'ended';
          module.ending = ending;
          module.live = undefined;
          const quiet = ending.cause === 'stopped' || ending.cause === 'exited';
          log[quiet ? 'info' : 'error']('module ended', { module: name, ...ending });
          remember(name, module, {
            lastExitAtMs: clock.now(),
            exitCode: ending.exitCode,
            exitReason: ending.reason,
            exitCause: ending.cause,
            quarantined: module.statistics.quarantined || ending.tookHost === true,
          });
          changed(name, 'ended');
        },
      },
    );
    module.live = live;
    // A module that has run this long is well: its failures of the past are forgiven.
    const cancelCare = clock.after(INTENSIVE_CARE_MS, () => {
      if (module.statistics.restartCount > 0) remember(name, module, { restartCount: 0 });
    });
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
      ...(module.statistics.quarantined
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

  return {
    start,
    stop(name) {
      const module = held.get(name);
      if (module?.live === undefined) return;
      module.state = 'stopping';
      void module.live.stop();
    },
    forget(name) {
      held.delete(name);
      meter.forget(name);
      services.ownMetrics.clear(name);
      void write([{ kind: 'statistics', module: name, statistics: null }]);
      changed(name, 'ended');
    },
    live: (name) => held.get(name)?.live,
    deliver(name, input, batch, receipts) {
      const live = held.get(name)?.live;
      return live === undefined
        ? Promise.reject(new Fault('ENDPOINT_AWAY', `module ${name} is not running`))
        : live.deliver(input, batch, receipts);
    },
    observe: () =>
      new Map(
        [...held].map(([name, { state, spec, ending, statistics }]) => [
          name,
          { state, spec, endingCause: ending?.cause, statistics },
        ]),
      ),
    metrics: (name) => host.metrics(name),
  };
}

/** What a module may use: the device's own limits, and what its settings change of them. */
export function limitsOf({ settings }: ModuleSpec, limits: ModuleLimits): ModuleLimits {
  return { ...limits, ...settings.limits, heapMb: settings.memoryMb ?? limits.heapMb };
}
