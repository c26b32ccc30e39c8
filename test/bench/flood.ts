/**
 * A minute of 64 fast producers against one slow consumer: messages a second the producers are slowed
 * to, and memory of supervisor and host over time, which has to stay flat. Exits 1 when anything was lost.
 */
import { flood } from '../e2e/flood.ts';
import { pssMb } from './parts/memory.ts';
import { type Bench, openBench } from './parts/report.ts';

const bench: Bench<'producers' | 'seconds'> = openBench('flood', { producers: 64, seconds: 60 });
const { producers, seconds } = bench.settings;
const report = await flood(producers, seconds * 1_000, 1_000, pssMb);
const { told, refused, arrived, wrong, waitedMost, memoryMb } = report;
const third = Math.ceil(memoryMb.host.length / 3);
for (const [name, values] of Object.entries(memoryMb)) {
  bench.row(`memory of the ${name}, first third`, 'MB', values.slice(0, third));
  bench.row(`memory of the ${name}, last third`, 'MB', values.slice(-third));
}
bench.say(`${told} told stored, ${arrived} arrived, ${refused} refused, ${wrong} out of order`);
if (arrived !== told || wrong > 0) {
  process.stderr.write('messages were lost, doubled or out of order\n');
  process.exit(1);
}
bench.end({
  isolet: {
    told,
    arrived,
    refused,
    wrong,
    waitedMost,
    perSecond: Math.round(told / seconds),
    memoryMb,
  },
  peer: null,
  against: 'nobody: memory must not grow',
  ratio: null,
});
