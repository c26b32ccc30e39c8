/**
 * A V8 startup snapshot for isolates: the prelude in it, compiled and not yet run. With its world built
 * each isolate would hold that twice, for isolated-vm makes a context of its own beside ours.
 */
import ivm from 'isolated-vm';

/** Holds the prelude on the global until it is called. */
const WORLD = '__isoletWorld';

/** In a context from the snapshot: runs the prelude as if it had been evaluated there. */
export const runFromSnapshot = `${WORLD}();delete globalThis.${WORLD}`;

/**
 * Takes some ten ms in which the thread does nothing else, and V8 ends the process if it cannot.
 *
 * @throws what the prelude throws while it loads.
 */
export function makePreludeSnapshot(
  prelude: string,
  filename: string,
): ivm.ExternalCopy<ArrayBuffer> {
  // V8 then compiles every function, and what has been called stays compiled.
  const code = `//# allFunctionsCalledOnLoad\nglobalThis.${WORLD}=function(){${prelude}\n}`;
  return ivm.Isolate.createSnapshot([{ code, filename }], `${WORLD}()`);
}
