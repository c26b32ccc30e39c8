/** A module of a test in a real host: it imports what any module may, `print` tells the test. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { buildPrelude } from '../../build/guest.ts';
import { guestPlugin } from '../../build/guest-plugin.ts';
import type { DeviceGrant, SimulatedDevice } from '../../src/core/device-grant.ts';
import type { ModuleHost } from '../../src/core/ports.ts';
import { createModuleHost } from '../../src/host/module-host.ts';
import { createLog } from '../../src/lib/log.ts';
import { systemClock } from '../../src/lib/system-clock.ts';
import { granting, startNoting, type Told } from '../contracts/module-host.ts';
import { until } from '../fakes/within.ts';

const prelude = buildPrelude();
const LIMIT_MS = 15_000;

/** `hostMain`: the host as it ships, in the place of its source. */
export async function createDeviceHost(
  simulated: Readonly<Record<string, SimulatedDevice>> = {},
  hostMain = fileURLToPath(new URL('../../src/host/main.ts', import.meta.url)),
): Promise<ModuleHost> {
  return createModuleHost({
    hostMain,
    prelude: await prelude,
    clock: systemClock,
    log: createLog('error', systemClock.now, (line) => void process.stderr.write(line)),
    simulated,
  });
}

export type DeviceModule = {
  readonly told: Told;
  readonly lines: () => readonly string[];
  /** Waits for a printed line that begins so, and gives the rest of it. */
  line(start: string): Promise<string>;
};

/** `source` may `print` and has `codeOf(promise)`, which gives the code and text it is rejected with. */
export async function startDeviceModule(
  host: ModuleHost,
  devices: readonly DeviceGrant[],
  source: string,
  module = 'devices',
): Promise<DeviceModule> {
  const dir = mkdtempSync(join(tmpdir(), 'isolet-device-module-'));
  const result = await build({
    stdin: {
      contents: `import { openI2c, openSpi, openGpio, openSerial } from 'isolet';
        const print = (...words) => console.log(words.map(String).join(' '));
        const codeOf = (promise) => promise.then(() => 'fine', (error) => error.code + ' ' + error.message);
        ${source}`,
      resolveDir: dir,
    },
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'neutral',
    target: 'es2024',
    charset: 'ascii',
    plugins: [guestPlugin],
    logLevel: 'error',
  });
  rmSync(dir, { recursive: true });
  const code = result.outputFiles[0]?.text ?? '';
  const told = startNoting(host, {
    module,
    code,
    group: 'devices',
    grants: granting({ devices }),
  });
  const lines = (): readonly string[] =>
    told.requests.flatMap((request) => (request.t === 'log' ? [request.text] : []));
  return {
    told,
    lines,
    async line(start) {
      const found = await until(LIMIT_MS, `the line "${start}"`, () => {
        if (told.endings[0] !== undefined) throw new Error(told.endings[0].reason);
        return lines().find((line) => line.startsWith(`${start} `) || line === start);
      });
      return found.slice(start.length + 1);
    },
  };
}
