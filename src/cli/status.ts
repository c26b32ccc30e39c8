/** `isolet status`: how the device is, on one page. */
import type { RuntimeSummary } from '../core/summaries.ts';
import { apiOptions, ask, socketOf } from './api-client.ts';
import type { Command } from './command.ts';

export const status: Command = {
  name: 'status',
  words: '',
  wordsMin: 0,
  wordsMax: 0,
  summary: 'how this device is: connection, deployment, messages waiting, refused, failed',
  options: apiOptions,
  async run(args) {
    const summary = await ask<RuntimeSummary>(socketOf(args), '/status');
    const text = args.flag('json') ? JSON.stringify(summary) : describe(summary);
    process.stdout.write(`${text}\n`);
    return 0;
  },
};

const KB = 1_024;
const MB = KB * KB;

function describe({
  device,
  version,
  connected,
  deployment,
  messages,
  twinsPending,
}: RuntimeSummary): string {
  const what = deployment.version === null ? 'none yet' : `version ${deployment.version}`;
  const why = deployment.description === '' ? '' : `, ${deployment.description}`;
  const rows: readonly (readonly [string, string])[] = [
    [
      'device',
      `${device}, Isolet ${version}, ${connected ? 'connected to the hub' : 'no connection to the hub'}`,
    ],
    ['deployment', `${what} (${deployment.code}${why})`],
    [
      'messages',
      `${messages.accepted} accepted, ${messages.delivered} delivered, ${messages.written} of them written`,
    ],
    [
      'waiting',
      `${messages.waiting} (${size(messages.waitingBytes)}), ${messages.waitingUpstream} of them for the hub`,
    ],
    [
      'not taken',
      `${messages.refused} refused for want of room, ${messages.tooLarge} too large, ${messages.noRoute} without a route`,
    ],
    ['expired', String(messages.expired)],
    [
      'dead letters',
      `${messages.deadLetters}${messages.deadLetters === 0 ? '' : ': see "isolet dead-letter list"'}${messages.deadLettersDropped === 0 ? '' : `, ${messages.deadLettersDropped} had to go`}`,
    ],
    ['twins', twinsPending === 0 ? 'all reported' : `${twinsPending} wait to be reported`],
  ];
  return rows.map(([name, value]) => `${name.padEnd(14)}${value}`).join('\n');
}

function size(bytes: number): string {
  if (bytes < KB) return `${bytes} bytes`;
  return bytes < MB ? `${(bytes / KB).toFixed(1)} KB` : `${(bytes / MB).toFixed(1)} MB`;
}
