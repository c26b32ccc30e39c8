/** Why a module ended, in the words that operators filter by: `isolet list --json` and the reported state. */
import type { EndingCause } from './ports.ts';

const reasons = {
  stopped: 'stopped',
  refused: 'refused',
  exited: 'exit',
  error: 'unhandled error',
  'out of memory': 'out of memory',
  'out of time': 'CPU',
  wedged: 'wedge',
  crashed: 'crash',
  'host lost': 'host lost',
} as const satisfies Readonly<Record<EndingCause, string>>;

export type RestartReason = (typeof reasons)[EndingCause];

export function restartReason(cause: EndingCause): RestartReason {
  return reasons[cause];
}
