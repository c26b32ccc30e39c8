/**
 * A host's one call into the C library, and the end of its right to make any: both before it hears of a module.
 * Only a host with devices keeps the right, for src/host/devices/kernel.ts.
 */
import { takeTrim } from '../lib/trim-malloc.ts';

/** For the command line of a host with devices. */
export const KEEPS_FFI = '--keeps-ffi';

/** Gives what gives freed memory back; does nothing where that cannot be. */
export function takeLastCall(argv: readonly string[]): () => void {
  const trim = takeTrim();
  if (!argv.includes(KEEPS_FFI)) process.permission?.drop('ffi');
  return trim ?? (() => {});
}
