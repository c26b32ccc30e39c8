/**
 * Milliseconds from SIGKILL of the module host to the word of the last of ten modules that it waits
 * again, through the real supervisor; against ten Node processes that are started again when they end.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { build } from '../e2e/programs.ts';
import { makeIdleFolder, startIdleDevice } from './parts/idle-device.ts';
import { startIdleProcess } from './parts/idle-peers.ts';
import { type Bench, openBench, ratio } from './parts/report.ts';

/** The supervisor starts a module whose host was lost at once, but not twice within this. */
const PACE_MS = 1_000;

const bench: Bench<'runs' | 'modules'> = openBench('recovery', { runs: 9, modules: 10 });
const { runs, modules } = bench.settings;
const AGAINST = `${modules} Node ${process.version} processes`;
build();
const device = startIdleDevice(await makeIdleFolder(modules));
let waited = modules;
await device.waiting(waited);
const ours: number[] = [];
const theirs: number[] = [];
await peerMs(); // Warm; ours has been.
for (let run = 0; run < runs; run++) {
  await sleep(PACE_MS);
  ours.push(await recoveryMs());
  theirs.push(await peerMs());
}
const isolet = bench.row(`${modules} modules wait again`, 'ms', ours);
const peer = bench.row(AGAINST, 'ms', theirs);
await device.kill();
bench.end({ isolet, peer, against: AGAINST, ratio: ratio(peer.median, isolet.median) });

async function recoveryMs(): Promise<number> {
  const host = await device.hostPid();
  waited += modules;
  const all = device.waiting(waited);
  const began = performance.now();
  process.kill(host, 'SIGKILL');
  await all;
  return performance.now() - began;
}

/** Each is started again when it has ended, as by a service manager that does not hesitate. */
async function peerMs(): Promise<number> {
  const before = Array.from({ length: modules }, () => startIdleProcess());
  await Promise.all(before.map((one) => one.said('waits', 1)));
  const began = performance.now();
  const after = await Promise.all(
    before.map(async (one) => {
      await one.kill();
      const again = startIdleProcess();
      await again.said('waits', 1);
      return again;
    }),
  );
  const tookMs = performance.now() - began;
  await Promise.all(after.map((one) => one.kill()));
  return tookMs;
}
