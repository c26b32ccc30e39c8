/** `isolet kept`: what modules keep, and how it is removed once they are gone. */
import type { KeptSummary } from '../core/summaries.ts';
import { printable } from '../lib/printable.ts';
import { table } from '../lib/table.ts';
import { apiOptions, ask, socketOf } from './api-client.ts';
import type { Command } from './command.ts';

const MB = 1_048_576;

export const kept: Command = {
  name: 'kept',
  words: '',
  wordsMin: 0,
  wordsMax: 0,
  summary: `what modules keep by key and in blobs; it stays when a module leaves the deployment

Without an option it lists each module that keeps anything.`,
  options: {
    ...apiOptions,
    delete: {
      type: 'string',
      value: 'MODULE',
      help: 'remove all that a module keeps which has left the deployment',
    },
  },
  async run(args) {
    const module = args.text('delete');
    if (module !== undefined) {
      await ask(socketOf(args), `/kept/${encodeURIComponent(module)}`, 'DELETE');
      return 0;
    }
    const all = await ask<readonly KeptSummary[]>(socketOf(args), '/kept');
    if (args.flag('json')) {
      process.stdout.write(`${JSON.stringify(all)}\n`);
      return 0;
    }
    const rows = all.map((one) => [
      printable(one.module),
      one.deployed ? 'yes' : 'no',
      String(one.keys),
      mb(one.keyBytes),
      String(one.blobs),
      mb(one.blobBytes),
    ]);
    process.stdout.write(table(['MODULE', 'DEPLOYED', 'KEYS', 'SIZE', 'BLOBS', 'SIZE'], rows));
    return 0;
  },
};

const mb = (bytes: number): string => `${(bytes / MB).toFixed(1)} MB`;
