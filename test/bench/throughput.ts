/**
 * Messages a second through sensor → filter → sink, acknowledged at every step and durable, against
 * Mosquitto at QoS 1 with three Node processes. Both sides take turns.
 */
import { startChain } from './parts/isolet-chain.ts';
import { NO_MOSQUITTO } from './parts/mosquitto.ts';
import { startPeerChain } from './parts/peer-chain.ts';
import { type Bench, openBench, ratio } from './parts/report.ts';

const bench: Bench<'runs' | 'messages'> = openBench('throughput', { runs: 5, messages: 100_000 });
const { runs, messages } = bench.settings;

const ours = await startChain();
const theirs = await startPeerChain();
// Warm, both.
await ours.run(messages / 5, 0);
await theirs?.run(messages / 5, 0);
const isoletRates: number[] = [];
const peerRates: number[] = [];
const kilobytes: number[] = [];
for (let run = 0; run < runs; run++) {
  const { tookMs, writtenBytes } = await ours.run(messages, 0);
  isoletRates.push((messages * 1000) / tookMs);
  kilobytes.push(writtenBytes / 1024 / (messages / 1000));
  if (theirs !== undefined) {
    peerRates.push((messages * 1000) / (await theirs.run(messages, 0)).tookMs);
  }
}
await ours.stop();
await theirs?.stop();

const isolet = bench.row('isolet', 'messages/s', isoletRates);
bench.row('isolet, written to disk per 1,000 messages', 'KB', kilobytes);
if (theirs === undefined) bench.end({ isolet, ...NO_MOSQUITTO });
const peer = bench.row(`${theirs.name}, three Node processes`, 'messages/s', peerRates);
bench.end({ isolet, peer, against: theirs.name, ratio: ratio(isolet.median, peer.median) });
