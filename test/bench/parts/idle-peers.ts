/** Who waits beside our modules: Node processes and worker threads of the same few lines. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { diskFolder } from './disk.ts';
import { type SpeakingProcess, startSpeaking } from './speaking-process.ts';

/** JavaScript: Node's reading of TypeScript alone takes 17 MB. */
const IDLE = `
import { isMainThread, Worker } from 'node:worker_threads';
setInterval(() => {}, 1e6);
const threads = isMainThread ? Number(process.argv[2]) : 0;
for (let left = threads; left > 0; left--) new Worker(new URL(import.meta.url));
console.log('waits');
`;

export interface IdlePeers {
  readonly pids: readonly number[];
  kill(): Promise<void>;
}

const file = join(diskFolder('idle'), 'idle.mjs');
writeFileSync(file, IDLE);

/** One process; it is there when it says `waits`. */
export function startIdleProcess(node = process.execPath): SpeakingProcess {
  return startSpeaking(node, [file, '0']);
}

export async function startIdleProcesses(count: number, node: string): Promise<IdlePeers> {
  const all = Array.from({ length: count }, () => startIdleProcess(node));
  await Promise.all(all.map((one) => one.said('waits', 1)));
  return {
    pids: all.map(({ pid }) => pid),
    async kill() {
      await Promise.all(all.map((one) => one.kill()));
    },
  };
}

/** One process with so many threads. */
export async function startIdleThreads(count: number, node: string): Promise<IdlePeers> {
  const one = startSpeaking(node, [file, String(count)]);
  await one.said('waits', 1 + count);
  return { pids: [one.pid], kill: one.kill };
}
