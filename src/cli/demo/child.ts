/** A program of ours as the demo's child: out of the terminal's reach, ended with the demo. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { type Program, programCommand } from '../program-files.ts';

export type Child = {
  readonly pid: number;
  /** Asks it to end, then insists; resolves when it is gone. */
  stop(): Promise<void>;
  /** Resolves with its exit code (null when killed) and what it wrote to stderr. */
  readonly ended: Promise<{ readonly code: number | null; readonly errors: string }>;
};

const STOP_MS = 15_000;
const ERRORS_LENGTH_MAX = 4_000;

/**
 * Starts it in a process group of its own, so that Ctrl-C reaches the demo alone and the order of
 * ending is the demo's. Its stdin is our pipe: it ends when we are gone, however we went.
 */
export function startChild(
  program: Program,
  argv: readonly string[],
  line: (text: string) => void,
): Child {
  const command = programCommand(program);
  const child: ChildProcess = spawn(
    process.execPath,
    [...command.argv, ...argv, '--until-stdin-ends'],
    { env: command.env, stdio: ['pipe', 'pipe', 'pipe'], detached: true },
  );
  let errors = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    errors = (errors + chunk.toString()).slice(-ERRORS_LENGTH_MAX);
  });
  child.stdin?.on('error', () => {}); // It went first.
  if (child.stdout !== null) createInterface({ input: child.stdout }).on('line', line);
  const ended = new Promise<{ code: number | null; errors: string }>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, errors: errors.trim() }));
  });
  return {
    pid: child.pid ?? 0,
    ended,
    async stop() {
      child.kill('SIGTERM');
      const insist = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
      await ended;
      clearTimeout(insist);
    },
  };
}
