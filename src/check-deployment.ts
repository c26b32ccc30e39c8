/** The three sides of every module of a deployment, with the parsers the device itself uses. */
import { join } from 'node:path';
import { lookAtBundle } from './artifacts/look-at-bundle.ts';
import { moduleText } from './check/module-text.ts';
import { type Config, readConfig } from './config.ts';
import type { Json } from './core/json.ts';
import { checkModule, type ModuleCheck, readDeployment } from './core/module-check.ts';
import { noPolicy } from './core/policy.ts';

export type CheckResult = {
  readonly ok: boolean;
  readonly text: string;
  readonly json: unknown;
};

/** As isolet.module.heap_mb. */
const MEMORY_DEFAULT_MB = 32;

/** @param configFile undefined = no device is known. Throws CONFIG_INVALID. */
export async function checkDeployment(
  manifest: unknown,
  configFile: string | undefined,
): Promise<CheckResult> {
  const config: Config | undefined = configFile === undefined ? undefined : readConfig(configFile);
  const policy = config?.policy ?? noPolicy;
  const memoryMb = config?.module.heapMb ?? MEMORY_DEFAULT_MB;
  const bundles = config === undefined ? undefined : join(config.dataDir, 'bundles');
  const { problems, modules: specs } = readDeployment(manifest as Json);
  const modules: ModuleCheck[] = [];
  for (const spec of specs) {
    modules.push(checkModule(spec, await lookAtBundle(spec.image, bundles), policy, memoryMb));
  }
  const wrong = problems.length + modules.filter((one) => one.problems.length > 0).length;
  const device =
    configFile === undefined
      ? 'The policy of the device is not known: name its config with --config.'
      : `The policy is that of ${configFile}.`;
  const verdict =
    wrong === 0 ? 'Nothing is wrong.' : 'Something is wrong: see the lines with "fail".';
  return {
    ok: wrong === 0,
    json: { ok: wrong === 0, config: configFile ?? null, problems, modules },
    text: [
      problems.map((problem) => `fail  ${problem}\n`).join(''),
      ...modules.map(moduleText),
      `${device} ${verdict}\n`,
    ]
      .filter((part) => part !== '')
      .join('\n'),
  };
}
