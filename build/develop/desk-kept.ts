/** What a module keeps while it is on a desk: in memory, over its versions, gone with the desk. */
import { createBlobMap } from '../../src/core/blob-map.ts';
import { createKeptMap } from '../../src/core/kept-map.ts';
import { systemClock } from '../../src/lib/system-clock.ts';
import { type BlobKeeper, createBlobKeeper } from '../../src/supervisor/blob-keeper.ts';
import { createKeeper, type Keeper } from '../../src/supervisor/keeper.ts';

/** Its answers come within the turn of their asking (quiet-host.ts). */
export function createDeskKeeper(): Keeper {
  const kept = createKeptMap();
  return createKeeper(
    {
      readKept: async (module, keys) => kept.get(module, keys),
      listKept: async (module, range) => kept.list(module, range),
      sumKept: async (module, keys) => kept.sum(module, keys),
      keepers: async () => kept.keepers(),
      async commit(writes) {
        for (const write of writes) {
          if (write.kind === 'keep') kept.change(write.module, write.changes);
        }
      },
    },
    {},
  );
}

export function createDeskBlobs(): BlobKeeper {
  return createBlobKeeper(createBlobMap(systemClock.now));
}
