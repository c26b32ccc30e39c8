/** What we hand to Linux, byte by byte; and Linux itself, where this machine has such a device. */
import {
  globSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  unlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type Bytes,
  type Kernel,
  linuxKernel,
  memory,
  viewOf,
} from '../../src/host/devices/kernel.ts';
import {
  GPIO_V2_GET_LINE,
  GPIO_V2_LINE_GET_VALUES,
  GPIO_V2_LINE_SET_VALUES,
  openLinuxGpio,
} from '../../src/host/devices/linux-gpio.ts';
import { I2C_RDWR, I2C_SLAVE, openLinuxI2c } from '../../src/host/devices/linux-i2c.ts';
import { openLinuxSerial, TCGETS2 } from '../../src/host/devices/linux-serial.ts';
import {
  openLinuxSpi,
  SPI_IOC_MESSAGE_1,
  SPI_IOC_WR_BITS_PER_WORD,
  SPI_IOC_WR_MAX_SPEED_HZ,
  SPI_IOC_WR_MODE,
} from '../../src/host/devices/linux-spi.ts';
import { deviceGrant, endOf } from '../contracts/module-host.ts';
import { serialContract } from '../contracts/serial-device.ts';
import { until } from '../fakes/within.ts';
import { createDeviceHost, startDeviceModule } from './device-module.ts';
import { openPseudoTerminal } from './pseudo-terminal.ts';

const test = suite('linux devices');
const BASE = 0x7f00_0000_1000n;
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

type Call = { readonly request: number; readonly data: Uint8Array };

/** A kernel that notes what it is asked, and answers with what the test writes. */
function noting(answer: (request: number, data: Bytes) => void = () => {}): {
  kernel: Kernel;
  calls: Call[];
  closed: number[];
  numbers: (readonly [number, number])[];
} {
  const calls: Call[] = [];
  const closed: number[] = [];
  const numbers: (readonly [number, number])[] = [];
  const kernel: Kernel = {
    open: () => 10,
    close: (file) => void closed.push(file),
    ioctl(_, request, data) {
      calls.push({ request, data: data.slice() });
      answer(request, data);
      return 0;
    },
    ioctlNumber(_, request, value) {
      numbers.push([request, value]);
      return 0;
    },
    read: () => 0,
    waiting: () => false,
    addressOf: () => BASE,
  };
  return { kernel, calls, closed, numbers };
}

test('I2C: one I2C_RDWR with a message to write and one to read', () => {
  const { kernel, calls, closed, numbers } = noting((_, data) => {
    if (data.length === 51) data.set([0xca, 0xfe], 49);
  });
  const bus = openLinuxI2c(kernel, '/dev/i2c-1');
  assert.is(hex(bus.transfer(0x48, Uint8Array.of(5), 2)), 'cafe');
  assert.equal(numbers, [[I2C_SLAVE, 0x48]], 'no driver has the chip');
  assert.is(calls[0]?.request, I2C_RDWR);
  const words = [
    '1010000000' + '7f0000', // msgs, 16 bytes on
    '0200000000000000', // two of them
    '4800' + '0000' + '0100' + '0000', // write one byte to 0x48 …
    '3010000000' + '7f0000', // … which is 48 bytes on
    '4800' + '0100' + '0200' + '0000', // read two from it …
    '3110000000' + '7f0000', // … to where that byte ends
    '05' + '0000',
  ];
  assert.is(hex(calls[0]?.data as Uint8Array), words.join(''));
  assert.is(bus.transfer(0x48, Uint8Array.of(5, 6), 0).length, 0);
  assert.is(calls[1]?.data.length, 16 + 16 + 2);
  bus.close();
  assert.equal(closed, [10]);
});

