/** What every serial port does, the kernel's and the simulated: here both send back what they are sent. */
import * as assert from 'uvu/assert';
import type { DeviceGrant } from '../../src/core/device-grant.ts';
import type { ModuleHost } from '../../src/core/ports.ts';
import { startDeviceModule } from '../host/device-module.ts';

/** `grant` leads to a port that echoes. */
export async function serialContract(host: ModuleHost, grant: DeviceGrant): Promise<void> {
  const module = await startDeviceModule(
    host,
    [grant],
    `const path = ${JSON.stringify(grant.target)};
     const port = await openSerial(path, { baudRate: 57_600 });
     let came = '';
     port.on('data', (bytes) => { came += bytes.toString('latin1'); });
     const until = async (length) => { while (came.length < length) await new Promise((next) => setTimeout(next, 5)); };
     await port.write('text\\r\\n');
     await port.write([0, 3, 17, 26, 127, 255]);
     await until(12);
     print('exactly', JSON.stringify(came));
     came = '';
     for (let i = 0; i < 8; i++) { await port.write(new Uint8Array(3_000).fill(i)); await until(3_000 * (i + 1)); }
     print('much', came.length, new Set(came).size);
     print('nothing', await codeOf(port.write([])));
     print('speed', await codeOf(openSerial(path, { baudRate: 1 })));
     print('bits', await codeOf(openSerial(path, { dataBits: 9 })));
     print('parity', await codeOf(openSerial(path, { parity: 'mark' })));
     print('what', await codeOf(port.write(5)));
     await port.close();
     print('closed', await codeOf(port.write([1])));
     const again = await openSerial(path);
     again.on('data', (bytes) => print('again', bytes));
     await again.write('x');`,
    'serial contract',
  );
  assert.is(await module.line('again'), 'x');
  assert.is(JSON.parse(await module.line('exactly')), 'text\r\n\x00\x03\x11\x1a\x7f\xff');
  assert.is(await module.line('much'), '24000 8');
  assert.is(await module.line('nothing'), 'fine');
  assert.match(await module.line('speed'), /EINVAL.*"baudRate" must be a whole number from 50/);
  assert.match(await module.line('bits'), /EINVAL.*"dataBits"/);
  assert.match(await module.line('parity'), /EINVAL.*"parity" must be one of none, even, odd/);
  assert.match(await module.line('what'), /ERR_INVALID_ARG_TYPE/);
  assert.match(await module.line('closed'), /EBADF/);
  await module.told.running.stop();
}
