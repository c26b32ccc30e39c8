/** `worker-role.ts FILE`: a Node process that starts FILE as a worker thread at each line it is told. */
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { Worker } from 'node:worker_threads';

const [, , file] = process.argv;
createInterface({ input: process.stdin })
  .on('line', () => void start())
  .on('close', () => process.exit(0));

/** Says how long it took to the thread's first line, ms. */
async function start(): Promise<void> {
  const began = performance.now();
  const worker = new Worker(String(file), { stdout: true });
  await once(worker.stdout, 'data');
  const tookMs = performance.now() - began;
  await worker.terminate();
  process.stdout.write(`${JSON.stringify({ tookMs })}\n`);
}
