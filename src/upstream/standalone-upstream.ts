/** The Upstream of a device without a cloud: never online; messages for it wait, or expire. */
import { Fault } from '../core/fault.ts';
import type { Upstream } from '../core/ports.ts';

export function createStandaloneUpstream(): Upstream {
  const away = (): Fault =>
    new Fault('UPSTREAM_AWAY', 'this device has no cloud (provisioning.source = "none")');
  return {
    open: () => ({
      send: async (messages) => messages.map(away),
      readTwin: () => Promise.reject(away()),
      report: () => Promise.reject(away()),
      async close() {},
    }),
    async stop() {},
  };
}
