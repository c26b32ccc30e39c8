/**
 * Milliseconds from a bundle on the disk to the module's first line, in a host that runs; against the
 * same line of a Node process, a worker thread, workerd and a container. All take turns.
 */
import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ModuleHost } from '../../src/core/ports.ts';
import { V8_FLAGS } from '../../src/host/v8-flags.ts';
import { bundleSource } from '../e2e/device.ts';
import { build } from '../e2e/programs.ts';
import { createContainer } from './parts/container.ts';
import { diskFolder } from './parts/disk.ts';
import { firstLineMs } from './parts/first-line.ts';
import { startPeerProcess } from './parts/peer-process.ts';
import { type Bench, openBench, type Peer, ratio, type Spread } from './parts/report.ts';
import { createShippedHost, firstLineOf, keptBundles } from './parts/shipped-host.ts';
import { createWorkerd } from './parts/workerd.ts';

const LINE = "console.log('first');\n";
/** The same after what every module begins with. */
const WITH_SDK = `import { ModuleClient } from 'azure-iot-device';
import { Mqtt } from 'azure-iot-device-mqtt';
console.log('first', typeof ModuleClient, typeof Mqtt);
`;
/** For the real SDK, which is CommonJS. */
const REQUIRED = WITH_SDK.replace(/import (.*) from (.*);/g, 'const $1 = require($2);');

type Side = {
  readonly name: string;
  firstLineMs(): Promise<number>;
};

const bench: Bench<'runs'> = openBench('start', { runs: 21 });
build();
const folder = diskFolder('start');
symlinkSync(join(import.meta.dirname, '../../node_modules'), join(folder, 'node_modules'));
const line = programFile('line.mjs', LINE);
const withSdk = programFile('with-sdk.cjs', REQUIRED);
const images = [await bundleSource('line', LINE), await bundleSource('with-sdk', WITH_SDK)];
const bundles = await keptBundles(images);
const host = await createShippedHost();
// The host runs because this module does.
await firstLineOf(host, bundles, 'resident', images[0] as string);
/** One that keeps no isolate ready, as any after ten seconds without a start. */
const rested = await createShippedHost({ spareMs: 0 });
await firstLineOf(rested, bundles, 'resident', images[0] as string);

const thread = startPeerProcess('worker-role.ts', [line]);
const ours = isoletSide('isolet', host, images[0] as string);
const oursRested = isoletSide('isolet, ten seconds after a start', rested, images[0] as string);
const oursWithSdk = isoletSide('isolet, with the SDK', host, images[1] as string);
const node = nodeSide(`a Node ${process.version} process`, line);
const nodeWithSdk = nodeSide('a Node process, with the SDK', withSdk);
const worker: Side = {
  name: 'a worker thread',
  async firstLineMs() {
    thread.tell({});
    return ((await thread.next()) as { tookMs: number }).tookMs;
  },
};
const bare = isolateSide('a bare isolate, in a process that runs', 'bare');
const withPlatform = isolateSide('the same with the platform', 'platform');
const workerd = createWorkerd(line);
const container = await createContainer(line);
const here = (side: Side | string): side is Side => typeof side !== 'string';
const sides = [
  ours,
  oursRested,
  oursWithSdk,
  bare,
  withPlatform,
  node,
  nodeWithSdk,
  worker,
  workerd,
  container,
].filter(here);
const took = new Map<Side, number[]>(sides.map((side) => [side, []]));
for (const side of sides) await side.firstLineMs(); // Warm.
for (let run = 0; run < bench.settings.runs; run++) {
  for (const side of sides) took.get(side)?.push(await side.firstLineMs());
}
const found = new Map<Side, Spread>();
for (const [side, values] of took) found.set(side, bench.row(side.name, 'ms', values));
const isolet = found.get(ours) as Spread;
bench.end({
  isolet,
  ...against('', node, isolet),
  others: [
    against('', worker, isolet),
    against('workerd', workerd, isolet),
    against('a container', container, isolet),
    against('', nodeWithSdk, found.get(oursWithSdk) as Spread),
  ],
});

function programFile(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

function isoletSide(name: string, by: ModuleHost, image: string): Side {
  let run = 0;
  return {
    name,
    async firstLineMs() {
      const { tookMs, running } = await firstLineOf(by, bundles, `module${++run}`, image);
      await running.stop();
      return tookMs;
    },
  };
}

/** What an isolate costs with nothing around it: no pipe, no disk, no module. */
function isolateSide(name: string, kind: 'bare' | 'platform'): Side {
  const role = startPeerProcess('isolate-role.ts', [kind, '0'], V8_FLAGS);
  return {
    name,
    async firstLineMs() {
      role.tell({});
      return ((await role.next()) as { tookMs: number }).tookMs;
    },
  };
}

function nodeSide(name: string, file: string): Side {
  return { name, firstLineMs: () => firstLineMs(process.execPath, [file]) };
}

function against(name: string, side: Side | string, mine: Spread): Peer {
  if (!here(side)) return { against: name, peer: null, ratio: null, skipped: side };
  const peer = found.get(side) as Spread;
  return { against: side.name, peer, ratio: ratio(peer.median, mine.median) };
}
