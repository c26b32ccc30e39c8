/** What became of the last deployment, as `lastDesiredStatus` tells it (spec/iotedge.md §2). */
import type { Deployment, DesiredStatus } from './deployment.ts';
import type { Observation } from './plan.ts';

const FAILED = 500;

/**
 * @param read what reading it said. A deployment that could be read and yet not be carried out whole is IoT
 * Edge's 500, with what is amiss, module by module; 200 may carry notices.
 */
export function deploymentStatus(
  read: DesiredStatus,
  deployment: Deployment | undefined,
  observed: Observation,
): DesiredStatus {
  if (read.code !== 200 || deployment === undefined) return read;
  const amiss = [...deployment.modules.values()].flatMap((spec) => {
    const { name, status, image, settings, rolledBack } = spec;
    const bundle = observed.bundles.get(image);
    const failed = observed.modules.get(name)?.failedSuccessor;
    const at = `modules.${name}`;
    if (status === 'stopped') return [];
    if (rolledBack !== undefined) {
      const { version, reason } = rolledBack;
      const label = version === '' ? 'its new version' : `version ${version}`;
      return [`${at}: ${label} was rolled back to the last good one: ${reason}`];
    }
    if (settings.problems.length > 0) return settings.problems;
    if (bundle?.kind === 'failed') return [`${at}: ${bundle.problem}`];
    if (failed !== undefined) return [`${at}: its new version could not start: ${failed.reason}`];
    return [];
  });
  if (amiss.length > 0) return { code: FAILED, description: amiss.join('; ') };
  return { code: 200, description: deployment.notices.join('; ') };
}