test('SPI: mode, word and speed at the opening, then one transfer both ways', () => {
  const { kernel, calls } = noting((request, data) => {
    if (request === SPI_IOC_MESSAGE_1) data.set([9, 8], 34);
  });
  const settings = { mode: 3, speedHz: 500_000, bitsPerWord: 8 } as const;
  const device = openLinuxSpi(kernel, '/dev/spidev0.0', settings);
  assert.is(hex(device.transfer(Uint8Array.of(1, 2))), '0908');
  assert.equal(
    calls.map(({ request }) => request),
    [SPI_IOC_WR_MODE, SPI_IOC_WR_BITS_PER_WORD, SPI_IOC_WR_MAX_SPEED_HZ, SPI_IOC_MESSAGE_1],
  );
  const words = [
    '2010000000' + '7f0000', // tx
    '2210000000' + '7f0000', // rx
    '02000000' + '20a10700', // length, speed
    '0000' + '08' + '00' + '00000000', // delay, bits, cs_change, …
    '0102' + '0000',
  ];
  assert.is(hex(calls[3]?.data as Uint8Array), words.join(''));
});

test('GPIO: a line request of 592 bytes, and the file that comes back', () => {
  const { kernel, calls, closed } = noting((request, data) => {
    if (request === GPIO_V2_GET_LINE) viewOf(data).setInt32(588, 77, true);
    if (request === GPIO_V2_LINE_GET_VALUES) data[0] = 1;
  });
  const chip = openLinuxGpio(kernel, '/dev/gpiochip0');
  const input = chip.line(27, { direction: 'in', bias: 'pull-up', edge: 'both', activeLow: true });
  const request = calls[0]?.data as Bytes;
  assert.is(request.length, 592);
  const view = viewOf(request);
  assert.is(view.getUint32(0, true), 27);
  assert.is(Buffer.from(request.subarray(256, 262)).toString(), 'isolet');
  assert.is(view.getBigUint64(288, true), 0x136n, 'active low, input, both edges, pull-up');
  assert.equal([view.getUint32(296, true), view.getUint32(560, true)], [0, 1]);
  assert.is(input.read(), 1);
  const output = chip.line(17, { direction: 'out', value: 1, activeLow: false });
  const out = viewOf(calls[2]?.data as Bytes);
  assert.is(out.getBigUint64(288, true), 8n);
  assert.equal([out.getUint32(296, true), out.getUint32(320, true)], [1, 2], 'output values');
  assert.equal([out.getBigUint64(328, true), out.getBigUint64(336, true)], [1n, 1n]);
  output.write(0);
  assert.is(calls[3]?.request, GPIO_V2_LINE_SET_VALUES);
  assert.is(hex(calls[3]?.data as Uint8Array), `${'00'.repeat(8)}01${'00'.repeat(7)}`);
  input.close();
  assert.equal(closed, [77]);
});

test('GPIO: events of 48 bytes become edges', () => {
  const { kernel } = noting();
  const event = memory(96);
  const view = viewOf(event);
  view.setBigUint64(0, 1_500_000n, true);
  view.setUint32(8, 1, true);
  view.setUint32(20, 1, true);
  view.setBigUint64(48, 2_500_000n, true);
  view.setUint32(56, 2, true);
  view.setUint32(68, 4, true);
  const chip = openLinuxGpio(
    {
      ...kernel,
      waiting: () => true,
      read: (_, data) => {
        data.set(event);
        return event.length;
      },
    },
    '/dev/gpiochip0',
  );
  const line = chip.line(1, { direction: 'in', bias: 'as-is', edge: 'both', activeLow: false });
  assert.equal(line.takeEdges(10), [
    { timeMs: 1.5, edge: 'rising', number: 1 },
    { timeMs: 2.5, edge: 'falling', number: 4 },
  ]);
});

/** A file may be closed while we look. */
function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

test('what the kernel refuses has its name', async () => {
  const kernel = await linuxKernel();
  const file = kernel.open('/dev/null', 0);
  try {
    kernel.ioctl(file, TCGETS2, memory(44));
    assert.unreachable();
  } catch (cause) {
    assert.is((cause as NodeJS.ErrnoException).code, 'ENOTTY');
  } finally {
    kernel.close(file);
  }
});

