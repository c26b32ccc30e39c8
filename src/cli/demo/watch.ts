/** Follows what the hub receives from now on, over drops of the stream. */
import { setTimeout as sleep } from 'node:timers/promises';
import { DEMO_DEVICE } from '../cloud/login.ts';
import type { HubEvent, ServiceClient } from '../cloud/service-client.ts';

export interface Watch {
  /** Resolves when it has ended. */
  stop(): Promise<void>;
}

const AGAIN_MS = 200;

/** Resolves when it is watching; rejects when the hub does not let it. */
export async function watchHub(
  client: ServiceClient,
  event: (event: HubEvent) => void,
): Promise<Watch> {
  let since = 'latest';
  let stopped = false;
  const open = (): ReturnType<ServiceClient['events']> =>
    client.events({ device: DEMO_DEVICE, since }, (received) => {
      since = String(received.seq);
      event(received);
    });
  let stream = open();
  await stream.opened;

  async function follow(): Promise<void> {
    for (;;) {
      await stream.ended.catch(() => {});
      if (stopped) return;
      await sleep(AGAIN_MS);
      stream = open();
      stream.opened.catch(() => {}); // `ended` tells the same.
    }
  }

  const ended = follow();
  return {
    async stop() {
      stopped = true;
      stream.stop();
      await ended;
    },
  };
}
