/** One start of the real supervisor's program on a data folder. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { start } from '../../e2e/programs.ts';
import { until } from '../../fakes/within.ts';
import { atExit } from './at-exit.ts';
import { peakRssMb, pssMb } from './memory.ts';

const START_LIMIT_MS = 60_000;
const DRAIN_LIMIT_MS = 300_000;
/** Until what the start needed has been let go. */
const CALM_MS = 3_000;

export type Seen = { readonly number: number; readonly count: number; readonly outOfOrder: number };

export interface BacklogRun {
  /** From the process's start to the sink's word of its first message. */
  firstMs(): Promise<number>;
  /** What the sink had seen when the message of this number or a later one came. */
  seen(number: number): Promise<Seen>;
  /** PSS once the start is over, MB. */
  calmMb(): Promise<number>;
  peakMb(): number;
  /** At once, as in a power cut. */
  kill(): Promise<void>;
}

export function startBacklogRun(dataDir: string): BacklogRun {
  const startedAt = performance.now();
  const { child, lines, ended, errors } = start('supervisor', [
    '--config',
    join(dataDir, 'config.toml'),
  ]);
  const pid = child.pid as number;
  atExit(() => child.kill('SIGKILL'));

  /** The first line of the log so far that holds this, and whose rest is as wanted. */
  async function find(
    limitMs: number,
    pattern: RegExp,
    wanted: (text: string) => boolean = () => true,
  ): Promise<string> {
    return until(limitMs, `${pattern} in the log (${errors()})`, () => {
      for (const line of lines) {
        const { message } = JSON.parse(line) as { message: string };
        const text = pattern.exec(message)?.[1];
        if (text !== undefined && wanted(text)) return text;
      }
      return undefined;
    });
  }

  return {
    async firstMs() {
      await find(START_LIMIT_MS, /^first (\d+)/);
      return performance.now() - startedAt;
    },
    async seen(number) {
      const parse = (text: string): Seen => JSON.parse(text) as Seen;
      return parse(await find(DRAIN_LIMIT_MS, /^at (.*)/, (text) => parse(text).number >= number));
    },
    async calmMb() {
      await find(START_LIMIT_MS, /^isolet (runs)/);
      await sleep(CALM_MS);
      return pssMb(pid);
    },
    peakMb: () => peakRssMb(pid),
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
