/** `isolet logs`: what a module, or the runtime itself, said. */
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
  summary: `what a module printed: the last lines, and with --follow each new one

MODULE may be edgeAgent or edgeHub, too: what the runtime itself says of modules and deployments, and of
messages, twins and the hub. Lines stay over restarts, as much as isolet.logs in the config says.`,
  options: {
    ...apiOptions,
    tail: {
      type: 'string',
      short: 'n',
      value: 'N',
      help: 'lines to begin with, or all (default 100)',
    },
    since: {
      type: 'string',
      value: 'TIME',
      help: '2026-01-31T12:00:00Z, Unix seconds, or "2h 30m" ago',
    },
    until: { type: 'string', value: 'TIME', help: 'likewise' },
    follow: { type: 'boolean', short: 'f', help: 'go on with each new line until Ctrl-C' },
  },
  async run(args) {
    const query = new URLSearchParams();
    if (args.text('tail') !== 'all') query.set('tail', String(args.count('tail', 100)));
    for (const name of ['since', 'until']) {
      const given = args.text(name);
      if (given !== undefined) query.set(name, given);
    }
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
