/** What this device is doing, for the local API: one picture, made when asked. */

import { moduleStatus } from '../core/agent-report.ts';
import type { ModuleSpec } from '../core/deployment.ts';
import { type ModuleName, UPSTREAM } from '../core/message.ts';
import { type BundleState, type ModuleObservation } from '../core/plan.ts';
import type { PortGrant } from '../core/port-grant.ts';
import type { HostMemory, ModuleLimits, ModuleMetrics, StatisticsRow } from '../core/ports.ts';
import { type RestartReason, restartReason } from '../core/restart-reason.ts';
import type { ModuleSummary, RuntimeSummary, UseHistory, UseTotals } from '../core/summaries.ts';
import type { Agent } from './agent.ts';
import type { BundleStates } from './bundle-states.ts';
import type { DeadLetters } from './dead-letters.ts';
import type { Links } from './links.ts';
import type { Meter } from './meter.ts';
import type { ModuleLogs } from './module-logs.ts';
import { limitsOf, type Modules } from './modules.ts';
import type { Queue } from './queue.ts';
import type { Router } from './router.ts';
import type { Storage } from './storage.ts';
import type { Twins } from './twins.ts';

export type StatusDeps = {
  readonly version: string;
  readonly device: string;
  readonly pid: number;
  readonly hosts: () => Readonly<Record<string, number>>;
  readonly agent: Agent;
  readonly modules: Modules;
  readonly meter: Meter;
  readonly storage: Storage;
  readonly memory: () => readonly HostMemory[];
  /** Of a module that sets none of its own. */
  readonly limits: ModuleLimits;
  readonly bundles: BundleStates;
  /** What it may serve on. */
  readonly ports: (spec: ModuleSpec) => readonly PortGrant[];
  readonly links: Links;
  readonly queue: Queue;
  readonly router: Router;
  readonly deadLetters: DeadLetters;
  readonly twins: Twins;
  readonly logs: Pick<ModuleLogs, 'counters'>;
};

export interface Status {
  runtime(): RuntimeSummary;
  modules(): readonly ModuleSummary[];
  /** Of the modules in the deployment. */
  names(): readonly ModuleName[];
  /** Undefined when there is no such module. */
  history(module: ModuleName): UseHistory | undefined;
}

export function createStatus(deps: StatusDeps): Status {
  const { agent, modules, meter, storage, bundles, links, queue, router, deadLetters, twins } =
    deps;

  function totals(name: string): UseTotals {
    const { sinceMs, use, endings } = meter.totals(name);
    return { since: new Date(sinceMs).toISOString(), ...use, endings };
  }

  return {
    runtime() {
      const { version, status } = agent.lastDesired();
      return {
        version: deps.version,
        device: deps.device,
        pid: deps.pid,
        hosts: deps.hosts(),
        connected: links.online('$edgeAgent'),
        deployment: { version: version ?? null, ...status },
        messages: {
          ...queue.counters,
          ...router.counters,
          waiting: queue.room.all.count,
          waitingBytes: queue.room.all.bytes,
          waitingUpstream: queue.waiting(UPSTREAM),
          deadLetters: deadLetters.counters.count,
          deadLettersDropped: deadLetters.counters.overflowed,
        },
        twinsPending: twins.pending(),
        logs: { ...deps.logs.counters },
      };
    },
    modules() {
      const observed: ReadonlyMap<string, ModuleObservation> = modules.observe();
      const states: ReadonlyMap<string, BundleState> = bundles.states();
      const memory = deps.memory();
      return [...(agent.target()?.modules.values() ?? [])].map((spec): ModuleSummary => {
        const module = observed.get(spec.name);
        const { status, description } = moduleStatus(spec, module, states.get(spec.image));
        const startedAtMs = module?.statistics.lastStartAtMs ?? null;
        const metrics: ModuleMetrics | undefined = modules.metrics(spec.name);
        return {
          name: spec.name,
          status,
          description,
          version: spec.version,
          image: spec.image,
          restartCount: module?.statistics.restartCount ?? 0,
          startedAt: startedAtMs === null ? null : new Date(startedAtMs).toISOString(),
          connected: links.online(spec.name),
          waiting: storage.waiting(spec.name),
          restartReason: reasonOf(module?.statistics),
          cpuMs: metrics?.cpuMs ?? null,
          heapBytes: metrics?.heapBytes ?? null,
          storageBytes: storage.bytes(spec.name),
          host: memory.find((host) => host.modules.includes(spec.name)) ?? null,
          limits: limitsOf(spec, deps.limits),
          ports: deps
            .ports(spec)
            .flatMap(({ port, published }) =>
              published.map((at) => ({ port, hostIp: at.ip, hostPort: at.port })),
            ),
          totals: totals(spec.name),
        };
      });
    },
    names: () => [...(agent.target()?.modules.keys() ?? [])],
    history(name) {
      if (agent.target()?.modules.has(name) !== true) return undefined;
      const hours = meter.hours(name).map(({ fromMs, use, most }) => {
        return { from: new Date(fromMs).toISOString(), ...use, ...most };
      });
      return { module: name, totals: totals(name), hours };
    },
  };
}

function reasonOf(statistics: StatisticsRow | undefined): RestartReason | null {
  const cause = statistics?.exitCause;
  return cause === undefined || cause === 'stopped' ? null : restartReason(cause);
}
