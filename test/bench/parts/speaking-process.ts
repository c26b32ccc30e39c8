/** A process of which only counts how often it has said something. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { within } from '../../fakes/within.ts';
import { atExit } from './at-exit.ts';

const LIMIT_MS = 60_000;

export interface SpeakingProcess {
  readonly pid: number;
  /** Resolves, at once and not at a look every few ms, when so many of its lines held this. */
  said(text: string, times: number): Promise<void>;
  /** SIGKILL; resolves when it has ended. */
  kill(): Promise<void>;
}

export function startSpeaking(
  program: string,
  argv: readonly string[],
  env = process.env,
): SpeakingProcess {
  const child = spawn(program, argv, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  atExit(() => child.kill('SIGKILL'));
  const exited = once(child, 'exit');
  const lines: string[] = [];
  let heard: () => void = () => {};
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line);
    heard();
  });
  return {
    pid: child.pid as number,
    said(text, times) {
      const enough = new Promise<void>((resolve) => {
        heard = () => {
          if (lines.filter((line) => line.includes(text)).length >= times) resolve();
        };
        heard();
      });
      return within(LIMIT_MS, `"${text}" ${times} times`, enough);
    },
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}
