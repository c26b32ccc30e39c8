/** Bundles that need no network: `code` is the name of a fake module's program. */
import { Fault } from '../../src/core/fault.ts';
import type { Bundle, Bundles } from '../../src/core/ports.ts';

/** @param codes by image reference */
export function createFakeBundles(
  codes: Record<string, string>,
): Bundles & { add(image: string, code: string): void } {
  const here = new Set<string>();
  const bundle = (image: string): Bundle => ({
    digest: `sha256:${image}`,
    name: image,
    version: '1',
    treaty: 1,
    code: codes[image] as string,
    sourceMap: '',
  });
  return {
    add(image, code) {
      codes[image] = code;
    },
    find: async (image) => (here.has(image) ? bundle(image) : undefined),
    async fetch(image) {
      if (codes[image] === undefined)
        throw new Fault('DOWNLOAD_FAILED', `${image} is not to be had`);
      here.add(image);
      return bundle(image);
    },
    async collect(images) {
      for (const image of here) if (!images.includes(image)) here.delete(image);
    },
  };
}
