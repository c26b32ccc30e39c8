/**
 * Which archive a registry's image is, on this device: fixed when it was first fetched, kept for as long as
 * the deployment names it. A restart runs the same bundle, with or without a network, wherever the tag points by then.
 */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isJsonObject } from '../core/json.ts';
import { writeDurably } from '../lib/durable-file.ts';
import { asBytes } from '../lib/text.ts';

export type Pin = {
  /** As `shown` of its reference. */
  readonly image: string;
  /** Of the manifest: `sha256:<hex>`. */
  readonly manifest: string;
  /** Lower-case hex SHA-256 of the archive. */
  readonly sha256: string;
  /** Of the archive. */
  readonly bytes: number;
  /** As its manifest had them; absent = none. */
  readonly signatures?: readonly string[];
};

export interface BundlePins {
  /** Undefined when there is none, or none that can be read. */
  read(image: string): Promise<Pin | undefined>;
  write(pin: Pin): Promise<void>;
  /** Removes all but those of these images. */
  removeAllBut(images: readonly string[]): Promise<void>;
}

export function createBundlePins(dir: string): BundlePins {
  const folder = join(dir, 'pins');
  const path = (image: string): string => join(folder, fileName(image));
  return {
    async read(image) {
      try {
        const value: unknown = JSON.parse(await readFile(path(image), 'utf8'));
        return isPin(value) && value.image === image ? value : undefined;
      } catch {
        return undefined; // as good as none: it is fetched again
      }
    },
    async write(pin) {
      await mkdir(folder, { recursive: true });
      writeDurably(path(pin.image), asBytes(`${JSON.stringify(pin)}\n`));
    },
    async removeAllBut(images) {
      const keep = new Set(images.map(fileName));
      const names = await readdir(folder).catch(() => []);
      for (const name of names.filter((one) => !keep.has(one))) {
        await rm(join(folder, name), { force: true });
      }
    },
  };
}

function fileName(image: string): string {
  return createHash('sha256').update(image).digest('hex');
}

function isPin(value: unknown): value is Pin {
  if (!isJsonObject(value)) return false;
  const { image, manifest, sha256, bytes, signatures = [] } = value;
  return (
    typeof image === 'string' &&
    typeof manifest === 'string' &&
    typeof sha256 === 'string' &&
    /^[0-9a-f]{64}$/.test(sha256) &&
    Number.isSafeInteger(bytes) &&
    Array.isArray(signatures) &&
    signatures.every((one) => typeof one === 'string')
  );
}
