/** Our programs as a person starts them: built into dist/, each in a process of its own. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { programCommand } from '../../src/cli/program-files.ts';

const root = join(import.meta.dirname, '../..');

export function build(): void {
  execFileSync(process.execPath, ['build/dist.ts', '--quiet'], { cwd: root });
}

export const newFolder = (): string => mkdtempSync(join(tmpdir(), 'isolet-e2e-'));

export type Started = {
  readonly child: ChildProcess;
  readonly lines: string[];
  errors(): string;
  readonly ended: Promise<number | null>;
};

/** Node's flags and the environment as `isolet run` gives them. */
export function shippedCommand(program: string): {
  readonly flags: readonly string[];
  readonly env: NodeJS.ProcessEnv;
} {
  if (program !== 'supervisor' && program !== 'emulator') return { flags: [], env: process.env };
  const { argv, env } = programCommand(program);
  return { flags: argv.slice(0, -1), env };
}

const fileOf = (program: string): string =>
  join(root, 'dist', program === 'supervisor' ? 'supervisor.cjs' : `${program}.js`);

/** `program`: a file of dist/ without its ending. */
export function start(program: string, argv: readonly string[]): Started {
  const { flags, env } = shippedCommand(program);
  const child = spawn(process.execPath, [...flags, fileOf(program), ...argv], {
    cwd: root,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: string[] = [];
  let errors = '';
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString();
  });
  const ended = new Promise<number | null>((resolve) => {
    child.on('close', (code) => resolve(code));
  });
  return { child, lines, errors: () => errors, ended };
}
