/** Looks at the bundle an image reference names, where it lies: fetches nothing, changes nothing. */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Fault } from '../core/fault.ts';
import type { LookedAt } from '../core/module-check.ts';
import { defaultBundleLimits, digestOf, unpackBundle } from './bundle-archive.ts';
import { createBundlePins } from './bundle-pins.ts';
import { type ImageReference, parseImageReference } from './image-reference.ts';

/** @param dir the device's folder of bundles; undefined = none is known. Never rejects for a bad bundle. */
export async function lookAtBundle(image: string, dir: string | undefined): Promise<LookedAt> {
  const nothing = { asked: undefined };
  try {
    const reference = parseImageReference(image);
    const { shown } = reference;
    const sha256 = await digestHere(reference, dir);
    if (sha256 === undefined) {
      return {
        ...nothing,
        state: 'absent',
        sentence: `${shown} was not pulled to this device yet: what it asks for is not known`,
      };
    }
    const kept = dir === undefined ? undefined : join(dir, 'sha256', sha256);
    const bytes = readWhole(kept) ?? readWhole(pathOf(reference));
    if (bytes === undefined) {
      return {
        ...nothing,
        state: 'absent',
        sentence: `${shown} is not here: what it asks for is not known`,
      };
    }
    if (digestOf(bytes) !== `sha256:${sha256}`) {
      const sentence = `${shown} has ${digestOf(bytes)}, not the digest the image says: put the right file there, or correct the image`;
      return { ...nothing, state: 'wrong', sentence };
    }
    const { name, version, asked } = await unpackBundle(
      bytes,
      defaultBundleLimits,
      `sha256:${sha256}`,
    );
    const declares = asked === undefined ? ', declares nothing and gets what is granted' : '';
    return { state: 'here', sentence: `${name} ${version}${declares}`, asked };
  } catch (cause) {
    if (!(cause instanceof Fault)) throw cause;
    return { ...nothing, state: 'wrong', sentence: cause.message };
  }
}

/** Of the archive; undefined when a registry's image was never fetched here. */
async function digestHere(
  reference: ImageReference,
  dir: string | undefined,
): Promise<string | undefined> {
  if (reference.kind !== 'registry') return reference.sha256;
  return dir === undefined
    ? undefined
    : (await createBundlePins(dir).read(reference.shown))?.sha256;
}

function pathOf(reference: ImageReference): string | undefined {
  return reference.kind === 'file' ? reference.path : undefined;
}

/** Undefined when it is not there or not ours to read. */
function readWhole(path: string | undefined): Uint8Array | undefined {
  try {
    if (path === undefined || !statSync(path).isFile()) return undefined;
    return readFileSync(path);
  } catch {
    return undefined;
  }
}
