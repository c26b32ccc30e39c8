/** What a bundle asks for beside what the deployment template grants it, as the build prints it. */
import { readAsked } from '../src/core/asked.ts';
import { decide } from '../src/core/capabilities.ts';
import { capabilityRows } from '../src/core/capability-rows.ts';
import type { ModuleSpec } from '../src/core/deployment.ts';
import type { Json, JsonObject } from '../src/core/json.ts';
import { readDeployment } from '../src/core/module-check.ts';
import { noPolicy } from '../src/core/policy.ts';
import { noGrants } from '../src/core/ports.ts';
import { table } from '../src/lib/table.ts';
import { placeholderOf } from './deployment-template.ts';

/** The modules of a template, by the bundle each one's image stands for. What is wrong with it is told elsewhere. */
export function templateModules(template: string): readonly ModuleSpec[] {
  try {
    return readDeployment(JSON.parse(template) as Json).modules;
  } catch {
    return [];
  }
}

/** '' when the bundle asks for nothing. `template` undefined = there is none beside it. */
export function askedText(
  name: string,
  capabilities: JsonObject | undefined,
  template: readonly ModuleSpec[] | undefined,
): string {
  if (capabilities === undefined) return '';
  const asked = readAsked(capabilities, name, []);
  const users = template?.filter(({ image }) => placeholderOf(image) === name) ?? [];
  const specs = users.length > 0 ? users : [undefined];
  return specs
    .map((spec) => {
      const { grants = noGrants, memoryMb } = spec?.settings ?? {};
      const granted = { grants, memoryMb, memoryDefaultMb: 0, at: '' };
      const rows = capabilityRows(asked, granted, noPolicy, decide(asked, granted, noPolicy))
        .filter(({ asks }) => asks !== null && asks.length > 0)
        .flatMap(({ capability, asks, grants: texts }) => {
          const told = capability === 'memory' && memoryMb === undefined ? [] : texts;
          const columns = [asks ?? [], spec === undefined ? [] : told.length > 0 ? told : ['-']];
          const count = Math.max(...columns.map(({ length }) => length));
          return Array.from({ length: count }, (_, index) => [
            index === 0 ? capability : '',
            ...columns.map((column) => column[index] ?? ''),
          ]);
        });
      if (rows.length === 0) return '';
      const grantor = spec === undefined ? '' : `createOptions of ${spec.name} grant`;
      return table(['capability', 'bundle asks', grantor], rows).replace(/^(?=.)/gm, '  ');
    })
    .join('');
}
