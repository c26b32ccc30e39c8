/** What this device is doing, for the local API: one picture, made when asked. */

import { moduleStatus } from '../core/agent-report.ts';
import { UPSTREAM } from '../core/message.ts';
import { type BundleState, type ModuleObservation } from '../core/plan.ts';
import type { ModuleMetrics } from '../core/ports.ts';
import type { ModuleSummary, RuntimeSummary } from '../core/summaries.ts';
import type { Agent } from './agent.ts';
import type { BundleStates } from './bundle-states.ts';
import type { DeadLetters } from './dead-letters.ts';
import type { Links } from './links.ts';
import type { Modules } from './modules.ts';
import type { Queue } from './queue.ts';
import type { Router } from './router.ts';
import type { Twins } from './twins.ts';

export type StatusDeps = {
  readonly version: string;
  readonly device: string;
  readonly pid: number;
  readonly hosts: () => Readonly<Record<string, number>>;
  readonly agent: Agent;
  readonly modules: Modules;
  readonly bundles: BundleStates;
  readonly links: Links;
  readonly queue: Queue;
  readonly router: Router;
  readonly deadLetters: DeadLetters;
  readonly twins: Twins;
};

export interface Status {
  runtime(): RuntimeSummary;
  modules(): readonly ModuleSummary[];
}

export function createStatus(deps: StatusDeps): Status {
  const { agent, modules, bundles, links, queue, router, deadLetters, twins } = deps;

  function waiting(name: string): number {
    return queue
      .endpoints()
      .filter((id) => id.startsWith(`${name}/`))
      .reduce((sum, id) => sum + queue.waiting(id), 0);
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
      };
    },
    modules() {
      const observed: ReadonlyMap<string, ModuleObservation> = modules.observe();
      const states: ReadonlyMap<string, BundleState> = bundles.states();
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
          waiting: waiting(spec.name),
          cpuMs: metrics?.cpuMs ?? null,
          heapBytes: metrics?.heapBytes ?? null,
        };
      });
    },
  };
}
