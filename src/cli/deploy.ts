/** `isolet deploy --dry-run`: what a deployment would do to this device. */
import { Fault } from '../core/fault.ts';
import type { Rehearsal } from '../core/rehearsal.ts';
import { printable } from '../lib/printable.ts';
import { table } from '../lib/table.ts';
import { apiOptions, ask, socketOf } from './api-client.ts';
import { jsonArgument } from './cloud/json-argument.ts';
import type { Command } from './command.ts';

type Answer = Rehearsal & { readonly problems: readonly string[] };

export const deploy: Command = {
  name: 'deploy',
  words: 'MANIFEST.json',
  wordsMin: 1,
  wordsMax: 1,
  summary: `show what a deployment would do to this device, step by step; nothing is done

MANIFEST.json is what "isolet cloud set-modules" and "az iot edge set-modules" take, or the desired
properties of $edgeAgent. The exit code is 1 when something is wrong with it.`,
  options: {
    'dry-run': { type: 'boolean', help: 'only show the plan' },
    ...apiOptions,
  },
  async run(args) {
    const file = args.words[0] as string;
    if (!args.flag('dry-run')) {
      throw new Fault(
        'CONFIG_INVALID',
        `a device takes its deployment from its hub: "isolet cloud set-modules --device-id DEVICE --content ${file}" sends it there; --dry-run shows here what it would do`,
      );
    }
    const manifest = JSON.stringify(jsonArgument('MANIFEST', file));
    const answer = await ask<Answer>(socketOf(args), '/rehearsal', 'POST', manifest);
    const text = args.flag('json') ? `${JSON.stringify(answer)}\n` : printable(textOf(answer));
    process.stdout.write(text);
    return answer.problems.length === 0 ? 0 : 1;
  },
};

function textOf({ problems, steps, untouched }: Answer): string {
  const rows = [
    ...steps.map(({ kind, module, why }, at) => [`${at + 1}`, kind, module, why]),
    ...untouched.map(({ module, why }) => ['', '-', module, why]),
  ];
  const wrong = problems.map((problem) => `fail  ${problem}\n`).join('');
  if (rows.length > 0) return wrong + table(['', 'STEP', 'MODULE', 'WHY'], rows);
  return problems.length > 0
    ? `${wrong}The deployment would be refused as a whole, and change nothing.\n`
    : 'There is nothing to do: no modules are deployed, and none are asked for.\n';
}
