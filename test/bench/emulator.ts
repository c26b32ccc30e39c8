/**
 * The hub emulator: milliseconds from the start of its process until it serves, then a fleet of devices
 * that each send some messages a second, the memory it takes for that, and whether one got lost.
 * Exits 1 when one did.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createServiceClient } from '../../src/cli/cloud/service-client.ts';
import { programCommand } from '../../src/cli/program-files.ts';
import { build, start } from '../e2e/programs.ts';
import { until } from '../fakes/within.ts';
import { atExit } from './parts/at-exit.ts';
import { diskFolder } from './parts/disk.ts';
import { firstLineMs } from './parts/first-line.ts';
import { peakRssMb, rssMb } from './parts/memory.ts';
import { startPeerProcess } from './parts/peer-process.ts';
import { type Bench, openBench } from './parts/report.ts';

type Fleet = { readonly acknowledged: number; readonly failed: number; readonly lost: number };
type Announcement = {
  readonly mqttPort: number;
  readonly caFile: string;
  readonly ownerConnectionString: string;
  readonly devices: Readonly<Record<string, string>>;
};

const DRAIN_MS = 30_000;

const bench: Bench<'devices' | 'rate' | 'seconds' | 'runs'> = openBench('emulator', {
  devices: 200,
  rate: 5,
  seconds: 120,
  runs: 5,
});
const { devices, rate, seconds, runs } = bench.settings;
build();
const folder = diskFolder('emulator');
const program = programCommand('emulator').argv.at(-1) as string;
const flags = shippedFlags();

// ---- start to serving: with nothing there, and with everything

const firstMs: number[] = [];
const againMs: number[] = [];
for (let run = 0; run < runs; run++) {
  const argv = [...flags, '--data', join(folder, `start-${run}`), '--port', '0', '--json'];
  firstMs.push(await firstLineMs(process.execPath, argv));
  againMs.push(await firstLineMs(process.execPath, argv));
}
const firstStart = bench.row('start to serving, keys and certificates made', 'ms', firstMs);
const start_ = bench.row('start to serving', 'ms', againMs);

// ---- the fleet

const seed = join(folder, 'seed.json');
const ids = Array.from({ length: devices }, (_, n) => `device-${n}`);
writeFileSync(seed, JSON.stringify({ devices: ids.map((deviceId) => ({ deviceId })) }));
const argv = ['--data', join(folder, 'fleet'), '--port', '0', '--json', '--seed', seed];
const emulator = start('emulator', argv);
atExit(() => emulator.child.kill('SIGKILL'));
const hub = JSON.parse(
  await until(DRAIN_MS, 'the hub', () => emulator.lines[0] as string | undefined),
) as Announcement;
const pid = emulator.child.pid as number;
const idleMb = rssMb(pid);

/** What the hub told its watcher: each device's messages carry numbers, from 0 without a gap. */
const nextOf = new Map<string, number>();
let seen = 0;
let wrong = 0;
const { ownerConnectionString: connectionString, caFile } = hub;
const watch = createServiceClient({ connectionString, caFile }).events(
  { since: '0' },
  ({ deviceId, properties }) => {
    const next = nextOf.get(deviceId) ?? 0;
    if (properties['n'] !== String(next)) wrong += 1;
    nextOf.set(deviceId, next + 1);
    seen += 1;
  },
);
await watch.opened;

const fleet = startPeerProcess('emulator-fleet.ts', [
  JSON.stringify({ caFile, port: hub.mqttPort, logins: Object.values(hub.devices) }),
]);
await fleet.next();
const memory: number[] = [];
const sampling = setInterval(() => memory.push(rssMb(pid)), 250);
fleet.tell({ rate, seconds });
const report = (await fleet.next()) as Fleet;
clearInterval(sampling);
await until(DRAIN_MS, 'all events', () => seen >= report.acknowledged).catch(() => {});
const peakMb = peakRssMb(pid);
watch.stop();
await watch.ended.catch(() => {});
await fleet.stop();
emulator.child.kill('SIGTERM');
await emulator.ended;

const memoryMb = bench.row(`memory with ${devices} devices (RSS)`, 'MB', memory);
bench.row('the same at its peak', 'MB', [peakMb]);
bench.row('the same before any came', 'MB', [idleMb]);
const due = devices * rate * seconds;
bench.say(
  `${report.acknowledged} of ${due} acknowledged, ${seen} seen, ${report.lost} connections lost, ${wrong} out of order`,
);
if (report.acknowledged !== due || seen !== due || wrong > 0 || report.failed > 0) {
  process.stderr.write(`messages were lost, doubled or out of order\n${emulator.errors()}`);
  process.exit(1);
}
bench.end({
  isolet: {
    startMs: start_,
    firstStartMs: firstStart,
    memoryMb,
    peakMb,
    idleMb,
    ...report,
    seen,
    wrong,
  },
  peer: null,
  against: 'nobody: there is no other IoT Hub to run at home',
  ratio: null,
});

/** As `isolet emulator` runs it, from dist/. */
function shippedFlags(): readonly string[] {
  const own = programCommand('emulator').argv.slice(0, -1);
  return [...own, program.replace(/src\/emulator\/main\.ts$/, 'dist/emulator.js')];
}
