/** Follows what the hub receives, over drops of the stream. */
import { setTimeout as sleep } from 'node:timers/promises';
import { DEMO_DEVICE } from '../cloud/login.ts';
import type { HubEvent, ServiceClient } from '../cloud/service-client.ts';

export interface Watch {
  /** Resolves when it has ended. */
  stop(): Promise<void>;
}

const AGAIN_MS = 200;

/** Calls `event` once for each event that arrives from now on. */
export function watchHub(client: ServiceClient, event: (event: HubEvent) => void): Watch {
  // Only what is newer than the first answer is of this run.
  const startedAt = Date.now();
  let since = 0;
  let stopped = false;
  let stopStream = (): void => {};

  async function follow(): Promise<void> {
    while (!stopped) {
      const stream = client.events({ device: DEMO_DEVICE, since }, (received) => {
        since = received.seq;
        if (Date.parse(received.enqueuedTime) >= startedAt) event(received);
      });
      stopStream = stream.stop;
      await stream.ended.catch(() => {});
      if (!stopped) await sleep(AGAIN_MS);
    }
  }

  const ended = follow();
  return {
    async stop() {
      stopped = true;
      stopStream();
      await ended;
    },
  };
}
