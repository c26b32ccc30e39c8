/** Devices as a module uses them, in a real host: what it was granted, and nothing around it. */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { SimulatedDevice } from '../../src/core/device-grant.ts';
import type { Json } from '../../src/core/json.ts';
import type { ModuleHost } from '../../src/core/ports.ts';
import { ServiceError } from '../../src/host/device-services.ts';
import { makeDevices } from '../../src/host/devices/devices.ts';
import { defaultHostSettings } from '../../src/host/host-settings.ts';
import { deviceGrant, granting } from '../contracts/module-host.ts';
import { serialContract } from '../contracts/serial-device.ts';
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

test('SPI: what goes out comes back; size and time are bounded', async ({ host }) => {
  const module = await startDeviceModule(
    host,
    [deviceGrant('/dev/spidev0.0')],
    `const spi = await openSpi('/dev/spidev0.0', { mode: 1, speedHz: 2_000_000 });
     print('back', [...await spi.transfer([1, 2, 3])]);
     print('large', await codeOf(spi.transfer(new Uint8Array(4097))));
     const slow = await openSpi('/dev/spidev0.0', { speedHz: 8_000 });
     print('slow', await codeOf(slow.transfer(new Uint8Array(251))));
     print('just', await codeOf(slow.transfer(new Uint8Array(250))));
     print('mode', await codeOf(openSpi('/dev/spidev0.0', { mode: 4 })));
     print('done');`,
  );
  await module.line('done');
  assert.is(await module.line('back'), '1,2,3');
  assert.match(await module.line('large'), /EMSGSIZE/);
  assert.match(await module.line('slow'), /EMSGSIZE.*251 bytes are more than the 250/);
  assert.is(await module.line('just'), 'fine');
  assert.match(await module.line('mode'), /EINVAL.*"mode" must be a whole number from 0 to 3/);
});

test('GPIO: lines are read and set, edges are told in order', async ({ host }) => {
  const module = await startDeviceModule(
    host,
    [deviceGrant('/dev/gpiochip0')],
    `const chip = await openGpio('/dev/gpiochip0');
     const led = await chip.output(17, 0);
     const button = await chip.input(27, { edge: 'both' });
     const seen = [];
     button.on('edge', ({ edge, lost }) => { seen.push(edge + lost); if (seen.length === 3) print('edges', seen); });
     print('first', await button.read());
     await led.write(1);
     print('then', await button.read(), await led.read());
     await led.write(0);
     await led.write(1);
     print('taken', await codeOf(chip.input(27)));
     print('no line', await codeOf(chip.input(32)));
     print('odd', await codeOf(chip.output(3, 2)));
     const pulled = await chip.input(5, { bias: 'pull-up', activeLow: true });
     print('pulled', await pulled.read());
     await pulled.close();
     print('again', await codeOf(chip.input(5)));`,
  );
  assert.is(await module.line('edges'), 'rising0,falling0,rising0');
  assert.is(await module.line('first'), '0');
  assert.is(await module.line('then'), '1 1');
  assert.match(await module.line('taken'), /EBUSY.*line 27: somebody else uses it/);
  assert.match(await module.line('no line'), /EINVAL/);
  assert.match(await module.line('odd'), /EINVAL.*"value"/);
  assert.is(await module.line('pulled'), '0');
  assert.is(await module.line('again'), 'fine');
  await module.told.running.stop();
});

test('GPIO: edges that come too fast are counted, and the module lives', async ({ host }) => {
  const module = await startDeviceModule(
    host,
    [deviceGrant('/dev/gpiochip0')],
    `const chip = await openGpio('/dev/gpiochip0');
     const led = await chip.output(17);
     const input = await chip.input(27, { edge: 'both' });
     let seen = 0, lost = 0;
     input.on('edge', (edge) => { seen++; lost += edge.lost; });
     for (let i = 0; i < 40; i++) await Promise.all(Array.from({ length: 50 }, (_, n) => led.write(1 - n % 2)));
     setInterval(() => { if (seen + lost === 2000) print('all', seen < 2000, lost > 0); }, 20);`,
  );
  assert.is(await module.line('all'), 'true true');
  await module.told.running.stop();
});

test('serial: what is written comes back; it belongs to one at a time until that one ends', async ({
  host,
}) => {
  const granted = [deviceGrant('/dev/ttyS0')];
  const module = await startDeviceModule(
    host,
    granted,
    `const port = await openSerial('/dev/ttyS0', { baudRate: 115200 });
     await port.write('hello');
     port.on('data', (bytes) => print('data', bytes));
     port.on('lost', (count) => print('lost', count));
     print('second', await codeOf(openSerial('/dev/ttyS0')));
     print('large', await codeOf(port.write(new Uint8Array(65_537))));
     await new Promise((done) => port.once('data', done));
     print('ready');
     globalThis.port = port;`,
  );
  assert.is(await module.line('data'), 'hello');
  assert.match(await module.line('second'), /EBUSY/);
  assert.match(await module.line('large'), /EMSGSIZE/);
  await module.line('ready');
  const source = `print('open', await codeOf(openSerial('/dev/ttyS0')));`;
  const before = await startDeviceModule(host, granted, source, 'before');
  assert.match(await before.line('open'), /EBUSY/);
  await module.told.running.stop();
  const after = await startDeviceModule(host, granted, source, 'after');
  assert.is(await after.line('open'), 'fine');
  await after.told.running.stop();
});

