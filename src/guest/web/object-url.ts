/** `blob:` URLs (File API §8): names for Blobs, good for as long as the module runs. */
import { needArguments } from '../world/webidl.ts';
import { ownOrigin } from './base-url.ts';
import { type Blob, isBlob } from './blob.ts';
import { URL } from './url.ts';

const blobs = new Map<string, Blob>();

export function blobAt(href: string): Blob | undefined {
  return href.startsWith('blob:') ? blobs.get(href.replace(/#.*$/s, '')) : undefined;
}

const methods = {
  createObjectURL(blob: Blob): string {
    needArguments(arguments.length, 1, 'URL.createObjectURL');
    if (!isBlob(blob)) throw new TypeError('URL.createObjectURL needs a Blob');
    const url = `blob:${ownOrigin()}/${uuid()}`;
    blobs.set(url, blob);
    return url;
  },
  revokeObjectURL(url: string): void {
    needArguments(arguments.length, 1, 'URL.revokeObjectURL');
    blobs.delete(`${url}`);
  },
};

/** Only a name: nothing is protected by nobody knowing it. */
function uuid(): string {
  return 'xxxxxxxx-xxxx-4xxx-8xxx-xxxxxxxxxxxx'.replaceAll('x', () =>
    Math.floor(Math.random() * 16).toString(16),
  );
}

export function installObjectUrls(): void {
  for (const [name, value] of Object.entries(methods)) {
    if (name in URL) continue;
    Object.defineProperty(URL, name, {
      value,
      writable: true,
      enumerable: true,
      configurable: true,
    });
  }
}
