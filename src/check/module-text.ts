/** A checked module for a person: the sides in columns, and below them what is wrong and what is not given. */
import type { CapabilityRow } from '../core/capability-rows.ts';
import type { ModuleCheck } from '../core/module-check.ts';
import { table } from '../lib/table.ts';

const HEAD = ['capability', 'bundle asks', 'createOptions grant', 'device policy', 'module gets'];

export function moduleText(module: ModuleCheck): string {
  const { name, image, bundle, problems, notes, unhonoured } = module;
  const said = [
    ...problems.map((text) => `fail  ${text}`),
    ...notes.map((text) => `note  ${text}`),
    ...unhonoured.map((field) => `note  ${field} is not honoured`),
  ];
  return [
    `${name}\n`,
    `  image   ${image}\n`,
    `  bundle  ${bundle.sentence}\n`,
    indented(
      table(
        HEAD,
        module.capabilities.flatMap((row) => lines(row, bundle.state === 'here')),
      ),
    ),
    indented(said.map((line) => `${line}\n`).join('')),
  ].join('');
}

/** One line for each entry of the longest column. `known`: the bundle could be looked at. */
function lines(
  { capability, asks, grants, policy, gets }: CapabilityRow,
  known: boolean,
): readonly string[][] {
  const columns = [asks ?? [known ? '(undeclared)' : '?'], grants, policy ?? ['all'], gets].map(
    (texts) => (texts.length === 0 ? ['-'] : texts),
  );
  const count = Math.max(...columns.map(({ length }) => length));
  return Array.from({ length: count }, (_, index) => [
    index === 0 ? capability : '',
    ...columns.map((texts) => texts[index] ?? ''),
  ]);
}

function indented(text: string): string {
  return text.replace(/^(?=.)/gm, '  ');
}
