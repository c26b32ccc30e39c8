/** The store's thread on a card whose every commit takes 300 ms longer. */
import { parentPort } from 'node:worker_threads';
import type { WorkerMessage } from '../../../src/store/store-protocol.ts';

const SLOWER_MS = 300;
const port = parentPort as NonNullable<typeof parentPort>;
const post = port.postMessage.bind(port);
const never = new Int32Array(new SharedArrayBuffer(4));

// The thread commits, then says so: held here it blocks just as it would in fsync.
port.postMessage = (message: WorkerMessage): void => {
  if (isCommit(message)) Atomics.wait(never, 0, 0, SLOWER_MS);
  post(message);
};
await import(new URL('../../../dist/store-worker.cjs', import.meta.url).href);

/** Loads and reads answer with a value, commits without. */
function isCommit(message: WorkerMessage): boolean {
  return (
    message.kind === 'answers' &&
    message.answers.some((answer) => 'value' in answer && answer.value === undefined)
  );
}
