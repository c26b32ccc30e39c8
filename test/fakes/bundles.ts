/** Bundles that need no network: `code` is the name of a fake module's program. */
import type { Asked } from '../../src/core/asked.ts';
import { Fault } from '../../src/core/fault.ts';
import type { Bundle, Bundles } from '../../src/core/ports.ts';

/** @param codes by image reference. @param asks what bundles ask for, likewise. */
export function createFakeBundles(
  codes: Record<string, string>,
  asks: Readonly<Record<string, Asked>> = {},
): Bundles & { add(image: string, code: string): void } {
  const here = new Set<string>();
  const bundle = (image: string): Bundle => ({
    digest: `sha256:${image}`,
    name: image,
    version: '1',
    treaty: 1,
    code: codes[image] as string,
    sourceMap: '',
    ...(asks[image] && { asked: asks[image] }),
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
