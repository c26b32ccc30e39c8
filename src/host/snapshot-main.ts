/**
 * The program that makes a snapshot of the prelude: text on stdin, snapshot on stdout. V8 ends the
 * process when it cannot make one or cannot read it back, so neither is for anybody else's process.
 */
import { text } from 'node:stream/consumers';
import ivm from 'isolated-vm';
import { BOOT_NAME } from '../core/guest-protocol.ts';
import { createPrelude, PRELUDE_FILE } from './prelude-script.ts';
import { makePreludeSnapshot } from './prelude-snapshot.ts';

async function main(): Promise<void> {
  const prelude = await text(process.stdin);
  const snapshot = makePreludeSnapshot(prelude, PRELUDE_FILE).copy();
  await tryOut(prelude, snapshot.slice(0));
  process.stdout.write(new Uint8Array(snapshot));
}

/** What is handed out has started an isolate once. */
async function tryOut(text: string, snapshot: ArrayBuffer): Promise<void> {
  const prelude = createPrelude(text, snapshot);
  const isolate = new ivm.Isolate({ ...prelude.options, memoryLimit: 32 });
  const context = await isolate.createContext();
  await prelude.run(isolate, context);
  const boot = await context.eval(`typeof globalThis[${JSON.stringify(BOOT_NAME)}]`);
  if (boot !== 'function')
    throw new Error(`The prelude left ${String(boot)} as its boot function.`);
  isolate.dispose();
}

// One that fails ends with code 1; a bundled program of ours is CommonJS and cannot wait at its top.
void main();
