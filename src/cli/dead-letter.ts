/** `isolet dead-letter …`: messages no endpoint could take, and what is to become of them. */
import { Fault } from '../core/fault.ts';
import type { DeadLetterContent, DeadLetterSummary } from '../core/summaries.ts';
import { table } from '../lib/table.ts';
import { apiOptions, ask, socketOf } from './api-client.ts';
import type { Arguments, Command } from './command.ts';

const PATH = '/dead-letters';
const REASON_WIDTH = 60;

const list: Command = {
  name: 'dead-letter list',
  words: '',
  wordsMin: 0,
  wordsMax: 0,
  summary: 'messages that failed too often, oldest first',
  options: {
    ...apiOptions,
    after: { type: 'string', value: 'ID', help: 'only those after this one' },
    limit: { type: 'string', short: 'n', value: 'N', help: 'so many at most (default 100)' },
  },
  async run(args) {
    const query = `?after=${args.count('after', 0)}&limit=${args.count('limit', 100)}`;
    const letters = await ask<readonly DeadLetterSummary[]>(socketOf(args), PATH + query);
    if (args.flag('json')) {
      process.stdout.write(`${JSON.stringify(letters)}\n`);
      return 0;
    }
    const rows = letters.map((letter) => [
      String(letter.id),
      letter.deadAt.slice(0, 19),
      letter.source.replace('/messages/modules/', ''),
      letter.endpoint,
      String(letter.attempts),
      String(letter.bytes),
      firstLine(letter.reason),
    ]);
    process.stdout.write(
      letters.length === 0
        ? 'There are no dead letters.\n'
        : table(['ID', 'SINCE (UTC)', 'FROM', 'TO', 'TRIES', 'BYTES', 'REASON'], rows),
    );
    return 0;
  },
};

const show: Command = {
  name: 'dead-letter show',
  words: 'ID',
  wordsMin: 1,
  wordsMax: 1,
  summary: 'one of them with its message and the whole reason',
  options: apiOptions,
  async run(args) {
    const [id] = idsOf(args);
    const letter = await ask<DeadLetterContent>(socketOf(args), `${PATH}/${id}`);
    process.stdout.write(`${JSON.stringify(letter, null, args.flag('json') ? 0 : 2)}\n`);
    return 0;
  },
};

const allOption = { all: { type: 'boolean', help: 'all of them' } } as const;

const replay: Command = {
  name: 'dead-letter replay',
  words: '[ID…]',
  wordsMin: 0,
  wordsMax: 1_000,
  summary: 'send them to their endpoints again',
  options: { ...apiOptions, ...allOption },
  run: (args) => change(args, 'POST', `${PATH}/replay`, 'sent again'),
};

const empty: Command = {
  name: 'dead-letter empty',
  words: '[ID…]',
  wordsMin: 0,
  wordsMax: 1_000,
  summary: 'throw them away',
  options: { ...apiOptions, ...allOption },
  run: (args) => change(args, 'DELETE', PATH, 'thrown away'),
};

async function change(
  args: Arguments,
  method: string,
  path: string,
  done: string,
): Promise<number> {
  const ids = idsOf(args);
  if ((ids.length === 0) !== args.flag('all')) {
    throw new Fault('CONFIG_INVALID', 'name the letters by their ids, or say --all (one of both)');
  }
  const query = args.flag('all') ? '' : `?ids=${ids.join(',')}`;
  const { count } = await ask<{ count: number }>(socketOf(args), path + query, method);
  if (args.flag('json')) process.stdout.write(`${JSON.stringify({ count })}\n`);
  else process.stdout.write(`${count} ${count === 1 ? 'letter' : 'letters'} ${done}.\n`);
  return count === 0 && ids.length > 0 ? 1 : 0;
}

function idsOf(args: Arguments): readonly string[] {
  const wrong = args.words.filter((word) => !/^[0-9]{1,15}$/.test(word));
  if (wrong.length === 0) return args.words;
  throw new Fault('CONFIG_INVALID', `${wrong.join(', ')} is no id: see "isolet dead-letter list"`);
}

function firstLine(text: string): string {
  const line = text.split('\n')[0] ?? '';
  return line.length > REASON_WIDTH ? `${line.slice(0, REASON_WIDTH)}…` : line;
}

/** `isolet dead-letter <command>`. */
export const deadLetterCommands: readonly Command[] = [list, show, replay, empty];
