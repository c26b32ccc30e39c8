/** What modules keep, as their operator sees it: it outlives them, as a container's volume does. */
import type { BlobShelf } from '../core/blobs.ts';
import type { KeptStore } from '../core/kept.ts';
import type { ModuleName } from '../core/message.ts';
import type { KeptSummary } from '../core/summaries.ts';
import type { BlobKeeper } from './blob-keeper.ts';
import type { Keeper } from './keeper.ts';

export interface KeptThings {
  /** Of each module that keeps anything, in the order of names. */
  list(): Promise<readonly KeptSummary[]>;
  /** Removes all a module keeps: not for one that runs. */
  forget(module: ModuleName): Promise<void>;
}

export function createKeptThings(
  store: KeptStore,
  shelf: BlobShelf,
  keeper: Pick<Keeper, 'forget'>,
  blobs: Pick<BlobKeeper, 'forget'>,
  isDeployed: (module: ModuleName) => boolean,
): KeptThings {
  return {
    async list() {
      const sums = await store.keepers();
      const names = new Set([...Object.keys(sums), ...(await shelf.modules())]);
      const summaries = [...names].sort().map(async (module): Promise<KeptSummary> => {
        const entries = await shelf.list(module);
        const { count, bytes } = sums[module] ?? { count: 0, bytes: 0 };
        return {
          module,
          deployed: isDeployed(module),
          keys: count,
          keyBytes: bytes,
          blobs: entries.length,
          blobBytes: entries.reduce((sum, entry) => sum + entry.bytes, 0),
        };
      });
      return await Promise.all(summaries);
    },
    async forget(module) {
      await keeper.forget(module);
      await blobs.forget(module);
    },
  };
}
