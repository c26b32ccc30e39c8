/** `isolet restart`: a module begins anew. */
import { apiOptions, ask, socketOf } from './api-client.ts';
import type { Command } from './command.ts';

export const restart: Command = {
  name: 'restart',
  words: 'MODULE',
  wordsMin: 1,
  wordsMax: 1,
  summary: `end a module and start it again, at once; that is not counted as a failure

MODULE may be edgeAgent, too: the runtime itself ends in order and begins anew.`,
  options: { socket: apiOptions['socket'] as (typeof apiOptions)[string] },
  async run(args) {
    const path = `/modules/${encodeURIComponent(args.words[0] as string)}/restart`;
    await ask(socketOf(args), path, 'POST');
    return 0;
  },
};
