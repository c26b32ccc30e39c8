/**
 * What the module host costs, printed: start of a module, messages through pipe and isolate, memory
 * of a host. Take shape, not digits.
 *
 *   node test/bench/module-host.ts
 */
import { readFileSync } from 'node:fs';
import type { ModuleHost } from '../../src/core/ports.ts';
import { input, startNoting, startOf } from '../contracts/module-host.ts';
import { until } from '../fakes/within.ts';
import { guestPrograms } from '../host/contract-programs.ts';
import { createTestHost } from '../host/real-host.ts';

const LIMIT_MS = 60_000;
const code = guestPrograms.echo;

const host = createTestHost();
await startOf(startNoting(host, { module: 'first', code }));
const emptyMb = pssMb(host);
const tookMs: number[] = [];
for (let index = 1; index < 10; index++) {
  tookMs.push(await startMs(host, `module${index}`));
}
const tenMb = pssMb(host);
console.log(`start() to started(), warm host: median ${median(tookMs).toFixed(1)} ms`);
console.log(
  `PSS of a host: ${emptyMb.toFixed(1)} MB with 1 module, ${tenMb.toFixed(1)} MB with 10`,
);

for (const bytes of [0, 64, 1_024]) {
  console.log(`echo of ${bytes}-byte texts: ${await messagesPerSecond(host, bytes)} messages/s`);
}
for (let round = 0; round < 3; round++) {
  for (let index = 0; index < 100; index++) {
    const told = startNoting(host, { module: 'again', code });
    await startOf(told);
    await told.running.stop();
  }
  console.log(`after ${(round + 1) * 100} restarts: ${pssMb(host).toFixed(1)} MB`);
}
await host.stop();

async function startMs(target: ModuleHost, module: string): Promise<number> {
  const began = performance.now();
  await new Promise<void>((resolve, reject) =>
    target.start(
      {
        module,
        code,
        sourceMap: '',
        device: 'board',
        env: {},
        binds: [],
        limits: { heapMb: 64, startMs: 5_000, turnMs: 1_000 },
        group: 'shared',
      },
      { started: resolve, requests() {}, ended: ({ reason }) => reject(new Error(reason)) },
    ),
  );
  return performance.now() - began;
}

/** A window of four batches of 100 under way, each message in, out and acknowledged. */
async function messagesPerSecond(target: ModuleHost, bytes: number): Promise<number> {
  const total = 100_000;
  const batch = Array.from({ length: 100 }, (_, id) => input(id, 'x'.repeat(bytes), { unit: 'C' }));
  const none = batch.map(() => undefined);
  let sent = 0;
  let acked = 0;
  const running = target.start(
    {
      module: 'echo',
      code,
      sourceMap: '',
      device: 'board',
      env: {},
      binds: [],
      limits: { heapMb: 64, startMs: 5_000, turnMs: 1_000 },
      group: 'shared',
    },
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
    if (sent >= total) return;
    sent += batch.length;
    running.post(batch, none);
  }
  const began = performance.now();
  await until(LIMIT_MS, 'all echoes', () => acked >= total);
  const seconds = (performance.now() - began) / 1000;
  await running.stop();
  return Math.round(total / seconds);
}

function pssMb(target: ModuleHost): number {
  const pid = target.processes()['shared'] as number;
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  return Number(/^Pss:\s+(\d+)/m.exec(text)?.[1]) / 1024;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
