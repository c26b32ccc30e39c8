/** Blobs in memory: for a desk, where nothing must survive, and for tests. */
import type { BlobLook, BlobShelf } from './blobs.ts';

type Blob = { readonly look: BlobLook; readonly parts: Uint8Array };

export function createBlobMap(now: () => number): BlobShelf {
  const modules = new Map<string, Map<string, Blob>>();
  const of = (module: string): ReadonlyMap<string, Blob> => modules.get(module) ?? new Map();
  let lastVersion = 0;

  return {
    list: async (module) => [...of(module).values()].map(({ look }) => look),
    look: async (module, name) => of(module).get(name)?.look,
    async read(module, name, version, offset, length) {
      const blob = of(module).get(name);
      return blob?.look.version === version
        ? blob.parts.subarray(offset, offset + length)
        : undefined;
    },
    async begin(module) {
      let parts = new Uint8Array(0);
      return {
        async append(bytes) {
          const longer = new Uint8Array(parts.length + bytes.length);
          longer.set(parts);
          longer.set(bytes, parts.length);
          parts = longer;
        },
        async commit(name) {
          const blobs = modules.get(module) ?? new Map<string, Blob>();
          modules.set(module, blobs);
          const version = String(++lastVersion);
          blobs.set(name, { look: { name, bytes: parts.length, atMs: now(), version }, parts });
        },
        async abort() {},
      };
    },
    async remove(module, name) {
      modules.get(module)?.delete(name);
    },
    async forget(module) {
      modules.delete(module);
    },
    modules: async () => [...modules.keys()],
  };
}
