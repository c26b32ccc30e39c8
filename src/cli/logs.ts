/** `isolet logs`: what a module printed. */
import { fieldsText } from '../core/fields-text.ts';
import type { LogLine } from '../core/summaries.ts';
import { printable } from '../lib/printable.ts';
import { apiOptions, listen, socketOf } from './api-client.ts';
import type { Command } from './command.ts';

export const logs: Command = {
  name: 'logs',
  words: 'MODULE',
  wordsMin: 1,
  wordsMax: 1,
  summary: 'what a module printed: the last lines, and with --follow each new one',
  options: {
    ...apiOptions,
    tail: { type: 'string', short: 'n', value: 'N', help: 'lines to begin with (default 100)' },
    follow: { type: 'boolean', short: 'f', help: 'go on with each new line until Ctrl-C' },
  },
  async run(args) {
    const query = new URLSearchParams({ tail: String(args.count('tail', 100)) });
    if (args.flag('follow')) query.set('follow', 'true');
    const path = `/modules/${encodeURIComponent(args.words[0] as string)}/logs?${query.toString()}`;
    const json = args.flag('json');
    await listen(socketOf(args), path, (text) => {
      if (json) {
        process.stdout.write(`${text}\n`);
        return;
      }
      const line = JSON.parse(text) as LogLine;
      const time = new Date(line.atMs).toISOString().slice(11, 23);
      const level = line.level === 'info' ? '' : ` ${line.level}`;
      process.stdout.write(`${time}${level} ${printable(line.text + fieldsText(line.fields))}\n`);
    });
    return 0;
  },
};
