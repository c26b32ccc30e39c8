/**
 * `isolate-role.ts bare|platform COUNT`: a process as a module host is, with isolates and nothing else. With COUNT 0 it
 * makes one at each line it is told, to its first line of code, and says how long that took; else it keeps COUNT
 * of them and says `waits`. The difference of both is what the platform adds.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import ivm from 'isolated-vm';
import { BOOT_NAME } from '../../../src/core/guest-protocol.ts';
import { createPrelude, PRELUDE_FILE } from '../../../src/host/prelude-script.ts';
import { makePreludeSnapshot } from '../../../src/host/prelude-snapshot.ts';

const [, , kind, count] = process.argv;
const GAP_MS = 20;
const text = readFileSync(join(import.meta.dirname, '../../../dist/prelude.js'), 'utf8');
const prelude = createPrelude(text, makePreludeSnapshot(text, PRELUDE_FILE).copy());
const facts = JSON.stringify({ treaty: 1, module: 'm', device: 'd', env: {}, lineMax: 1024 });

async function make(): Promise<{ isolate: ivm.Isolate; context: ivm.Context }> {
  const isolate = new ivm.Isolate({
    memoryLimit: 32,
    ...(kind === 'platform' ? prelude.options : {}),
  });
  const context = await isolate.createContext();
  if (kind === 'platform') {
    await prelude.run(isolate, context);
    const boot = await context.global.get(BOOT_NAME, { reference: true });
    const outbox = new ivm.Callback(() => {}, { ignored: true });
    const seed = new ivm.ExternalCopy(new ArrayBuffer(32), { transferOut: true });
    await boot.apply(undefined, [outbox, facts, seed.copyInto()], { result: { reference: true } });
  }
  await context.eval('globalThis.line = "first"');
  return { isolate, context };
}

async function tell(): Promise<void> {
  const began = performance.now();
  const { isolate } = await make();
  const tookMs = performance.now() - began;
  isolate.dispose();
  process.stdout.write(`${JSON.stringify({ tookMs })}\n`);
}

if (count === '0') {
  createInterface({ input: process.stdin }).on('line', () => void tell());
} else {
  const kept: ivm.Isolate[] = [];
  for (let left = Number(count); left > 0; left--) {
    const { isolate, context } = await make();
    kept.push(isolate);
    // As a host does with a module at rest.
    await context.eval("gc({ type: 'major', flavor: 'last-resort' })");
    await sleep(GAP_MS);
  }
  setInterval(() => kept.length, 1e6);
  console.log('waits');
}
