/** What a deployment's `settings.image` means here: where a bundle lies, and its digest. */
import { isAbsolute, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Fault } from '../core/fault.ts';

export type ImageReference = {
  /** Lower-case hex SHA-256 of the archive. */
  readonly sha256: string;
  /** Without what may be secret: what logs and errors may say. */
  readonly shown: string;
} & (
  | { readonly kind: 'file'; readonly path: string }
  /** `url` may carry a token or a password. */
  | { readonly kind: 'http'; readonly url: URL }
);

const FORMS = 'file:///path/name.tgz#sha256=<hex> or https://host/path#sha256=<hex>';

/**
 * Forms: `file:///abs/path#sha256=…`, `file:relative/path#sha256=…` (below `baseDir`, when there is
 * one), `http(s)://…#sha256=…`. Throws IMAGE_INVALID with the remedy.
 */
export function parseImageReference(image: string, baseDir?: string): ImageReference {
  const text = image.trim();
  const cut = text.indexOf('#');
  const location = cut === -1 ? text : text.slice(0, cut);
  const scheme = /^([a-z][a-z0-9+.-]*):(?!\d+\/)/i.exec(location)?.[1]?.toLowerCase();
  if (scheme === 'file') {
    const path = filePath(location, baseDir);
    const shown = `file:${path}`;
    return { kind: 'file', path, shown, sha256: digest(text, cut, shown) };
  }
  if (scheme === 'http' || scheme === 'https') {
    const url = webUrl(location);
    const shown = shownUrl(url);
    return { kind: 'http', url, shown, sha256: digest(text, cut, shown) };
  }
  if (isRegistryName(text)) {
    throw invalid(
      `image "${text}" names a container registry; bundles cannot be pulled from registries yet: publish the bundle on a web server or copy it to the device, and write ${FORMS}`,
    );
  }
  throw invalid(`image "${withoutSecrets(location)}" is no reference to a bundle: write ${FORMS}`);
}

/** As containers name their images: `mcr.microsoft.com/azureiotedge-agent:1.5`. */
export function isRegistryName(image: string): boolean {
  return /^(?!(file|https?):)[a-z0-9][a-z0-9._/:@-]*$/i.test(image) && !image.includes('//');
}

/** Protocol, host and path of an address, without what may be secret. */
export function shownUrl(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname}`;
}

function filePath(location: string, baseDir: string | undefined): string {
  if (!location.toLowerCase().startsWith('file://')) {
    const path = location.slice('file:'.length);
    if (isAbsolute(path)) return resolve(path);
    if (baseDir !== undefined && path !== '') return resolve(baseDir, path);
    throw invalid(
      `image "${location}": a device knows no folder to begin at: write file:///path/name.tgz`,
    );
  }
  try {
    return fileURLToPath(location);
  } catch (cause) {
    throw invalid(
      `image "${location}" is no file of this device: write file:///path/name.tgz`,
      cause,
    );
  }
}

function webUrl(location: string): URL {
  const url = URL.parse(location);
  if (url === null || url.hostname === '') {
    throw invalid(
      `image "${withoutSecrets(location)}" is no web address: write https://host/path#sha256=<hex>`,
    );
  }
  return url;
}

function digest(text: string, cut: number, shown: string): string {
  const fragment = cut === -1 ? '' : text.slice(cut + 1);
  const hex = /^sha256=([0-9a-f]{64})$/i.exec(fragment)?.[1];
  if (hex !== undefined) return hex.toLowerCase();
  const wrong =
    fragment === ''
      ? 'has no digest'
      : 'must end in the digest of the archive, 64 hexadecimal digits';
  throw invalid(
    `image "${shown}" ${wrong}: append #sha256=<hex> as the bundler prints it, or take it from sha256sum`,
  );
}

/** Cuts a password before the host and everything after a question mark. */
function withoutSecrets(location: string): string {
  return (location.split('?')[0] as string).replace(/\/\/[^/@]*@/, '//');
}

function invalid(message: string, cause?: unknown): Fault {
  return new Fault('IMAGE_INVALID', message, { cause });
}