test('a name that leads elsewhere now, and a device that came later, ask for another host', async () => {
  const host = await createDeviceHost();
  const [first, second] = [await openPseudoTerminal(), await openPseudoTerminal()];
  const folder = mkdtempSync(join(tmpdir(), 'isolet-by-id-'));
  const link = join(folder, 'modem');
  symlinkSync(first.path, link);
  const grant = deviceGrant(link, { kind: 'serial', target: '/dev/modem' });
  const source = `globalThis.port = await openSerial('/dev/modem'); await port.write('x'); print('open');`;
  const before = await startDeviceModule(host, [grant], source);
  await before.line('open');
  const pid = host.processes()['devices'];
  unlinkSync(link);
  symlinkSync(second.path, link);
  const after = await startDeviceModule(host, [grant], source, 'after');
  await after.line('open');
  assert.is((await second.receive(1)).toString(), 'x');
  assert.is.not(host.processes()['devices'], pid);
  await host.stop();
  rmSync(folder, { recursive: true });
});

test('a port that is closed sends what it has; one whose module ends does not hold the host', async () => {
  const host = await createDeviceHost();
  const terminal = await openPseudoTerminal();
  const grant = deviceGrant(terminal.path, { kind: 'serial' });
  const open = `const port = await openSerial('${terminal.path}');`;
  const polite = await startDeviceModule(
    host,
    [grant],
    `${open} port.write(new Uint8Array(10_000)); await port.close(); print('closed', await codeOf(port.write([1])));`,
  );
  assert.is((await terminal.receive(10_000)).length, 10_000);
  assert.match(await polite.line('closed'), /EBADF/);
  const held = await startDeviceModule(
    host,
    [grant],
    `${open} port.write(new Uint8Array(60_000)); print('written');`,
    'held',
  );
  await held.line('written');
  const began = performance.now();
  const pid = host.processes()['devices'] as number;
  const heldFiles = (): readonly string[] =>
    readdirSync(`/proc/${pid}/fd`)
      .map((file) => linkOf(`/proc/${pid}/fd/${file}`))
      .filter((link) => link === terminal.path);
  assert.is(heldFiles().length, 1);
  await held.told.running.stop();
  assert.ok(performance.now() - began < 1_000);
  await until(10_000, 'it is closed with its module', () => heldFiles().length === 0);
  const next = await startDeviceModule(host, [grant], `${open} print('open');`, 'next');
  await next.line('open');
  await host.stop();
});

test('serial: a real terminal gets the speed and the frame that were asked for, and is raw', async () => {
  const kernel = await linuxKernel();
  const terminal = await openPseudoTerminal();
  const came: string[] = [];
  const gone: string[] = [];
  const port = openLinuxSerial(
    kernel,
    terminal.path,
    // DMX, MIDI and others have speeds termios never named.
    { baudRate: 31_250, dataBits: 7, parity: 'even', stopBits: 2 },
    {
      data: (bytes) => void came.push(Buffer.from(bytes).toString('latin1')),
      gone: (code) => void gone.push(code),
    },
  );
  const other = kernel.open(terminal.path, 0o400 | 0o2);
  const state = memory(44);
  kernel.ioctl(other, TCGETS2, state);
  kernel.close(other);
  const view = viewOf(state);
  assert.equal([view.getUint32(36, true), view.getUint32(40, true)], [31_250, 31_250]);
  // A pseudo-terminal has 8 bits and no parity, whatever is asked; the rest is kept.
  assert.is(view.getUint32(8, true) & 0o4100, 0o4100, 'local, two stop bits');
  assert.equal([view.getUint32(4, true), view.getUint32(12, true)], [0, 0], 'raw');
  await port.write(Buffer.from('ask\r\n'));
  assert.is((await terminal.receive(5)).toString(), 'ask\r\n', 'nothing is translated');
  terminal.send('answer\r\n\x03');
  await until(10_000, 'the answer', () => came.join('').length === 9);
  assert.is(came.join(''), 'answer\r\n\x03');
  terminal.unplug();
  await until(10_000, 'it is gone', () => gone.length > 0);
  assert.equal(gone, ['ENODEV']);
});

