/**
 * Milliseconds from the sensor's send to the sink's handler through sensor → filter → sink, at 100 and
 * 1,000 messages a second, against Mosquitto at QoS 1 with three Node processes: as Debian installs it,
 * and with Nagle's algorithm off. All take turns.
 */
import type { Delays } from './parts/delays.ts';
import { type Chain, startChain } from './parts/isolet-chain.ts';
import { NO_MOSQUITTO } from './parts/mosquitto.ts';
import { startPeerChain } from './parts/peer-chain.ts';
import { type Bench, openBench, ratio } from './parts/report.ts';

const RATES = [100, 1_000];

/** Medians by percentile. */
type Percentiles = { readonly p50: number; readonly p99: number; readonly 'p99.9': number };

const bench: Bench<'runs' | 'seconds'> = openBench('latency', { runs: 3, seconds: 10 });
const { runs, seconds } = bench.settings;
const ours = await startChain();
const stock = await startPeerChain();
const tuned = await startPeerChain(true);
const sides: readonly Chain[] = [ours, stock, tuned].filter((side) => side !== undefined);
const found = new Map<Chain, Record<string, Percentiles>>(sides.map((side) => [side, {}]));
for (const side of sides) await side.run(5_000, 0); // Warm.
for (const rate of RATES) {
  const delays = new Map(sides.map((side) => [side, [] as Delays[]]));
  for (let run = 0; run < runs; run++) {
    for (const side of sides) delays.get(side)?.push(await side.run(rate * seconds, rate));
  }
  for (const [side, all] of delays) {
    (found.get(side) as Record<string, Percentiles>)[rate] = rows(`${side.name}, ${rate}/s`, all);
  }
}
for (const side of sides) await side.stop();

const isolet = found.get(ours);
if (stock === undefined || tuned === undefined) bench.end({ isolet, ...NO_MOSQUITTO });
const times = (peer: Chain): number | null =>
  ratio(found.get(peer)?.['1000']?.p99 as number, found.get(ours)?.['1000']?.p99 as number);
bench.end({
  isolet,
  peer: found.get(stock),
  against: stock.name,
  ratio: times(stock),
  others: [{ peer: found.get(tuned), against: tuned.name, ratio: times(tuned) }],
});

/** Prints one line per percentile. */
function rows(who: string, delays: readonly Delays[]): Percentiles {
  const row = (name: string, values: readonly number[]): number =>
    bench.row(`${who}, ${name}`, 'ms', values).median;
  return {
    p50: row(
      'p50',
      delays.map(({ p50 }) => p50),
    ),
    p99: row(
      'p99',
      delays.map(({ p99 }) => p99),
    ),
    'p99.9': row(
      'p99.9',
      delays.map(({ p999 }) => p999),
    ),
  };
}
