/** Can this machine run an isolate at all? */
import ivm from 'isolated-vm';

/** Throws when it cannot. Node must have been started with `--no-node-snapshot`. */
export function tryIsolate(): void {
  const isolate = new ivm.Isolate({ memoryLimit: 8 });
  try {
    const context = isolate.createContextSync();
    if (context.evalSync('6 * 7') !== 42) throw new Error('an isolate cannot calculate');
  } finally {
    isolate.dispose();
  }
}
