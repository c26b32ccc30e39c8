/**
 * What the module host costs: start of a module against start of an empty Node process, messages
 * through pipe and isolate, memory of a host and what restarts leave behind.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { ModuleHost } from '../../src/core/ports.ts';
import { input, startNoting, startOf } from '../contracts/module-host.ts';
import { until } from '../fakes/within.ts';
import { guestPrograms } from '../host/contract-programs.ts';
import { createTestHost } from '../host/real-host.ts';
import { pssMb } from './parts/memory.ts';
import { type Bench, openBench, ratio } from './parts/report.ts';

const LIMIT_MS = 60_000;
const AGAINST = `a Node ${process.version} process`;
const code = guestPrograms.echo;
const START = {
  code,
  sourceMap: '',
  device: 'board',
  env: {},
  binds: [],
  limits: { heapMb: 64, startMs: 5_000, turnMs: 1_000 },
  group: 'shared',
};

const bench: Bench<'runs' | 'messages'> = openBench('module-host', { runs: 9, messages: 100_000 });
const { runs, messages } = bench.settings;
const host = createTestHost();
await startOf(startNoting(host, { module: 'first', code }));
const oneMb = hostMb(host);
const starts: number[] = [];
const processStarts: number[] = [];
for (let run = 1; run <= runs; run++) {
  starts.push(await startMs(host, `module${run}`));
  processStarts.push(await processStartMs());
}
const isolet = bench.row('start of a module, its host runs', 'ms', starts);
const peer = bench.row(`start of ${AGAINST}`, 'ms', processStarts);
bench.row('memory of the host with 1 module, PSS', 'MB', [oneMb]);
bench.row('memory per further module', 'MB', [(hostMb(host) - oneMb) / runs]);
for (const bytes of [0, 64, 1_024]) {
  const values: number[] = [];
  for (let run = 0; run < 3; run++) values.push(await messagesPerSecond(host, bytes));
  bench.row(`echo of ${bytes}-byte texts`, 'messages/s', values);
}
for (let round = 1; round <= 3; round++) {
  for (let index = 0; index < 100; index++) {
    const told = startNoting(host, { module: 'again', code });
    await startOf(told);
    await told.running.stop();
  }
  bench.row(`memory after ${round * 100} restarts`, 'MB', [hostMb(host)]);
}
await host.stop();
bench.end({ isolet, peer, against: AGAINST, ratio: ratio(peer.median, isolet.median) });

/** To the end of the code's first turn. */
async function startMs(target: ModuleHost, module: string): Promise<number> {
  const began = performance.now();
  await new Promise<void>((resolve, reject) =>
    target.start(
      { ...START, module },
      { started: resolve, requests() {}, ended: ({ reason }) => reject(new Error(reason)) },
    ),
  );
  return performance.now() - began;
}

/** To the first word of a process whose code is that one word: it loads nothing. */
async function processStartMs(): Promise<number> {
  const began = performance.now();
  const child = spawn(process.execPath, ['--eval', 'process.stdout.write("started")'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  const tookMs = performance.now() - began;
  await once(child, 'close');
  return tookMs;
}

/** A window of four batches of 100 under way, each message in, out and acknowledged. */
async function messagesPerSecond(target: ModuleHost, bytes: number): Promise<number> {
  const batch = Array.from({ length: 100 }, (_, id) => input(id, 'x'.repeat(bytes), { unit: 'C' }));
  const none = batch.map(() => undefined);
  let sent = 0;
  let acked = 0;
  const running = target.start(
    { ...START, module: 'echo' },
    {
      started: () => [1, 2, 3, 4].forEach(more),
      requests(requests) {
        for (const one of requests) {
          if (one.t !== 'ack') continue;
          acked += one.ids.length;
          more();
        }
      },
      ended() {},
    },
  );
  function more(): void {
    if (sent >= messages) return;
    sent += batch.length;
    running.post(batch, none);
  }
  const began = performance.now();
  await until(LIMIT_MS, 'all echoes', () => acked >= messages);
  const perSecond = (messages * 1000) / (performance.now() - began);
  await running.stop();
  return perSecond;
}

function hostMb(target: ModuleHost): number {
  return pssMb(target.processes()['shared'] as number);
}
