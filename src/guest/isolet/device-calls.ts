/** How the device API asks the module host, and hears from it. */
import type { Json } from '../../core/json.ts';
import { takeSeam } from '../seam.ts';

const seam = takeSeam();
const SERVICE = 'devices';

type WithBase64 = { toBase64(): string };
type FromBase64 = { fromBase64(text: string): Uint8Array<ArrayBuffer> };

const news = new Map<number, () => void>();
seam.onSignal(SERVICE, (source) => news.get(source)?.());

/**
 * Rejects with an error that has Node's `code`. `take` runs at once when the answer is there, before
 * any news that came with it.
 */
export function ask<Value>(
  what: string,
  args: Readonly<Record<string, Json | undefined>>,
  take: (value: Json) => Value,
): Promise<Value> {
  // The stack of a rejected call should name its caller, not the answer's arrival.
  const error = new Error();
  return new Promise((resolve, reject) => {
    const own = Object.assign(Object.create(null), args) as Json;
    seam.hostCall({ t: 'ask', service: SERVICE, what, args: own }, (refused, value) => {
      if (refused === undefined) return resolve(take(value));
      const { code, message } = refused;
      error.message = message;
      error.stack = `${error.name}: ${message}${(error.stack ?? '').replace(/^Error/, '')}`;
      reject(Object.assign(error, { code, syscall: what }));
    });
  });
}

export function open<Thing>(
  kind: string,
  path: string,
  options: object,
  make: (source: number) => Thing,
): Promise<Thing> {
  const own = Object.assign(Object.create(null), options) as Json;
  return ask('open', { kind, path, options: own }, (source) => make(source as number));
}

export function close(source: number): Promise<void> {
  news.delete(source);
  return ask('close', { source }, () => {});
}

/** `run` is called whenever there is something to fetch. */
export function onNews(source: number, run: () => void): void {
  news.set(source, run);
}

/** Bytes as they cross the border. Throws a TypeError for what is none. */
export function toText(bytes: Uint8Array | readonly number[]): string {
  if (bytes instanceof Uint8Array) return (bytes as unknown as WithBase64).toBase64();
  if (Array.isArray(bytes) && bytes.every((byte) => byte >= 0 && byte <= 0xff)) {
    return (Uint8Array.from(bytes) as unknown as WithBase64).toBase64();
  }
  throw Object.assign(new TypeError('bytes must be a Uint8Array, or numbers from 0 to 255'), {
    code: 'ERR_INVALID_ARG_TYPE',
  });
}

export function toBytes(text: Json): Buffer {
  const bytes = (Uint8Array as unknown as FromBase64).fromBase64(text as string);
  return Buffer.from(bytes.buffer);
}
