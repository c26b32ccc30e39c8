/** The port ModuleHost: groups of modules, each group in a module-host process of its own. */
import { totalmem } from 'node:os';
import type { PathRule } from '../core/capability-paths.ts';
import type { SimulatedDevice } from '../core/device-grant.ts';
import type { Clock, Grants, Log, ModuleHost, ModuleStart } from '../core/ports.ts';
import type { HostCells } from './control-groups.ts';
import { absentDevices, deviceGroups, deviceRights } from './device-check.ts';
import { createHostGroup, type HostGroup } from './host-group.ts';
import { covers } from './host-permissions.ts';
import { defaultHostSettings, type HostSettings } from './host-settings.ts';
import type { HostUser } from './host-user.ts';
import { sumOfMetrics } from './module-metrics.ts';
import { countOomKills } from './oom-kills.ts';
import { createPortClaims } from './port-claims.ts';
import { processMemory } from './process-memory.ts';
import type { Snapshots } from './snapshots.ts';
import { closedBind } from './start-check.ts';

export type ModuleHostOptions = {
  /** The host process's entry: src/host/main.ts, or what it was bundled to. */
  readonly hostMain: string;
  /** The guest prelude, a script that keeps core/guest-protocol.ts. */
  readonly prelude: string;
  /** The prelude's startup snapshot; without, each host evaluates the prelude. */
  readonly snapshots?: Snapshots;
  /** Whom the hosts run as, when we are root; undefined = as ourselves. */
  readonly user?: HostUser | undefined;
  /** Files no module gets, whatever its deployment says: our own. */
  readonly keepOut?: readonly string[];
  /** What the device's owner lets deployments bind; undefined = all of it. */
  readonly allowed?: readonly PathRule[] | undefined;
  /** Devices we play ourselves, by path. */
  readonly simulated?: Readonly<Record<string, SimulatedDevice>>;
  /** How often the machine's kernel has killed a process because memory ran out; by default it is asked. */
  readonly oomKills?: () => number;
  /** Where the kernel holds each host to its memory; undefined = our own look alone does. */
  readonly cells?: HostCells | undefined;
  readonly clock: Clock;
  readonly log: Log;
  readonly settings?: Partial<HostSettings>;
};

/**
 * A host process starts with the first module of its group and ends some time after the last. When it
 * dies or has to be killed, all its modules end, the culprit first; the next `start` makes a new one.
 */
export function createModuleHost(options: ModuleHostOptions): PreparedHost {
  const { user, keepOut = [], allowed, simulated = {}, oomKills = countOomKills } = options;
  const settings = { ...defaultHostSettings, ...options.settings };
  const machineBytes = Math.min(totalmem(), process.constrainedMemory() || Infinity);
  /** Those that take modules, by name. */
  const open = new Map<string, Open>();
  /** Those that took modules until one came with other rights, and the name of each. */
  const older = new Map<HostGroup, string>();
  const living = new Set<HostGroup>();
  const claims = createPortClaims();

  /** With the devices that are not asked of the kernel. */
  function simulating(grants: Grants): Grants {
    const devices = grants.devices.map((device) => ({
      ...device,
      simulated: simulated[device.path],
    }));
    return { ...grants, devices };
  }

  /** What is refused is no right of the host either. */
  function openTo(grants: Grants): Grants {
    return {
      ...grants,
      binds: grants.binds.filter((bind) => closedBind(bind, { keepOut, allowed }) === undefined),
      devices: grants.devices.filter((device) => absentDevices([device]).length === 0),
    };
  }

  function groupFor({ group, grants, groupGrants = [] }: ModuleStart): HostGroup {
    const there = open.get(group);
    const wanted = openTo(grants);
    const rights = deviceRights(wanted.devices);
    const suits = rights.every((right) => there?.deviceRights.includes(right));
    if (there !== undefined && suits && covers(there.grants, wanted)) return there.host;
    // A process cannot be given rights later: its modules run on there until they end.
    if (there !== undefined) older.set(there.host, `${group}, process ${there.host.pid}`);
    return openGroup(group, [...groupGrants.map(openTo), wanted]);
  }

  function openGroup(group: string, grants: readonly Grants[]): HostGroup {
    const closed = (): void => {
      older.delete(made);
      if (open.get(group)?.host === made) open.delete(group);
    };
    const devices = grants.flatMap((one) => one.devices);
    const made = createHostGroup({
      ...options,
      user,
      deviceGroups: deviceGroups(devices),
      keepOut,
      allowed,
      oomKills,
      group,
      grants,
      settings,
      machineBytes,
      closed,
      snapshot: () => options.snapshots?.current(),
      diedAtBirth: (reason) => options.snapshots?.reject(reason),
    });
    open.set(group, { host: made, grants, deviceRights: deviceRights(devices) });
    living.add(made);
    void made.left.then(() => living.delete(made));
    return made;
  }

  const hosts = (): readonly HostGroup[] => [
    ...[...open.values()].map(({ host }) => host),
    ...older.keys(),
  ];

  return {
    prepare(group, grants) {
      if (!open.has(group)) openGroup(group, [openTo(simulating(grants))]);
    },
    start(start, sink) {
      const { grants, groupGrants = [] } = start;
      const played = {
        ...start,
        grants: simulating(grants),
        groupGrants: groupGrants.map(simulating),
      };
      const { problems, release } = claims.claim(played);
      return groupFor(played).start(
        played,
        {
          started: () => sink.started(),
          requests: (requests, bodies) => sink.requests(requests, bodies),
          ...(sink.quiet && { quiet: (posts: number) => sink.quiet?.(posts) }),
          ended(...ending) {
            release();
            sink.ended(...ending);
          },
        },
        problems,
      );
    },
    metrics: (module) => sumOfMetrics(hosts().map((host) => host.metrics(module))),
    memory: () =>
      hosts().flatMap((host) => {
        const memory = processMemory(host.pid);
        return memory === undefined ? [] : [{ pid: host.pid, modules: host.modules(), ...memory }];
      }),
    processes: () =>
      Object.fromEntries([
        ...[...open].map(([name, { host }]) => [name, host.pid]),
        ...[...older].map(([host, name]) => [name, host.pid]),
      ]),
    async stop() {
      for (const group of living) group.stop();
      await Promise.all([...living].map((group) => group.left));
    },
  };
}

export type PreparedHost = ModuleHost & {
  /** Starts the process of a group before its first module comes with these grants. */
  prepare(group: string, grants: Grants): void;
};

type Open = {
  readonly host: HostGroup;
  readonly grants: readonly Grants[];
  readonly deviceRights: readonly string[];
};
