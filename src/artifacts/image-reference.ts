/** What a deployment's `settings.image` means here: where a bundle lies, and its digest. */
import { isAbsolute, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Fault } from '../core/fault.ts';
import { type RegistryName, readRegistryName, showRegistryName } from '../core/registry-name.ts';

export type ImageReference = {
  /** Without what may be secret: what logs and errors may say. */
  readonly shown: string;
} & (
  | ({ readonly kind: 'file'; readonly path: string } & Archive)
  /** `url` may carry a token or a password. */
  | ({ readonly kind: 'http'; readonly url: URL } & Archive)
  /** The registry says which archive it is. */
  | { readonly kind: 'registry'; readonly name: RegistryName }
);

/** What the image itself says of it. */
type Archive = {
  readonly sha256: string;
  /** As `isolet sign` prints them; any text. */
  readonly signatures: readonly string[];
};

const FORMS =
  'registry.example/name:tag, https://host/path#sha256=<hex> or file:///path/name.tgz#sha256=<hex>';
const SHOWN_LENGTH_MAX = 200;

/**
 * Forms: `file:///abs/path#sha256=…`, `file:relative/path#sha256=…` (below `baseDir`, when there is
 * one), `http(s)://…#sha256=…`, and the names of container registries. `sha256` is that of the archive,
 * lower-case hex; `&sig=…` after it names who signed it. Throws IMAGE_INVALID with the remedy.
 */
export function parseImageReference(image: string, baseDir?: string): ImageReference {
  const text = image.trim();
  const cut = text.indexOf('#');
  const location = cut === -1 ? text : text.slice(0, cut);
  const scheme = /^([a-z][a-z0-9+.-]*):(?!\d+\/)/i.exec(location)?.[1]?.toLowerCase();
  if (scheme === 'file') {
    const path = filePath(location, baseDir);
    const shown = `file:${path}`;
    return { kind: 'file', path, shown, ...archive(text, cut, shown) };
  }
  if (scheme === 'http' || scheme === 'https') {
    const url = webUrl(location);
    const shown = shownUrl(url);
    return { kind: 'http', url, shown, ...archive(text, cut, shown) };
  }
  if (isRegistryName(text)) {
    const name = readRegistryName(text);
    if (typeof name === 'string') throw invalid(`image "${shownText(text)}" ${name}`);
    return { kind: 'registry', name, shown: showRegistryName(name) };
  }
  throw invalid(
    `image "${shownText(withoutSecrets(location))}" is no reference to a bundle: write ${FORMS}`,
  );
}

/** As containers name their images: `mcr.microsoft.com/azureiotedge-agent:1.5`. */
function isRegistryName(image: string): boolean {
  return /^(?!(file|https?):)[a-z0-9[][a-z0-9._/:@[\]-]*$/i.test(image) && !image.includes('//');
}

/** A name of a megabyte is not worth reading. */
function shownText(text: string): string {
  return text.length > SHOWN_LENGTH_MAX ? `${text.slice(0, SHOWN_LENGTH_MAX)}…` : text;
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

function archive(text: string, cut: number, shown: string): Archive {
  const fragment = cut === -1 ? '' : text.slice(cut + 1);
  const [, hex, more = ''] = /^sha256=([0-9a-f]{64})((?:&sig=[^&]+)*)$/i.exec(fragment) ?? [];
  if (hex !== undefined) {
    return { sha256: hex.toLowerCase(), signatures: more.split(/&sig=/i).slice(1) };
  }
  const wrong =
    fragment === ''
      ? 'has no digest'
      : 'must end in the digest of the archive, 64 hexadecimal digits (and its signatures: &sig=…)';
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
