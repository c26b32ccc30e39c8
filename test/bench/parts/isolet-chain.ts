/** Our side of the message benchmarks: sensor → filter → sink as modules, on real parts. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { JsonObject } from '../../../src/core/json.ts';
import { bundleSource, deployment, spec, startDevice } from '../../e2e/device.ts';
import { build } from '../../e2e/programs.ts';
import { until } from '../../fakes/within.ts';
import { CHAIN_MODULES } from './chain-modules.ts';
import type { Delays } from './delays.ts';
import { diskFolder, writtenBytes } from './disk.ts';

export type ChainResult = Delays & {
  /** From the first message at the sink to the last. */
  readonly tookMs: number;
};

/** Somebody who carries messages from a sensor over a filter to a sink. */
export interface Chain {
  readonly name: string;
  /** `rate` messages a second; 0 = as fast as it goes, 1,000 unacknowledged at a time. */
  run(count: number, rate: number): Promise<ChainResult>;
  stop(): Promise<void>;
}

export type IsoletChain = Omit<Chain, 'run'> & {
  run(count: number, rate: number): Promise<ChainResult & { readonly writtenBytes: number }>;
};

export type ChainOptions = {
  /** Route source whose messages go up, too, while the hub is away during every run. */
  readonly offline?: string;
  /** In the place of the store's own thread. */
  readonly storeMain?: string | URL;
};

const START_LIMIT_MS = 60_000;
const DRAIN_LIMIT_MS = 60_000;

export async function startChain({ offline, storeMain }: ChainOptions = {}): Promise<IsoletChain> {
  build();
  const { upstream, supervisor, close } = await startDevice({
    dataDir: diskFolder('chain'),
    shipped: true,
    ...(storeMain === undefined ? {} : { storeMain }),
    moduleLimits: { heapMb: 128, startMs: 5_000, turnMs: 5_000 },
  });
  upstream.desired('$edgeHub', { schemaVersion: '1.1', routes: routes(offline) });
  const modules: Record<string, JsonObject> = {};
  for (const [name, code] of Object.entries(CHAIN_MODULES)) {
    modules[name] = spec(await bundleSource(name, code));
  }
  upstream.desired('$edgeAgent', deployment(modules));
  await until(START_LIMIT_MS, 'three modules run', () => {
    const all = supervisor.status.modules();
    return all.length === 3 && all.every(({ status }) => status === 'running');
  });
  await sleep(500); // They ask for their twins first.

  /** The next line of a module's console that begins so. */
  function said(module: string, beginning: string): Promise<string> {
    return new Promise((resolve) => {
      const unfollow = supervisor.logs.follow(module, ({ text }) => {
        if (!text.startsWith(beginning)) return;
        unfollow();
        resolve(text.slice(beginning.length));
      });
    });
  }

  let round = 0;
  return {
    name: 'isolet',
    async run(count, rate) {
      const done = Promise.all([said('sink', 'result '), said('sensor', 'acknowledged')]);
      round++;
      upstream.desired('sink', { count, round });
      upstream.desired('sensor', { count, rate, round });
      if (offline !== undefined) upstream.goOffline();
      // The twins are saved, the sensor has not begun.
      await sleep(400);
      const before = writtenBytes();
      const [result] = await done;
      await sleep(300); // What lingers before it is written.
      const written = writtenBytes() - before;
      if (offline !== undefined) {
        upstream.goOnline();
        await until(DRAIN_LIMIT_MS, 'the hub has everything', () => {
          return supervisor.status.runtime().messages.waitingUpstream === 0;
        });
      }
      return { ...(JSON.parse(result) as ChainResult), writtenBytes: written };
    },
    stop: close,
  };
}

function routes(offline: string | undefined): JsonObject {
  return {
    first: 'FROM /messages/modules/sensor/* INTO BrokeredEndpoint("/modules/filter/inputs/in")',
    second: 'FROM /messages/modules/filter/* INTO BrokeredEndpoint("/modules/sink/inputs/in")',
    ...(offline === undefined ? {} : { up: `FROM ${offline} INTO $upstream` }),
  };
}
