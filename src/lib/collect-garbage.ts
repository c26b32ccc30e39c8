/** V8 collects while a heap grows: what a start needed would stay for as long as little happens after it. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Collects this thread's heap and gives back what it does not need. Blocks it for some tens of ms. */
export function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as (how: object) => void;
  setFlagsFromString('--no-expose-gc');
  collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}

/** By now modules have started, and what that needed is needed no more: 5 MB of a supervisor. */
const SETTLED_MS = 10_000;

/** Collects once, when this program's start is over. */
export function collectWhenSettled(): void {
  setTimeout(collectGarbage, SETTLED_MS).unref();
}
