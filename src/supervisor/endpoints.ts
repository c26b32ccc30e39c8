/** Which endpoints exist, and their pumps. */
import { type EndpointId, UPSTREAM } from '../core/message.ts';
import type { Loop, LoopDeps } from './loop.ts';
import { createPump, type Endpoint, type PumpLimits } from './pump.ts';
import type { Queue } from './queue.ts';

export interface Endpoints {
  /** There is something for this endpoint. */
  wake(id: EndpointId): void;
  /** The neighbour is back (or here for the first time): a module's name for all its inputs, or `$upstream`. */
  resume(neighbour: string): void;
  flowing(id: EndpointId): boolean;
  stop(): Promise<void>;
}

/** `endpointOf` gives the neighbour behind an id; it is asked once per id. */
export function createEndpoints(
  endpointOf: (id: EndpointId) => Endpoint,
  queueOf: () => Queue,
  deps: LoopDeps,
  limits: PumpLimits,
): Endpoints {
  const pumps = new Map<EndpointId, Loop>();
  let stopped = false;

  function pumpOf(id: EndpointId): Loop {
    let pump = pumps.get(id);
    if (pump === undefined) {
      pump = createPump(id, endpointOf(id), { ...deps, queue: queueOf() }, limits);
      pumps.set(id, pump);
    }
    return pump;
  }

  return {
    wake(id) {
      if (!stopped) pumpOf(id).wake();
    },
    resume(neighbour) {
      for (const [id, pump] of pumps) {
        if (id === neighbour || id.slice(0, id.indexOf('/')) === neighbour) pump.resume();
      }
    },
    // Nobody has asked it yet: assume the best, the pump will find out.
    flowing: (id) => pumps.get(id)?.flowing() ?? id !== UPSTREAM,
    async stop() {
      stopped = true;
      await Promise.all([...pumps.values()].map((pump) => pump.stop()));
    },
  };
}
