/**
 * What devices cost: memory of a host whose module holds a serial port of the kernel (so the foreign
 * function interface), a simulated one, and none; and how often a module can ask a simulated I2C bus.
 */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DeviceGrant, SimulatedDevice } from '../../src/core/device-grant.ts';
import { deviceGrant } from '../contracts/module-host.ts';
import { build } from '../e2e/programs.ts';
import { createDeviceHost, startDeviceModule } from '../host/device-module.ts';
import { openPseudoTerminal } from '../host/pseudo-terminal.ts';
import { ownMb } from './parts/memory.ts';
import { type Bench, openBench, ratio } from './parts/report.ts';

/** Until what the start needed has been let go. */
const CALM_MS = 2_000;
const TRANSFERS = 2_000;

const bench: Bench<'runs'> = openBench('devices', { runs: 5 });
build();
const hostMain = join(import.meta.dirname, '../../dist/host.cjs');
const terminal = await openPseudoTerminal();
const port = deviceGrant(terminal.path, { kind: 'serial' });
const opens = `globalThis.port = await openSerial('${terminal.path}'); print('ready');`;
const bus: SimulatedDevice = {
  kind: 'i2c',
  chips: [{ address: 0x48, bytes: [25, 128], registerBytes: 1 }],
};
const none: number[] = [];
const simulated: number[] = [];
const real: number[] = [];
const rates: number[] = [];

for (let run = 0; run < bench.settings.runs; run++) {
  none.push(await hostMb({}, [], `print('ready');`));
  simulated.push(await hostMb({ [terminal.path]: { kind: 'serial' } }, [port], opens));
  real.push(await hostMb({}, [port], opens));
  rates.push(await transfersPerSecond());
}
const without = bench.row('host of a module without devices', 'MB', none);
bench.row('with a simulated serial port', 'MB', simulated);
const withPort = bench.row('with a serial port of the kernel', 'MB', real);
const rate = bench.row('I2C transfers, one after the other', '1/s', rates);
bench.end({
  isolet: { portMb: withPort.median, transfersPerSecond: rate.median },
  peer: { noDeviceMb: without.median },
  against: 'memory of a host without devices',
  ratio: ratio(withPort.median, without.median),
});

async function hostMb(
  played: Readonly<Record<string, SimulatedDevice>>,
  devices: readonly DeviceGrant[],
  source: string,
): Promise<number> {
  const host = await createDeviceHost(played, hostMain);
  const module = await startDeviceModule(host, devices, source);
  await module.line('ready');
  await sleep(CALM_MS);
  const mb = ownMb(host.processes()['devices'] as number);
  await host.stop();
  return mb;
}

async function transfersPerSecond(): Promise<number> {
  const host = await createDeviceHost({ '/dev/i2c-1': bus }, hostMain);
  const source = `const bus = await openI2c('/dev/i2c-1');
    for (let i = 0; i < 200; i++) await bus.writeRead(0x48, [0], 2);
    const began = Date.now();
    for (let i = 0; i < ${TRANSFERS}; i++) await bus.writeRead(0x48, [0], 2);
    print('took', Date.now() - began);`;
  const module = await startDeviceModule(host, [deviceGrant('/dev/i2c-1')], source);
  const tookMs = Number(await module.line('took'));
  await host.stop();
  return (TRANSFERS * 1_000) / tookMs;
}
