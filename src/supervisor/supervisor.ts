/**
 * The supervisor's own parts, wired: queue, router, twins, links, modules, agent, hub. Everything that
 * touches the world comes in through the ports; compose.ts chooses them, tests choose others.
 */
import { agentReport } from '../core/agent-report.ts';
import { createBlobMap } from '../core/blob-map.ts';
import type { BlobShelf } from '../core/blobs.ts';
import type { Deployment, ModuleSpec } from '../core/deployment.ts';
import { hubReport } from '../core/hub-report.ts';
import type { Json, JsonObject } from '../core/json.ts';
import { createLogMap } from '../core/log-map.ts';
import { type EndpointId, type ModuleName, UPSTREAM } from '../core/message.ts';
import { noPolicy, type Policy } from '../core/policy.ts';
import type {
  Bundles,
  Clock,
  Log,
  ModuleHost,
  ModuleLimits,
  Store,
  StoreWrite,
  Upstream,
} from '../core/ports.ts';
import { TRIAL_SETTINGS, type TrialSettings } from '../core/trial.ts';
import { versionOf } from '../core/twin.ts';
import { type Agent, type AgentDeps, createAgent } from './agent.ts';
import { type AgentTools, createAgentMethods, noAgentTools } from './agent-methods.ts';
import { createAgentTasks } from './agent-tasks.ts';
import { createBlobKeeper } from './blob-keeper.ts';
import { type BundleStates, createBundleStates } from './bundle-states.ts';
import { createDeadLetters, type DeadLetters } from './dead-letters.ts';
import { createDeviceTime, TIME_DOCUMENT } from './device-time.ts';
import { createEndpoints, type Endpoints } from './endpoints.ts';
import { createHub } from './hub.ts';
import { createKeeper } from './keeper.ts';
import { createKeptThings, type KeptThings } from './kept-things.ts';
import { createLinks, type Links } from './links.ts';
import type { LoopDeps } from './loop.ts';
import { MESSAGE_SETTINGS, type MessageSettings } from './message-settings.ts';
import { createMeter, type Meter } from './meter.ts';
import { createMethods } from './methods.ts';
import { createModuleLogs, type ModuleLogs } from './module-logs.ts';
import { createModules, type Modules } from './modules.ts';
import { createOwnMetrics, type OwnMetrics } from './own-metrics.ts';
import type { Endpoint } from './pump.ts';
import { createQueue, type Queue } from './queue.ts';
import { type DeploymentRehearsal, rehearseDeployment } from './rehearse.ts';
import { createReporter } from './reporter.ts';
import { createRestart } from './restart.ts';
import { rightsOf } from './rights.ts';
import { createRouter, type Router } from './router.ts';
import { createStatus, type Status } from './status.ts';
import { createStorage, type Storage } from './storage.ts';
import { createTrials, TRIALS_DOCUMENT } from './trials.ts';
import { createTwins, type Twins } from './twins.ts';

export type SupervisorParts = {
  readonly store: Store;
  readonly host: ModuleHost;
  readonly upstream: Upstream;
  readonly bundles: Bundles;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly device: {
    readonly id: string;
    readonly hub: string;
    readonly version: string;
    readonly architecture: string;
    readonly pid: number;
  };
  readonly moduleLimits: ModuleLimits;
  /** What the device lets deployments grant; all of it when absent. */
  readonly policy?: Policy;
  readonly messages?: MessageSettings;
  /** How a new version of a module proves itself. */
  readonly trial?: TrialSettings;
  /** A seam for tests. */
  readonly onStep?: AgentDeps['onStep'];
  /** Where modules' blobs lie; in memory when absent. */
  readonly shelf?: BlobShelf;
  /** Where lines of logs go; in memory when absent. */
  readonly logs?: ModuleLogs;
  /** For what messages, twins and links tell of themselves; `log` when absent. */
  readonly hubLog?: Log;
  /** What `$edgeAgent`'s methods need of the machine; without them it takes no uploads. */
  readonly agentTools?: () => Promise<AgentTools>;
  /** Ends this process in order, for another to take its place. */
  readonly restartRuntime?: () => void;
};

export interface Supervisor {
  readonly status: Status;
  readonly logs: ModuleLogs;
  readonly ownMetrics: Pick<OwnMetrics, 'all'>;
  readonly kept: KeptThings;
  readonly deadLetters: DeadLetters;
  /** What the deployment says of a module. */
  settings(module: ModuleName): ModuleSpec | undefined;
  /** An identity's twin as it is known here. */
  twin(module: ModuleName): { readonly desired: JsonObject; readonly reported: JsonObject };
  /** What a deployment would do here now; nothing is done. */
  rehearse(manifest: Json): Promise<DeploymentRehearsal>;
  /** Undefined when it is done, or a sentence why a module cannot be restarted. */
  restart(module: ModuleName): string | undefined;
  /** Stops in order: no new work, modules, what is on its way, then the last writes. */
  stop(): Promise<void>;
}

