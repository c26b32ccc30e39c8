/** V8 collects while a heap grows: what a start needed would stay for as long as little happens after it. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Collects this thread's heap and gives back what it does not need. With the flags our programs run with that is
 * compiled code, too: what ran only at the start goes for good, the rest is compiled again when it is next
 * called. Blocks the thread for some tens of ms.
 */
export function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as (how: object) => void;
  setFlagsFromString('--no-expose-gc');
  collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}

/** By now modules have started, and what that needed is needed no more: 9 MB of a supervisor. */
const SETTLED_MS = 10_000;
/** V8 frees array buffers in a thread of its own; this is ample. */
const FREED_MS = 1_000;

/** Collects once, when this program's start is over, and then gives back by `trim` (trim-malloc.ts). */
export function collectWhenSettled(trim: () => void): void {
  setTimeout(() => {
    collectGarbage();
    setTimeout(trim, FREED_MS).unref();
  }, SETTLED_MS).unref();
}
