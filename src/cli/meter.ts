/** `isolet meter`: what a module used, hour by hour. */
import type { UseHistory } from '../core/summaries.ts';
import { apiOptions, ask, socketOf } from './api-client.ts';
import type { Command } from './command.ts';
import { table } from './table.ts';

const MB = 1_048_576;

export const meter: Command = {
  name: 'meter',
  words: 'MODULE',
  wordsMin: 1,
  wordsMax: 1,
  summary: 'what a module used, hour by hour: a week at most',
  options: {
    ...apiOptions,
    hours: { type: 'string', short: 'n', value: 'N', help: 'the last N hours (default 24)' },
  },
  async run(args) {
    const path = `/modules/${encodeURIComponent(args.words[0] as string)}/meter`;
    const history = await ask<UseHistory>(socketOf(args), path);
    const hours = history.hours.slice(-Math.max(1, args.count('hours', 24)));
    if (args.flag('json')) {
      process.stdout.write(`${JSON.stringify({ ...history, hours })}\n`);
      return 0;
    }
    const { totals } = history;
    const rows = [
      ...hours.map((hour) => row(hour.from.slice(0, 16), hour, mb(hour.heapBytesMax))),
      row(`since ${totals.since.slice(0, 10)}`, totals, ''),
    ];
    process.stdout.write(
      table(['HOUR (UTC)', 'CPU', 'WAITED', 'HEAP', 'IN', 'OUT', 'MB OUT', 'STARTS'], rows),
    );
    return 0;
  },
};

function row(
  when: string,
  use: Omit<UseHistory['totals'], 'since' | 'endings'>,
  heap: string,
): readonly string[] {
  return [
    when,
    seconds(use.cpuMs),
    seconds(use.cpuWaitMs + use.messageWaitMs),
    heap,
    String(use.messagesIn),
    String(use.messagesOut),
    (use.bytesOut / MB).toFixed(1),
    String(use.starts),
  ];
}

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;
const mb = (bytes: number): string => `${(bytes / MB).toFixed(1)} MB`;
