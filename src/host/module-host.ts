/** The port ModuleHost: groups of modules, each group in a module-host process of its own. */
import { totalmem } from 'node:os';
import type { Clock, Log, ModuleHost } from '../core/ports.ts';
import { createHostGroup, type HostGroup } from './host-group.ts';
import { defaultHostSettings, type HostSettings } from './host-settings.ts';

export type ModuleHostOptions = {
  /** The host process's entry: src/host/main.ts, or what it was bundled to. */
  readonly hostMain: string;
  /** The guest prelude, a script that keeps core/guest-protocol.ts. */
  readonly prelude: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly settings?: Partial<HostSettings>;
};

/**
 * A host process starts with the first module of its group and ends some time after the last. When it
 * dies or has to be killed, all its modules end, the culprit first; the next `start` makes a new one.
 */
export function createModuleHost(options: ModuleHostOptions): ModuleHost {
  const settings = { ...defaultHostSettings, ...options.settings };
  const machineBytes = Math.min(totalmem(), process.constrainedMemory() || Infinity);
  /** Those that take modules, by name; those that leave are only in `living`. */
  const open = new Map<string, HostGroup>();
  const living = new Set<HostGroup>();

  function openGroup(group: string): HostGroup {
    const closed = (): void => {
      if (open.get(group) === made) open.delete(group);
    };
    const made = createHostGroup({ ...options, group, settings, machineBytes, closed });
    open.set(group, made);
    living.add(made);
    void made.left.then(() => living.delete(made));
    return made;
  }

  return {
    start: (start, sink) => (open.get(start.group) ?? openGroup(start.group)).start(start, sink),
    metrics(module) {
      for (const group of open.values()) {
        const metrics = group.metrics(module);
        if (metrics !== undefined) return metrics;
      }
      return undefined;
    },
    processes: () => Object.fromEntries([...open].map(([name, { pid }]) => [name, pid])),
    async stop() {
      for (const group of living) group.stop();
      await Promise.all([...living].map((group) => group.left));
    },
  };
}
