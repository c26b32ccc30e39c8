/** How each step of a plan is carried out. A step without an executor does not compile. */
import type { Step } from '../core/plan.ts';
import type { BundleStates } from './bundle-states.ts';
import type { Modules } from './modules.ts';

export type StepsDeps = { readonly modules: Modules; readonly bundles: BundleStates };

type Executors = {
  readonly [Kind in Step['kind']]: (step: Extract<Step, { kind: Kind }>) => void | Promise<void>;
};

export function createSteps({ modules, bundles }: StepsDeps): (step: Step) => Promise<void> {
  const executors: Executors = {
    fetch: ({ image }) => bundles.fetch(image),
    async start({ spec, counts }) {
      // Gone bad on the disk since it was fetched: the next plan fetches it again.
      const bundle = await bundles.read(spec.image);
      if (bundle !== undefined) modules.start(spec, bundle, counts);
    },
    async replace({ spec }) {
      const bundle = await bundles.read(spec.image);
      if (bundle !== undefined) modules.replace(spec, bundle);
    },
    withdraw: ({ module }) => modules.withdraw(module),
    stop: ({ module }) => modules.stop(module),
    forget: ({ module }) => modules.forget(module),
  };
  return async (step) => {
    await (executors[step.kind] as (step: Step) => void | Promise<void>)(step);
  };
}