test('a module speaks over a real terminal, from inside a host’s permissions', async () => {
  const host = await createDeviceHost();
  const terminal = await openPseudoTerminal();
  const secret = await openPseudoTerminal();
  const module = await startDeviceModule(
    host,
    [deviceGrant(terminal.path, { kind: 'serial', target: '/dev/modem' })],
    `const port = await openSerial('/dev/modem', { baudRate: 9600 });
     port.on('data', (bytes) => print('data', bytes));
     port.on('error', (error) => print('gone', error.code, error.message));
     port.on('close', () => print('closed'));
     await port.write('AT\\r');
     print('other', await codeOf(openSerial(${JSON.stringify(secret.path)})));
     print('long', await codeOf(Promise.all(Array.from({ length: 3 }, () => port.write(new Uint8Array(30_000))))));`,
  );
  assert.is((await terminal.receive(3)).toString(), 'AT\r');
  assert.match(await module.line('other'), /EACCES.*granted: \/dev\/modem/);
  terminal.send('OK');
  assert.is(await module.line('data'), 'OK');
  assert.match(await module.line('long'), /EAGAIN.*60000 bytes wait to be sent/);
  terminal.unplug();
  assert.match(await module.line('gone'), /ENODEV.*\/dev\/modem: it is not there any more/);
  await module.line('closed');
  await host.stop();
});

test('serial: the kernel’s port keeps the contract', async () => {
  const host = await createDeviceHost();
  const terminal = await openPseudoTerminal();
  const stopEcho = terminal.echo();
  await serialContract(host, deviceGrant(terminal.path, { kind: 'serial' }));
  stopEcho();
  await host.stop();
});

test('what is no such device is refused at the start, with what it is', async () => {
  const host = await createDeviceHost();
  const grants = [deviceGrant('/dev/null', { kind: 'i2c' }), deviceGrant('/dev/i2c-99')];
  const module = await startDeviceModule(host, grants, '');
  const { cause, reason } = await endOf(module.told);
  assert.is(cause, 'refused');
  assert.match(reason, /\/dev\/null is no I2C bus, the kernel calls it mem: correct the path/);
  assert.match(reason, /\/dev\/i2c-99 is not on this device/);
  await host.stop();
});

/** Those this machine has, one of a kind. */
const real = ['/dev/i2c-*', '/dev/spidev*', '/dev/gpiochip*'].map((pattern) => ({
  pattern,
  path: globSync(pattern)[0],
}));

for (const { pattern, path } of real) {
  test(`a real device answers: ${pattern}`, async () => {
    if (path === undefined) {
      console.log(`skipped: needs ${pattern}`);
      return;
    }
    const host = await createDeviceHost();
    const how: Readonly<Record<string, string>> = {
      i2c: `print('told', await codeOf((await openI2c(path)).read(0x7f, 1)))`,
      spi: `print('told', (await (await openSpi(path)).transfer([0])).length)`,
      gpio: `const line = await (await openGpio(path)).input(0).catch((error) => ({ read: () => error.code })); print('told', await line.read())`,
    };
    const grant = deviceGrant(path);
    const source = `const path = ${JSON.stringify(path)}; ${how[grant.kind ?? '']};`;
    const module = await startDeviceModule(host, [grant], source);
    assert.match(await module.line('told'), /^(ENXIO|EIO|ETIMEDOUT|fine|[01]|EBUSY)/);
    await host.stop();
  });
}

test.run();
