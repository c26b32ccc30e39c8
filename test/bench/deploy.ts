/**
 * From a saved source to the new module at work, as a person does it: one line of a module is changed, it
 * is built, pushed to a real container registry, and named in the twin; it is over when the supervisor
 * prints that line of the module's. Each step is a command in a process of its own; hub, registry and
 * device are beside it. Against what the project aims at.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundleSource, spec } from '../e2e/device.ts';
import { build, start } from '../e2e/programs.ts';
import { startDockerRegistry } from '../fakes/docker-registry.ts';
import { until } from '../fakes/within.ts';
import { diskFolder } from './parts/disk.ts';
import { startHub, startHubDevice } from './parts/hub-and-device.ts';
import { type Bench, openBench, ratio } from './parts/report.ts';

const LIMIT_MS = 30_000;
const AIM_MS = 2_000;
const against = `the aim of ${AIM_MS} ms`;

const bench: Bench<'runs'> = openBench('deploy', { runs: 9 });
const { runs } = bench.settings;
if (spawnSync('docker-registry', ['--help']).error !== undefined) {
  const skipped = 'needs docker-registry (apt-get install docker-registry)';
  bench.end({ isolet: null, peer: null, against, ratio: null, skipped });
}
build();
const folder = diskFolder('deploy');
const hub = await startHub(folder, [{ deviceId: 'board', capabilities: { iotEdge: true } }]);
const registry = await startDockerRegistry();
const still = await bundleSource('still', 'setInterval(() => {}, 1000);');
const board = await startHubDevice(folder, hub, 'board', { still: spec(still) });

const source = join(folder, 'lamp');
mkdirSync(join(source, 'src'), { recursive: true });
writeFileSync(join(source, 'package.json'), '{ "name": "lamp", "version": "1.0.0" }');
/** Brings the Azure SDK, as modules do: what is pushed and pulled is not just one line. */
const lampOf = (line: string): string => `
import { ModuleClient } from 'azure-iot-device';
import { Mqtt } from 'azure-iot-device-mqtt';
const client = await ModuleClient.fromEnvironment(Mqtt);
client.onMethod('ping', (request, response) => response.send(200));
console.log('${line}');
`;

const whole: number[] = [];
const parts: Record<'build' | 'push' | 'device', number[]> = {
  build: [],
  push: [],
  device: [],
};
for (let run = 0; run <= runs; run++) {
  const took = await deploy(`lamp number ${run} is at work`, `${registry.host}/lamp:${run}`);
  if (run === 0) continue; // Nothing was there to be replaced.
  whole.push(took.whole);
  for (const [part, all] of Object.entries(parts)) all.push(took[part as keyof typeof parts]);
}
await board.stop();
await registry.stop();
await hub.stop();
const isolet = bench.row('source saved to module at work', 'ms', whole);
bench.row('isolet build', 'ms', parts.build);
bench.row('isolet push', 'ms', parts.push);
bench.row('isolet cloud set-modules, until it is at work', 'ms', parts.device);
bench.end({ isolet, peer: AIM_MS, against, ratio: ratio(AIM_MS, isolet.median) });

async function deploy(line: string, image: string) {
  const began = performance.now();
  writeFileSync(join(source, 'src/main.js'), lampOf(line));
  const built = await run('build', source, '--out', join(folder, 'out'), '--json');
  const builtAt = performance.now();
  await run('push', (JSON.parse(built) as { file: string }).file, image);
  const pushedAt = performance.now();
  const content = join(folder, 'deployment.json');
  writeFileSync(content, JSON.stringify(board.content({ still: spec(still), lamp: spec(image) })));
  const login = ['--login', hub.ownerConnectionString, '--ca', hub.caFile];
  await run('cloud', 'set-modules', ...login, '-d', 'board', '-k', content);
  await until(LIMIT_MS, line, () => board.lines.some((text) => text.includes(line)));
  const endedAt = performance.now();
  return {
    whole: Math.round(endedAt - began),
    build: Math.round(builtAt - began),
    push: Math.round(pushedAt - builtAt),
    device: Math.round(endedAt - pushedAt),
  };
}

/** What the command printed. */
async function run(...argv: readonly string[]): Promise<string> {
  const command = start('isolet', argv);
  const code = await command.ended;
  if (code !== 0) throw new Error(`isolet ${argv.join(' ')}: ${command.errors()}`);
  return command.lines.join('\n');
}
