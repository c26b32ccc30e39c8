/**
 * Messages per second through sensor → filter → sink, acknowledged at every step, against Mosquitto at
 * QoS 1 with three Node processes in the same run. Ends with one JSON line.
 */
import { join } from 'node:path';
import { startChain } from './isolet-chain.ts';
import { startMosquitto } from './peer-mosquitto.ts';

const ROUNDS = 3;
const COUNT = 100_000;
const PEER_COUNT = 20_000;
const role = join(import.meta.dirname, 'mqtt-role.ts');
const say = (text: string): void => void process.stdout.write(`${text}\n`);
const summary = (values: readonly number[]): { min: number; median: number; max: number } => {
  const sorted = [...values].sort((a, b) => a - b).map(Math.round);
  return {
    min: sorted[0] as number,
    median: sorted[Math.floor(sorted.length / 2)] as number,
    max: sorted.at(-1) as number,
  };
};

const chain = await startChain();
await chain.run(20_000, 0); // Warm.
const ours: number[] = [];
let writtenBytes = 0;
for (let round = 0; round < ROUNDS; round++) {
  const result = await chain.run(COUNT, 0);
  ours.push((COUNT * 1000) / result.tookMs);
  writtenBytes = result.writtenBytes;
}
await chain.stop();
const isolet = summary(ours);
say(`isolet     messages/s  min ${isolet.min}  median ${isolet.median}  max ${isolet.max}`);
say(
  `           written     ${Math.round(writtenBytes / (COUNT / 1000) / 1024)} KB per 1,000 messages`,
);

const broker = await startMosquitto();
if (broker === undefined) {
  say('skipped: needs mosquitto (apt-get install mosquitto)');
  say(JSON.stringify({ bench: 'throughput', isolet, peer: null, ratio: null }));
} else {
  const theirs: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const sink = broker.run(role, ['sink', String(PEER_COUNT)]);
    const filter = broker.run(role, ['filter']);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    broker.run(role, ['sensor', String(PEER_COUNT)]);
    const lines = (await sink.result) as { tookMs?: number }[];
    filter.child.kill('SIGKILL');
    theirs.push((PEER_COUNT * 1000) / (lines.at(-1)?.tookMs ?? Number.NaN));
  }
  broker.stop();
  const peer = summary(theirs);
  say(`${broker.version}  messages/s  min ${peer.min}  median ${peer.median}  max ${peer.max}`);
  const ratio = Math.round((isolet.median / peer.median) * 10) / 10;
  say(JSON.stringify({ bench: 'throughput', isolet, peer, ratio }));
}
process.exit(0);
