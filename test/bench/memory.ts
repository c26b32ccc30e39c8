/**
 * Memory of 1, 10 and 50 modules that wait for messages: supervisor and host as they ship, without a
 * cloud; against as many idle Node processes, and one with as many worker threads.
 */
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { V8_FLAGS } from '../../src/host/v8-flags.ts';
import { bundleSource } from '../e2e/device.ts';
import { build } from '../e2e/programs.ts';
import { diskFolder } from './parts/disk.ts';
import { makeIdleFolder, startIdleDevice } from './parts/idle-device.ts';
import { startIdleProcesses, startIdleThreads } from './parts/idle-peers.ts';
import { pssMb } from './parts/memory.ts';
import { type Bench, openBench, ratio } from './parts/report.ts';
import { createShippedHost, firstLineOf, keptBundles } from './parts/shipped-host.ts';
import { startSpeaking } from './parts/speaking-process.ts';

const COUNTS = [1, 10, 50];
/** Until what the start needed has been let go: the spare isolate last, after ten seconds. */
const CALM_MS = 15_000;
const RESTARTS = 300;

/** MB by how many there are. */
type Side = { readonly name: string; readonly measure: (count: number) => Promise<Memory> };
type Memory = { readonly whole: number; readonly host?: number };

const bench: Bench<'runs'> = openBench('memory', { runs: 3 });
build();
// PSS shares a binary's pages among all who run it: this bench must not take a share.
const node = join(diskFolder('node'), 'node');
copyFileSync(process.execPath, node);
const folders = new Map<number, string>();
for (const count of COUNTS) folders.set(count, await makeIdleFolder(count));

const ours: Side = { name: 'isolet', measure: deviceMemory };
const processes: Side = {
  name: `Node ${process.version} processes`,
  measure: (count) => peerMemory(startIdleProcesses(count, node)),
};
const threads: Side = {
  name: 'worker threads of one process',
  measure: (count) => peerMemory(startIdleThreads(count, node)),
};
const sides = [ours, isolates('bare'), isolates('platform'), processes, threads];
// The first start of a device makes its snapshot, and later ones use it.
for (const count of COUNTS) await deviceMemory(count);
const took = new Map(sides.map((side) => [side, new Map(COUNTS.map((n) => [n, [] as Memory[]]))]));
for (let run = 0; run < bench.settings.runs; run++) {
  for (const [side, byCount] of took) {
    for (const [count, values] of byCount) values.push(await side.measure(count));
  }
}
const found = new Map(sides.map((side) => [side, figures(side)]));
const restarts = await restartMemory();
const extra = (side: Side): number => found.get(side)?.['extra'] as number;
bench.end({
  isolet: { ...found.get(ours), restarts },
  peer: found.get(processes),
  against: processes.name,
  ratio: ratio(extra(processes), extra(ours)),
  others: [
    {
      peer: found.get(threads),
      against: threads.name,
      ratio: ratio(extra(threads), extra(ours)),
    },
  ],
});

/** Medians of the runs. */
function figures(side: Side): Readonly<Record<string, number>> {
  const byCount = took.get(side) as Map<number, Memory[]>;
  const all: Record<string, number> = {};
  for (const [count, values] of byCount) {
    const row = (what: string, of: (value: Memory) => number): number =>
      bench.row(`${side.name}, ${count}${what}`, 'MB', values.map(of)).median;
    all[count] = row('', ({ whole }) => whole);
    if (values[0]?.host !== undefined) all[`host ${count}`] = row(', the host', (v) => v.host ?? 0);
  }
  const [few, many] = [COUNTS[0], COUNTS.at(-1)] as [number, number];
  const at = (count: number): readonly Memory[] => byCount.get(count) ?? [];
  const each = at(many).map(
    ({ whole }, run) => (whole - (at(few)[run]?.whole ?? 0)) / (many - few),
  );
  return { ...all, extra: bench.row(`${side.name}, each further one`, 'MB', each).median };
}

async function deviceMemory(count: number): Promise<Memory> {
  const device = startIdleDevice(folders.get(count) as string, node);
  await device.waiting(count);
  const hostPid = await device.hostPid();
  await sleep(CALM_MS);
  const host = pssMb(hostPid);
  const whole = pssMb(device.pid) + host;
  await device.kill();
  return { whole, host };
}

/** Isolates with nothing around them: the difference of both kinds is what the platform adds. */
function isolates(kind: 'bare' | 'platform'): Side {
  const role = join(import.meta.dirname, 'parts/isolate-role.ts');
  return {
    name: kind === 'bare' ? 'bare isolates' : 'isolates with the platform',
    measure: (count) =>
      peerMemory(
        (async () => {
          const one = startSpeaking(node, [...V8_FLAGS, role, kind, String(count)]);
          await one.said('waits', 1);
          return { pids: [one.pid], kill: one.kill };
        })(),
      ),
  };
}

async function peerMemory(starting: ReturnType<typeof startIdleThreads>): Promise<Memory> {
  const peers = await starting;
  await sleep(CALM_MS);
  const whole = peers.pids.map(pssMb).reduce((sum, one) => sum + one, 0);
  await peers.kill();
  return { whole };
}

/** What restarts leave behind: the host's memory after hundreds of them, by their number. */
async function restartMemory(): Promise<Readonly<Record<string, number>>> {
  const image = await bundleSource('restarted', "console.log('starts');\n");
  const bundles = await keptBundles([image]);
  const host = await createShippedHost();
  const all: Record<string, number> = {};
  for (let restart = 1; restart <= RESTARTS; restart++) {
    await firstLineOf(host, bundles, 'restarted', image).then(({ running }) => running.stop());
    if (restart % 100 !== 0) continue;
    const now = pssMb(host.processes()['shared'] as number);
    all[restart] = bench.row(`the host after ${restart} restarts`, 'MB', [now]).median;
  }
  await host.stop();
  return all;
}
