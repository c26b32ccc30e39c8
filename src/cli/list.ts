/** `isolet list`: the modules and how they are. */
import type { ModuleSummary } from '../core/summaries.ts';
import { apiOptions, ask, socketOf } from './api-client.ts';
import type { Command } from './command.ts';
import { table } from './table.ts';

export const list: Command = {
  name: 'list',
  words: '',
  wordsMin: 0,
  wordsMax: 0,
  summary: 'the modules of this device and how they are',
  options: apiOptions,
  async run(args) {
    const modules = await ask<readonly ModuleSummary[]>(socketOf(args), '/modules');
    if (args.flag('json')) {
      process.stdout.write(`${JSON.stringify(modules)}\n`);
      return 0;
    }
    const rows = modules.map((module) => [
      module.name,
      module.status,
      module.version,
      String(module.restartCount),
      module.restartReason ?? '',
      module.heapBytes === null ? '' : `${(module.heapBytes / 1_048_576).toFixed(1)} MB`,
      `${(module.totals.cpuMs / 1_000).toFixed(1)} s`,
      module.description,
    ]);
    process.stdout.write(
      modules.length === 0
        ? 'No modules are deployed.\n'
        : table(
            ['NAME', 'STATUS', 'VERSION', 'RESTARTS', 'REASON', 'HEAP', 'CPU', 'DESCRIPTION'],
            rows,
          ),
    );
    return 0;
  },
};