const AGENT = '$edgeAgent';
const HUB = '$edgeHub';
/** A module that asks for its twin before the first contact with the hub waits this long. */
const FIRST_TWIN_MS = 20_000;

export async function startSupervisor(parts: SupervisorParts): Promise<Supervisor> {
  const { store, host, upstream, clock, random, log, device } = parts;
  const messages = parts.messages ?? MESSAGE_SETTINGS;
  const snapshot = await store.load();
  const shelf = parts.shelf ?? createBlobMap(clock.now);
  const blobs = createBlobKeeper(shelf);
  blobs.open().catch((cause: unknown) => log.warn('blobs could not be looked at', { cause }));
  const keeper = createKeeper(store, await store.keepers());
  const loopDeps: LoopDeps = { clock, random, log };
  const { policy = noPolicy, moduleLimits } = parts;
  const { heapMb } = moduleLimits;
  const hubLog = parts.hubLog ?? log;
  const hubDeps: LoopDeps = { clock, random, log: hubLog };

  const endpoints: Endpoints = createEndpoints(endpointOf, () => queue, hubDeps, messages.pump);
  const queue: Queue = createQueue(
    {
      ...hubDeps,
      store,
      time: () => deviceTime.now(),
      wake: endpoints.wake,
      flowing: endpoints.flowing,
      bury: (seq, letter) => deadLetters.add(seq, letter),
    },
    snapshot,
    messages.queue,
  );
  const write = (writes: readonly StoreWrite[]): Promise<void> => queue.writeBehind.write(writes);
  const deadLetters: DeadLetters = createDeadLetters(
    {
      store,
      write,
      readmit: ({ message, endpoint, priority }) =>
        new Promise((resolve, reject) => {
          router.readmit(message, endpoint, priority, (fault) =>
            fault === undefined ? resolve() : reject(fault),
          );
        }),
      log: hubLog,
    },
    snapshot.deadLetters,
    messages.deadLetters,
  );
  const deviceTime = createDeviceTime(clock, write, snapshot.documents[TIME_DOCUMENT]);
  const router: Router = createRouter(queue, deviceTime.now, messages.router);
  const twins: Twins = createTwins({ ...hubDeps, write }, snapshot.twins);
  const ownMetrics = createOwnMetrics();
  const logs = parts.logs ?? createModuleLogs(createLogMap(), clock, log);
  const tasks = createAgentTasks({ clock, log, random });
  const restart = createRestart(
    () => agent.target(),
    (module) => modules.restart(module),
    parts.restartRuntime,
  );
  const methods = createMethods({
    device: device.id,
    clock,
    live: (module) => modules.live(module),
    agent: createAgentMethods({
      place: { hub: device.hub, device: device.id },
      clock,
      logs,
      modules: () => [...(agent.target()?.modules.keys() ?? [])],
      tasks,
      tools: parts.agentTools ?? noAgentTools,
      restart,
    }),
  });
  const storage: Storage = createStorage(
    queue,
    twins,
    (module) => keeper.bytes(module) + blobs.bytes(module),
  );
  const meter: Meter = createMeter(
    { clock, write, metrics: host.metrics, memory: host.memory, storageBytes: storage.bytes },
    snapshot.documents,
  );
  const modules: Modules = createModules(
    {
      meter,
      host,
      clock,
      log,
      write,
      device: device.id,
      limits: moduleLimits,
      policy,
      deployed: () => agent.target()?.modules.values() ?? [],
      asked: (image) => bundles.asked(image),
      services: {
        accept: router.accept,
        readTwin: (module) => twins.readWhenKnown(module, FIRST_TWIN_MS),
        report: twins.report,
        invoke: methods.fromModule,
        ownMetrics,
        blobs,
        keep: keeper.carryOut,
        log: logs.append,
        relief: queue.relief,
      },
      identityEnv: (module) => ({
        IOTEDGE_AUTHSCHEME: 'sasToken',
        IOTEDGE_DEVICEID: device.id,
        IOTEDGE_MODULEID: module,
        IOTEDGE_IOTHUBHOSTNAME: device.hub,
        IOTEDGE_GATEWAYHOSTNAME: 'localhost',
        IOTEDGE_APIVERSION: '2020-07-07',
      }),
      changed(module, what) {
        if (what === 'inputs') endpoints.resume(module);
        if (what === 'started' || what === 'ended' || what === 'ready') agent.wake();
        hubReporter.changed();
      },
    },
    snapshot.statistics,
  );
  const bundles: BundleStates = createBundleStates({
    ...loopDeps,
    bundles: parts.bundles,
    changed: () => agent.wake(),
  });
  const links: Links = createLinks({
    upstream,
    twins,
    log: hubLog,
    resume: endpoints.resume,
    method: methods.fromCloud,
  });
  const agentReporter = createReporter(AGENT, reportAgent, { twins, clock, log });
  const hubReporter = createReporter(HUB, reportHub, { twins, clock, log: hubLog });
  const agent: Agent = createAgent(
    {
      ...loopDeps,
      modules: {
        ...modules,
        forget(module) {
          modules.forget(module);
          void logs.forget(module);
        },
      },
      bundles,
      trials: createTrials(
        { clock, log, write, saved: () => agent.wake(), settings: parts.trial ?? TRIAL_SETTINGS },
        snapshot.documents[TRIALS_DOCUMENT],
      ),
      onStep: parts.onStep,
      write,
      retargeted: follow,
      changed: agentReporter.changed,
    },
    snapshot.documents['deployment'],
  );
  const hub = createHub(
    { router, room: queue.room, log: hubLog, write, changed: hubReporter.changed },
    snapshot.documents['routes'],
  );

  twins.follow(AGENT, () => agent.desired(twins.read(AGENT).desired));
  twins.follow(HUB, () => hub.desired(twins.read(HUB).desired));
  const followed = new Map<string, () => void>();

  // Everything below may call back; nothing above does before this line.
  for (const id of [AGENT, HUB]) links.open(id);
  // A cut may have come between saving a twin and using it.
  for (const [id, follower] of [
    [AGENT, agent],
    [HUB, hub],
  ] as const) {
    const { desired } = twins.read(id);
    const version = versionOf(desired);
    if (version !== undefined && version !== follower.lastDesired().version)
      follower.desired(desired);
  }
  const target = agent.target();
  if (target !== undefined) {
    follow(target);
    const { modules: deployed } = target;
    void logs.sweep((module) => deployed.has(module) || modules.observe().has(module));
  }
  agent.wake();
  for (const id of queue.endpoints()) endpoints.wake(id);

  /** Links and twins follow the deployment: a module in it has an identity, running or not. */
  function follow(deployment: Deployment): void {
    queue.room.limitModules(
      new Map(
        [...deployment.modules].flatMap(([name, { settings }]) => {
          const { storageBytesMax } = settings.limits;
          return storageBytesMax === undefined ? [] : [[name, storageBytesMax]];
        }),
      ),
    );
    for (const [name, unfollow] of followed) {
      if (deployment.modules.has(name)) continue;
      unfollow();
      followed.delete(name);
      links.close(name);
    }
    for (const name of deployment.modules.keys()) {
      links.open(name);
      if (followed.has(name)) continue;
      followed.set(
        name,
        twins.follow(name, (patch) => modules.desired(name, patch)),
      );
    }
  }

  function endpointOf(id: EndpointId): Endpoint {
    if (id === UPSTREAM) return links.endpoint;
    const cut = id.indexOf('/');
    const module = id.slice(0, cut);
    const input = id.slice(cut + 1);
    return {
      deliver: (batch, done) => modules.deliver(module, input, batch, done),
    };
  }

  const settings = (name: ModuleName) => agent.target()?.modules.get(name);

  function reportAgent() {
    const observation = { modules: modules.observe(), bundles: bundles.states() };
    return agentReport(agent.target(), agent.lastDesired(), observation, device);
  }

  function reportHub() {
    const clients = [...modules.observe()].map(([module, { state, statistics }]) => {
      const connected = state === 'running';
      const sinceMs = (connected ? statistics.lastStartAtMs : statistics.lastExitAtMs) ?? 0;
      return { module, connected, sinceMs };
    });
    return hubReport(hub.lastDesired(), device.id, clients, device.version);
  }

  return {
    logs,
    ownMetrics,
    kept: createKeptThings(store, shelf, keeper, blobs, (name) => settings(name) !== undefined),
    deadLetters,
    settings,
    rehearse: (manifest) =>
      rehearseDeployment(manifest, { modules, states: bundles, bundles: parts.bundles, clock }),
    twin: twins.read,
    restart,
    status: createStatus({
      version: device.version,
      device: device.id,
      pid: device.pid,
      hosts: host.processes,
      agent,
      modules,
      meter,
      storage,
      memory: host.memory,
      limits: moduleLimits,
      bundles,
      ports: (spec) => rightsOf(spec, bundles.asked(spec.image), policy, heapMb).grants.ports,
      links,
      queue,
      router,
      deadLetters,
      twins,
      logs,
    }),
    async stop() {
      await tasks.stop();
      agentReporter.stop();
      hubReporter.stop();
      await agent.stop();
      await host.stop();
      await endpoints.stop();
      await twins.stop();
      await links.stop();
      deviceTime.stop();
      meter.stop();
      await queue.stop();
    },
  };
}
