/** Runs one of our own programs in this terminal: its output is ours, our signals are its. */
import { spawn } from 'node:child_process';
import { type Program, programCommand } from './program-files.ts';

/** Resolves with the program's exit code. */
export function runProgram(program: Program, argv: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, [...programCommand(program), ...argv], {
    stdio: 'inherit',
  });
  // The terminal sends Ctrl-C to both of us; waiting here lets the child end in order.
  const forward = (signal: NodeJS.Signals): void => void child.kill(signal);
  process.on('SIGTERM', forward);
  process.on('SIGINT', () => {});
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code, signal) => resolve(code ?? (signal === 'SIGINT' ? 130 : 1)));
  });
}