test('serial: what the module does not take in time is counted', async ({ host }) => {
  const module = await startDeviceModule(
    host,
    [deviceGrant('/dev/ttyS0')],
    `const port = await openSerial('/dev/ttyS0');
     for (let i = 0; i < 20; i++) await port.write(new Uint8Array(10_000));
     let seen = 0;
     port.on('data', (bytes) => { seen += bytes.length; });
     port.on('lost', (lost) => print('sum', seen, lost));`,
  );
  assert.is(await module.line('sum'), '65536 134464');
  await module.told.running.stop();
});

test('serial: the simulated port keeps the contract', ({ host }) =>
  serialContract(host, deviceGrant('/dev/ttyS0')));

test('rights and numbers of what is open have bounds', async ({ host }) => {
  const module = await startDeviceModule(
    host,
    [
      deviceGrant('/dev/i2c-1', { writable: false, target: '/dev/bus' }),
      deviceGrant('/dev/gpiochip0', { writable: false }),
      deviceGrant('/dev/spidev0.0', { writable: false }),
    ],
    `print('own path', await codeOf(openI2c('/dev/i2c-1')));
     const bus = await openI2c('/dev/bus');
     print('read', await codeOf(bus.read(0x76, 1)));
     print('write', await codeOf(bus.write(0x76, [1])));
     print('both', await codeOf(bus.writeRead(0x76, [1], 1)));
     const chip = await openGpio('/dev/gpiochip0');
     print('in', await codeOf(chip.input(9)));
     print('out', await codeOf(chip.output(8)));
     print('spi', await codeOf((await openSpi('/dev/spidev0.0')).transfer([1])));
     const opened = [];
     let refusal = 'none';
     while (refusal === 'none' && opened.length < 100)
       await openI2c('/dev/bus').then((one) => opened.push(one), (error) => { refusal = error.message; });
     print('many', opened.length, refusal);`,
    'bounds',
  );
  assert.match(await module.line('own path'), /EACCES.*granted: \/dev\/bus/);
  assert.is(await module.line('read'), 'fine');
  for (const what of ['write', 'both', 'out', 'spi']) {
    assert.match(await module.line(what), /EACCES.*"r".*grant "rw"/, what);
  }
  assert.is(await module.line('in'), 'fine');
  assert.match(await module.line('many'), /^60 EMFILE: the module holds 64 devices and lines open/);
  await module.told.running.stop();
});

test('a flood of transfers leaves its neighbour and its host alive', async ({ host }) => {
  const flood = await startDeviceModule(
    host,
    [deviceGrant('/dev/i2c-1')],
    `const bus = await openI2c('/dev/i2c-1');
     print('floods');
     let fine = 0;
     for (;;) await Promise.all(Array.from({ length: 60 }, () => bus.read(0x48, 2048).then(() => fine++)));`,
    'flood',
  );
  await flood.line('floods');
  const neighbour = await startDeviceModule(
    host,
    [deviceGrant('/dev/i2c-1')],
    `const bus = await openI2c('/dev/i2c-1'); print('raw', (await bus.writeRead(0x76, [2], 1))[0]);`,
    'neighbour of a flood',
  );
  assert.is(await neighbour.line('raw'), '3');
  assert.is(flood.told.endings.length, 0);
  await flood.told.running.stop();
});

test('whatever a module asks, it gets an answer with a code, and the host lives', async () => {
  const grants = granting({
    devices: Object.entries(simulated).map(([path, device]) =>
      deviceGrant(path, { simulated: device }),
    ),
  });
  const service = makeDevices({
    grants,
    settings: defaultHostSettings,
    signal: () => true,
    note() {},
  });
  const paths = fc.constantFrom(...Object.keys(simulated), '/dev/mem', '__proto__');
  const near = fc.record(
    {
      path: fc.oneof(paths, fc.jsonValue()),
      kind: fc.oneof(fc.constantFrom('i2c', 'spi', 'gpio', 'serial'), fc.jsonValue()),
      options: fc.jsonValue(),
      source: fc.oneof(fc.nat(20), fc.jsonValue()),
      address: fc.oneof(fc.nat(200), fc.jsonValue()),
      line: fc.oneof(fc.nat(40), fc.jsonValue()),
      direction: fc.constantFrom('in', 'out', 'up'),
      value: fc.oneof(fc.nat(2), fc.jsonValue()),
      edge: fc.constantFrom('both', 'none', 'toString'),
      length: fc.oneof(fc.nat(3_000), fc.jsonValue()),
      bytes: fc.oneof(fc.base64String(), fc.jsonValue()),
    },
    { requiredKeys: [] },
  );
  const what = fc.oneof(
    fc.constantFrom('open', 'close', 'transfer', 'line', 'get', 'set', 'write', 'fetch'),
    fc.string(),
  );
  const asks = fc.array(fc.tuple(what, fc.oneof(near, fc.jsonValue())), { maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(asks, async (list) => {
      const answers = await Promise.allSettled(
        list.map(([word, args]) => service.ask(word, args as Json)),
      );
      for (const answer of answers) {
        if (answer.status === 'fulfilled') continue;
        assert.instance(answer.reason, ServiceError);
        assert.match((answer.reason as ServiceError).code, /^E[A-Z]+$/);
      }
    }),
    { numRuns: 300 },
  );
  service.close();
});

test.run();
