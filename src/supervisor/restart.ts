/** A person wants a module to begin anew, or the runtime itself: `isolet restart`, RestartModule (spec/iotedge.md §4). */
import type { Deployment } from '../core/deployment.ts';
import type { ModuleName } from '../core/message.ts';

/** Gives undefined when it is done, or a sentence why not. */
export function createRestart(
  target: () => Deployment | undefined,
  restartModule: (module: ModuleName) => void,
  restartRuntime: (() => void) | undefined,
): (module: ModuleName) => string | undefined {
  return (module) => {
    if (module === 'edgeAgent' || module === 'edgeHub') {
      if (restartRuntime === undefined) return 'This runtime cannot restart itself';
      restartRuntime();
      return undefined;
    }
    const spec = target()?.modules.get(module);
    if (spec === undefined) return `Module ${module} not found in the current environment`;
    if (spec.status === 'stopped') return `Module ${module} is stopped by its deployment`;
    restartModule(module);
    return undefined;
  };
}
