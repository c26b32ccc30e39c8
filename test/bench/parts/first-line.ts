/** From the start of a process to the first it writes. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

const LIMIT_MS = 10_000;

/** Milliseconds to the first line. The process is ended and awaited before this resolves. */
export async function firstLineMs(program: string, argv: readonly string[]): Promise<number> {
  const began = performance.now();
  const child = spawn(program, argv, {
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: LIMIT_MS,
    killSignal: 'SIGKILL',
  });
  const closed = once(child, 'close');
  const said = await Promise.race([once(child.stdout, 'data').then(() => true), closed]);
  const tookMs = performance.now() - began;
  child.kill();
  await closed;
  if (said !== true) throw new Error(`${program} ${argv.join(' ')} ended without a word`);
  return tookMs;
}
