/** Devices as a module uses them, in a real host: what it was granted, and nothing around it. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ModuleHost, SimulatedDevice } from '../../src/core/ports.ts';
import { deviceGrant } from '../contracts/module-host.ts';
import { createDeviceHost, startDeviceModule } from './device-module.ts';

/** A thermometer with 16-bit registers, as an LM75: 25.5 °C; and a chip with bytes. */
const simulated: Readonly<Record<string, SimulatedDevice>> = {
  '/dev/i2c-1': {
    kind: 'i2c',
    chips: [
      { address: 0x48, bytes: [0x19, 0x80, 0, 0, 0x4b, 0], registerBytes: 2 },
      { address: 0x76, bytes: [1, 2, 3, 4], registerBytes: 1 },
    ],
  },
  '/dev/i2c-2': { kind: 'i2c', chips: [] },
  '/dev/spidev0.0': { kind: 'spi' },
  '/dev/gpiochip0': { kind: 'gpio', lines: 32, wires: [[17, 27]] },
  '/dev/ttyS0': { kind: 'serial' },
};

const test = suite<{ host: ModuleHost }>('devices');
test.before(async (context) => {
  context.host = await createDeviceHost(simulated);
});
test.after(({ host }) => host.stop());

test('a module granted one I2C bus uses exactly that', async ({ host }) => {
  const module = await startDeviceModule(
    host,
    [deviceGrant('/dev/i2c-1')],
    `const bus = await openI2c('/dev/i2c-1');
     const raw = await bus.writeRead(0x48, [0], 2);
     print('temperature', raw.readInt16BE() / 256);
     await bus.write(0x48, Uint8Array.of(2, 0x50, 0));
     print('set', [...await bus.read(0x48, 2)]);
     print('bytes', [...await bus.writeRead(0x76, [1], 5)]);
     for (const path of ['/dev/i2c-2', '/dev/i2c-1/../i2c-2', '/dev/./i2c-1', '/dev/mem', '/etc/passwd', 'i2c-1', '', 7])
       print('open', path, await codeOf(openI2c(path)));
     print('kind', await codeOf(openSerial('/dev/i2c-1')));
     print('beyond', await codeOf(bus.read(0x80, 1)));
     print('nobody', await codeOf(bus.read(0x20, 1)));
     print('large read', await codeOf(bus.read(0x48, 2049)));
     print('large write', await codeOf(bus.write(0x48, new Uint8Array(2049))));
     print('nothing', await codeOf(bus.read(0x48, 0)));
     print('odd', await codeOf(bus.read(0x48, 'x')), await codeOf(bus.write(0x48, [256])), await codeOf(bus.write(0x48, 'ab')));
     await bus.close();
     print('closed', await codeOf(bus.read(0x48, 1)));
     print('done');`,
  );
  await module.line('done');
  const line = (start: string): Promise<string> => module.line(start);
  assert.is(await line('temperature'), '25.5');
  assert.is(await line('set'), '80,0');
  assert.is(await line('bytes'), '2,3,4,255,255');
  const refusals = module.lines().filter((one) => one.startsWith('open '));
  assert.is(refusals.length, 8);
  for (const refusal of refusals.slice(0, 7)) {
    assert.match(refusal, /EACCES.* is not granted to this module; granted: \/dev\/i2c-1/);
  }
  assert.match(refusals[7] as string, /EINVAL.*"path" must be text/);
  assert.match(await line('kind'), /EINVAL.*an I2C bus: open it with openI2c/);
  assert.match(await line('beyond'), /EINVAL.*from 0 to 127, it is 128/);
  assert.match(await line('nobody'), /ENXIO.*address 0x20: nobody answers/);
  assert.match(await line('large read'), /EMSGSIZE.*2049 bytes are more than the 2048/);
  assert.match(await line('large write'), /EMSGSIZE.*2049/);
  assert.match(await line('nothing'), /EINVAL/);
  assert.match(await line('odd'), /EINVAL.*ERR_INVALID_ARG_TYPE.*ERR_INVALID_ARG_TYPE/);
  assert.match(await line('closed'), /EBADF/);
});

test('a neighbour without the grant is refused, in the same host', async ({ host }) => {
  const module = await startDeviceModule(
    host,
    [],
    `print('bus', await codeOf(openI2c('/dev/i2c-1')));`,
    'neighbour',
  );
  assert.match(await module.line('bus'), /EACCES.*no device is \(createOptions/);
});

test.run();
