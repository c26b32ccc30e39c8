/** `isolet metrics`: what modules measure of their own, as Prometheus reads it. */
import { apiOptions, listen, socketOf } from './api-client.ts';
import type { Command } from './command.ts';

export const metrics: Command = {
  name: 'metrics',
  words: '',
  wordsMin: 0,
  wordsMax: 0,
  summary: "modules' own metrics, in Prometheus's text format",
  options: { socket: apiOptions['socket'] as (typeof apiOptions)[string] },
  async run(args) {
    await listen(socketOf(args), '/metrics', (line) => void process.stdout.write(`${line}\n`));
    return 0;
  },
};
