/** Runs a module's code in its isolate: an ES module, or a classic script when its first line says so. */
import type ivm from 'isolated-vm';
import { SCRIPT_MARK } from '../core/guest-protocol.ts';

/** Resolves when it has run to its first wait. Rejects with what it throws. */
export async function runCode(
  isolate: ivm.Isolate,
  context: ivm.Context,
  code: string,
  filename: string,
  limit: ivm.RunOptions,
): Promise<void> {
  if (code.startsWith(SCRIPT_MARK)) {
    const script = await isolate.compileScript(code, { filename });
    await script.run(context, limit);
    script.release();
    return;
  }
  const module = await isolate.compileModule(code, { filename });
  await module.instantiate(context, refuseImport);
  await module.evaluate(limit);
  module.release();
}

function refuseImport(name: string): never {
  const error = new Error(
    `The bundle imports "${name}", but a bundle is one file: bundle it with its imports.`,
  );
  // Its stack would show the inside of the host.
  error.stack = `Error: ${error.message}`;
  throw error;
}
