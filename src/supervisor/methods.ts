/** Direct methods: ask a module (or the runtime itself), wait so long, answer. Never stored. */
import { Fault } from '../core/fault.ts';
import type { ModuleName } from '../core/message.ts';
import type { Clock, MethodCall, MethodReply } from '../core/ports.ts';
import type { LiveModule } from './live-module.ts';

export interface Methods {
  /**
   * From the cloud. A module that is not there answers 404 at once, as the hub itself does for a device;
   * one that runs and does not listen, after 2 s.
   * Undefined (it has no such method, or is silent) lets the caller's own time-out answer: its 504.
   */
  fromCloud(module: ModuleName, call: MethodCall): Promise<MethodReply | undefined>;
  /** From a module on this device. Rejects with ENDPOINT_AWAY or TIMED_OUT. */
  fromModule(
    device: string,
    module: string | null,
    call: MethodCall,
    timeouts: { readonly connectMs: number; readonly responseMs: number },
  ): Promise<MethodReply>;
}

/** IoT Hub's longest time-outs, for the connection and for the response. */
const TIMEOUT_MS_MAX = 300_000;
const CONNECT_POLL_MS = 100;
/** Its caller is told 404 soon, or gets an answer from a module that has just been started. */
const CLOUD_SETTLE_MS = 2_000;

export type MethodsDeps = {
  readonly device: string;
  readonly live: (module: ModuleName) => LiveModule | undefined;
  readonly clock: Clock;
  /** `$edgeAgent`'s own. */
  readonly agent: (call: MethodCall) => Promise<MethodReply>;
};

export function createMethods({ device, live, clock, agent }: MethodsDeps): Methods {
  const ready = (module: ModuleName): LiveModule | undefined => {
    const found = live(module);
    return found?.listening('methods') ? found : undefined;
  };

  return {
    async fromCloud(module, call) {
      if (module === '$edgeAgent') return await agent(call);
      if (module === '$edgeHub')
        return problem(404, `Method ${call.name} is not known to $edgeHub`);
      // One that runs may be about to say that it listens.
      const settleMs = live(module) === undefined ? 0 : CLOUD_SETTLE_MS;
      const target = await waitFor(() => ready(module), settleMs);
      if (target === undefined)
        return problem(404, `Module ${module} takes no method calls at the moment`);
      return await target.invoke(call, TIMEOUT_MS_MAX);
    },
    async fromModule(toDevice, module, call, { connectMs, responseMs }) {
      if (toDevice !== device || module === null) {
        throw new Fault(
          'ENDPOINT_AWAY',
          `${toDevice}${module === null ? '' : `/${module}`} is not a module of this device (${device}); methods reach modules of the same device`,
        );
      }
      const target = await waitFor(() => ready(module), Math.min(connectMs, TIMEOUT_MS_MAX));
      if (target === undefined) {
        throw new Fault('ENDPOINT_AWAY', `module ${module} takes no method calls at the moment`);
      }
      const reply = await target.invoke(call, Math.min(responseMs, TIMEOUT_MS_MAX));
      if (reply !== undefined) return reply;
      throw new Fault(
        'TIMED_OUT',
        `module ${module} did not answer method ${call.name} within ${responseMs / 1000} s`,
      );
    },
  };

  async function waitFor<T>(look: () => T | undefined, limitMs: number): Promise<T | undefined> {
    const end = clock.elapsed() + limitMs;
    for (;;) {
      const found = look();
      if (found !== undefined || clock.elapsed() >= end) return found;
      await new Promise<void>((resolve) => clock.after(CONNECT_POLL_MS, resolve));
    }
  }
}

function problem(status: number, message: string): MethodReply {
  return { status, payload: { message } };
}
