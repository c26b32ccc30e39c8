/**
 * Milliseconds from the sensor's send to the sink's handler through sensor → filter → sink, at 100 and
 * 1,000 messages a second, against Mosquitto at QoS 1 in the same run. Guests see whole milliseconds.
 */
import { join } from 'node:path';
import { startChain } from './isolet-chain.ts';
import { startMosquitto } from './peer-mosquitto.ts';

const RATES = [100, 1_000] as const;
const SECONDS = 8;
const role = join(import.meta.dirname, 'mqtt-role.ts');
const say = (text: string): void => void process.stdout.write(`${text}\n`);

type Delays = { readonly p50: number; readonly p99: number; readonly p999: number };

function summary(delays: readonly number[]): Delays {
  const sorted = [...delays].sort((a, b) => a - b);
  const at = (part: number): number => {
    const value = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] as number;
    return Math.round(value * 10) / 10;
  };
  return { p50: at(0.5), p99: at(0.99), p999: at(0.999) };
}

const show = (who: string, rate: number, { p50, p99, p999 }: Delays): void =>
  say(`${who.padEnd(10)} ${String(rate).padStart(5)}/s   p50 ${p50}  p99 ${p99}  p99.9 ${p999} ms`);

const chain = await startChain();
await chain.run(5_000, 0); // Warm.
const isolet: Record<string, Delays> = {};
for (const rate of RATES) {
  const { p50, p99, p999 } = await chain.run(rate * SECONDS, rate);
  isolet[rate] = { p50, p99, p999 };
  show('isolet', rate, { p50, p99, p999 });
}
await chain.stop();

const broker = await startMosquitto();
if (broker === undefined) {
  say('skipped: needs mosquitto (apt-get install mosquitto)');
  say(JSON.stringify({ bench: 'latency', isolet, peer: null, ratio: null }));
} else {
  const peer: Record<string, Delays> = {};
  for (const rate of RATES) {
    const count = String(rate * SECONDS);
    const sink = broker.run(role, ['sink', count, String(rate)]);
    const filter = broker.run(role, ['filter']);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    broker.run(role, ['sensor', count, String(rate)]);
    const lines = (await sink.result) as { delays?: number[] }[];
    filter.child.kill('SIGKILL');
    peer[rate] = summary(lines.at(-1)?.delays ?? []);
    show('mosquitto', rate, peer[rate]);
  }
  broker.stop();
  const ratio =
    Math.round(((peer['1000'] as Delays).p99 / (isolet['1000'] as Delays).p99) * 10) / 10;
  say(JSON.stringify({ bench: 'latency', isolet, peer, ratio }));
}
process.exit(0);
