/** The three sides put together for one module, and the start of one the policy refuses. */
import type { Asked } from '../core/asked.ts';
import { type Decision, decide } from '../core/capabilities.ts';
import type { ModuleSpec } from '../core/deployment.ts';
import type { Policy } from '../core/policy.ts';
import type { ModuleHost, ModuleMetrics } from '../core/ports.ts';

/** As a container that could not be started. */
const REFUSED = 125;
const NOTHING_USED: ModuleMetrics = { cpuMs: 0, heapBytes: 0, cpuWaitMs: 0, messageWaitMs: 0 };

export function rightsOf(
  { name, settings }: ModuleSpec,
  asked: Asked | undefined,
  policy: Policy,
  memoryDefaultMb: number,
): Decision {
  const { grants, memoryMb } = settings;
  const at = `modules.${name}.settings.createOptions`;
  return decide(asked, { grants, memoryMb, memoryDefaultMb, at }, policy);
}

/** The host, or one that starts nothing and says why when the policy refuses something. */
export function hostFor({ refusals }: Decision, host: ModuleHost): ModuleHost {
  const sentences = refusals.filter(({ by }) => by === 'policy').map(({ sentence }) => sentence);
  if (sentences.length === 0) return host;
  return {
    ...host,
    start(_start, sink) {
      let over = false;
      const end = (ending: Parameters<typeof sink.ended>[0]): void => {
        if (over) return;
        over = true;
        sink.ended(ending, NOTHING_USED);
      };
      // Later, as any host would: whoever starts it is not done yet.
      queueMicrotask(() =>
        end({ cause: 'refused', exitCode: REFUSED, reason: `${sentences.join('; ')}.` }),
      );
      return {
        post() {},
        async stop() {
          end({ cause: 'stopped', exitCode: 0, reason: '' });
        },
      };
    },
  };
}
