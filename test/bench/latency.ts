/**
 * Milliseconds from the sensor's send to the sink's handler through sensor → filter → sink, at 100 and
 * 1,000 messages a second, against Mosquitto at QoS 1 with three Node processes. Both sides take turns.
 */
import type { Delays } from './parts/delays.ts';
import { startChain } from './parts/isolet-chain.ts';
import { NO_MOSQUITTO } from './parts/mosquitto.ts';
import { startPeerChain } from './parts/peer-chain.ts';
import { type Bench, openBench, ratio, type Spread } from './parts/report.ts';

const RATES = [100, 1_000];
const PARTS = { p50: 'p50', p99: 'p99', 'p99.9': 'p999' } as const;

const bench: Bench<'runs' | 'seconds'> = openBench('latency', { runs: 3, seconds: 10 });
const { runs, seconds } = bench.settings;
const ours = await startChain();
const theirs = await startPeerChain();
const sides = theirs === undefined ? [ours] : [ours, theirs];
for (const side of sides) await side.run(5_000, 0); // Warm.

const isolet: Record<string, Record<string, number>> = {};
const peer: Record<string, Record<string, number>> = {};
for (const rate of RATES) {
  const found = sides.map((): Delays[] => []);
  for (let run = 0; run < runs; run++) {
    for (const [at, side] of sides.entries()) {
      found[at]?.push(await side.run(rate * seconds, rate));
    }
  }
  for (const [at, side] of sides.entries()) {
    const medians = at === 0 ? isolet : peer;
    medians[rate] = rows(`${side.name}, ${rate} messages/s`, found[at] as readonly Delays[]);
  }
}
for (const side of sides) await side.stop();

if (theirs === undefined) bench.end({ isolet, ...NO_MOSQUITTO });
const [less, more] = [isolet, peer].map((all) => all['1000']?.['p99'] as number);
bench.end({ isolet, peer, against: theirs.name, ratio: ratio(more as number, less as number) });

/** Prints one line per percentile; gives the medians. */
function rows(who: string, delays: readonly Delays[]): Record<string, number> {
  const median = ([part, key]: [string, 'p50' | 'p99' | 'p999']): [string, number] => {
    const found: Spread = bench.row(
      `${who}, ${part}`,
      'ms',
      delays.map((each) => each[key]),
    );
    return [part, found.median];
  };
  return Object.fromEntries(Object.entries(PARTS).map(median));
}
