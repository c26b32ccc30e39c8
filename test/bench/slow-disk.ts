/**
 * What a slow card does to messages between modules: milliseconds through sensor → filter → sink while
 * the hub is away and every message must be written, with commits that take 300 ms longer and without.
 */
import type { Delays } from './parts/delays.ts';
import { startChain } from './parts/isolet-chain.ts';
import { type Bench, openBench, ratio } from './parts/report.ts';

const RATES = [100, 1_000];
const AGAINST = 'the same device without the delay';
const slowWorker = new URL('./parts/slow-store-worker.ts', import.meta.url);

const bench: Bench<'runs' | 'seconds'> = openBench('slow-disk', { runs: 3, seconds: 10 });
const { runs, seconds } = bench.settings;
const devices = {
  'own disk': await startChain({ offline: '/messages/*' }),
  '300 ms slower': await startChain({ offline: '/messages/*', storeMain: slowWorker }),
};
const own: Record<string, Record<string, number>> = {};
const slow: Record<string, Record<string, number>> = {};
for (const chain of Object.values(devices)) await chain.run(5_000, 0); // Warm.
for (const rate of RATES) {
  const found = new Map(Object.keys(devices).map((name) => [name, [] as Delays[]]));
  for (let run = 0; run < runs; run++) {
    for (const [name, chain] of Object.entries(devices)) {
      found.get(name)?.push(await chain.run(rate * seconds, rate));
    }
  }
  for (const [name, delays] of found) {
    const medians = name === 'own disk' ? own : slow;
    const row = (part: 'p50' | 'p99' | 'max'): number =>
      bench.row(
        `${name}, ${rate} messages/s, ${part}`,
        'ms',
        delays.map((each) => each[part]),
      ).median;
    medians[rate] = { p50: row('p50'), p99: row('p99'), max: row('max') };
  }
}
for (const chain of Object.values(devices)) await chain.stop();

const [with300, without] = [slow, own].map((all) => all['1000']?.['p99'] as number);
bench.end({
  isolet: slow,
  peer: own,
  against: AGAINST,
  ratio: ratio(without as number, with300 as number),
});
