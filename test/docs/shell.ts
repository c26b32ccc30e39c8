/** Commands of a document, in a shell as its reader has it, and whether they print what stands there. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';

export type Shell = {
  /** All it has printed, errors too. */
  out(): string;
  type(text: string): void;
  readonly ended: Promise<void>;
  /** Ends it, and all it has started. */
  stop(): void;
};

export function startShell(commands: string, cwd: string): Shell {
  // A group of its own, so that what it has started ends with it.
  const child: ChildProcess = spawn('bash', ['-c', commands], {
    cwd,
    detached: true,
    env: { ...process.env, PATH: `${join(process.execPath, '..')}:${process.env['PATH']}` },
    // Left open: some read commands there until they are told to stop.
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let text = '';
  child.stdout?.on('data', (chunk: Buffer) => (text += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  return {
    out: () => text,
    type: (typed) => void child.stdin?.write(typed),
    ended,
    stop(): void {
      child.stdin?.destroy();
      try {
        process.kill(-(child.pid as number), 'SIGTERM');
      } catch {
        // It has ended.
      }
    },
  };
}

/** `…` stands for anything, and so do the digits of a time. */
export function looksLike(out: string, printed: string): boolean {
  const pattern = printed
    .trim()
    .split('…')
    .map((part) =>
      part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&').replace(/\d\d:\d\d:\d\d\\\.\d{3}/, '[\\d:.]{12}'),
    )
    .join('.*');
  return new RegExp(`^${pattern}$`, 's').test(out.trim());
}
