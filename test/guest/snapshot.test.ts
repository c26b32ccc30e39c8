/** The prelude loads without a host, so that a V8 snapshot can hold it; the boot works from there. */
import ivm from 'isolated-vm';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { buildPrelude } from '../../build/guest.ts';
import { BOOT_NAME } from '../../src/core/guest-protocol.ts';

const test = suite('snapshot');

test('an isolate from a snapshot of the prelude boots', async () => {
  const snapshot = ivm.Isolate.createSnapshot([{ code: await buildPrelude() }]);
  const isolate = new ivm.Isolate({ memoryLimit: 32, snapshot });
  try {
    const context = await isolate.createContext();
    const boot = await context.global.get(BOOT_NAME, { reference: true });
    const outbox = new ivm.Callback(() => {}, { ignored: true });
    const facts = JSON.stringify({ treaty: 1, module: 'm', device: 'd', env: {} });
    await boot.apply(undefined, [outbox, facts], { result: { reference: true } });
    const world = await context.eval(
      `[typeof ${BOOT_NAME}, typeof WebAssembly, typeof SharedArrayBuffer, typeof setTimeout, Buffer.from('ä').toString('hex')].join()`,
    );
    assert.is(world, 'undefined,undefined,undefined,function,c3a4');
  } finally {
    isolate.dispose();
  }
});

test.run();
