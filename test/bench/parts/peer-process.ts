/** A Node process of the peer's: JSON lines in, JSON lines out. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { atExit } from './at-exit.ts';

export interface PeerProcess {
  tell(order: object): void;
  /** The next line it says. */
  next(): Promise<object>;
  stop(): Promise<void>;
}

/** `program`: a file beside this one; `flags`: of Node. */
export function startPeerProcess(
  program: string,
  argv: readonly string[],
  flags: readonly string[] = [],
): PeerProcess {
  const child = spawn(process.execPath, [...flags, join(import.meta.dirname, program), ...argv], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  atExit(() => child.kill('SIGKILL'));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    tell: (order) => void child.stdin.write(`${JSON.stringify(order)}\n`),
    async next() {
      const { value, done } = await lines.next();
      if (done === true) throw new Error(`${program} ${argv.join(' ')} ended too early`);
      return JSON.parse(value) as object;
    },
    async stop() {
      if (child.exitCode !== null) return;
      const ended = once(child, 'exit');
      child.stdin.end();
      await ended;
    },
  };
}
