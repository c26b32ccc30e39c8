/** The peer's side of the message benchmarks: sensor → filter → sink as three Node processes on Mosquitto. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Chain, ChainResult } from './isolet-chain.ts';
import { createBroker } from './mosquitto.ts';
import { startPeerProcess } from './peer-process.ts';

/** Undefined when Mosquitto is not installed. */
export async function startPeerChain(noDelay = false): Promise<Chain | undefined> {
  const broker = await createBroker(noDelay);
  if (broker === undefined) return undefined;
  broker.start();
  await broker.listening();
  const [sensor, filter, sink] = (['sensor', 'filter', 'sink'] as const).map((role) =>
    startPeerProcess('mqtt-role.ts', [String(broker.port), role]),
  ) as [Peer, Peer, Peer];
  const all = [sensor, filter, sink];
  await Promise.all(all.map((one) => one.next()));
  return {
    name: broker.name,
    async run(count, rate) {
      sink.tell({ count, rate });
      await sleep(500); // As long as our own sensor waits.
      sensor.tell({ count, rate });
      return (await sink.next()) as ChainResult;
    },
    async stop() {
      await Promise.all(all.map((one) => one.stop()));
      await broker.stop();
    },
  };
}

type Peer = ReturnType<typeof startPeerProcess>;
