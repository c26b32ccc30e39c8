/** A module whose keeping is answered as on a desk, and whose timers run. */
import { createDeskBlobs, createDeskKeeper } from '../../build/develop/desk-kept.ts';
import type { Json } from '../../src/core/json.ts';
import { type ModuleBox, withBox } from './module-box.ts';

const LOOK_MS = 2;

/** `keeper` may be one that other starts of the module have used. */
export async function withKeeping(
  source: string,
  run: (box: ModuleBox) => Promise<void>,
  keeper = createDeskKeeper(),
  blobs = createDeskBlobs(),
): Promise<void> {
  await withBox(source, async (box) => {
    let open = true;
    const serve = async (): Promise<void> => {
      let told: unknown;
      let dueMs = 0;
      for (let seen = 0; open; ) {
        const last = box.batches.at(-1);
        if (last !== told) dueMs = performance.now() + (last?.timerMs ?? 0);
        told = last;
        if ((last?.timerMs ?? -1) >= 0 && performance.now() >= dueMs) {
          await box.hostPost([{ t: 'timers' }]);
        }
        const requests = box.requests();
        for (; seen < requests.length; seen++) {
          const request = requests[seen];
          if (request?.t !== 'keep' && request?.t !== 'blob') continue;
          const { call } = request;
          const asked =
            request.t === 'keep'
              ? keeper.carryOut('filter', request.ask, {})
              : blobs.carryOut('filter', request.ask, {});
          const value: Json | Error = await asked.catch((cause: Error) => cause);
          const error = { name: 'ArgumentError', message: String(value) };
          if (!open) return;
          await box.post([
            value instanceof Error ? { t: 'reply', call, error } : { t: 'reply', call, value },
          ]);
        }
        await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      }
    };
    const serving = serve();
    try {
      await run(box);
    } finally {
      open = false;
      await serving;
    }
  });
}
