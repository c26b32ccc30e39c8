/** Names of images in container registries: `[host[:port]/]path[:tag][@sha256:…]` (OCI distribution). */

export type RegistryName = {
  /** Lower case, with its port when there is one; `docker.io` when the image names none. */
  readonly host: string;
  readonly repository: string;
  /** A tag, or `sha256:<hex>` of a manifest. */
  readonly reference: string;
  readonly byDigest: boolean;
};

const NAME_LENGTH_MAX = 255;
const HOST = /^(?:\[[0-9a-f:.]+\]|[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)(?::(\d{1,5}))?$/i;
const PART = /^[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*$/;
const TAG = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
const PORT_MAX = 65_535;

/** A sentence, without the image's name, when it is no name of an image. */
export function readRegistryName(image: string): RegistryName | string {
  const [named = '', digest, ...rest] = image.split('@');
  if (rest.length > 0) return 'has more than one @';
  if (digest !== undefined && !/^sha256:[0-9a-f]{64}$/i.test(digest)) {
    return 'must end in @sha256: and 64 hexadecimal digits, or in no digest at all';
  }
  const slash = named.indexOf('/');
  const first = slash === -1 ? '' : named.slice(0, slash);
  // As containers have it: a first part that can be no folder is a host.
  const hasHost = /[.:[]/.test(first) || first.toLowerCase() === 'localhost';
  const path = hasHost ? named.slice(slash + 1) : named;
  const colon = path.indexOf(':');
  const name = colon === -1 ? path : path.slice(0, colon);
  const tag = colon === -1 ? 'latest' : path.slice(colon + 1);
  const port = HOST.exec(first)?.[1];
  if (hasHost && !HOST.test(first)) return `names no host before its first slash`;
  if (port !== undefined && (Number(port) === 0 || Number(port) > PORT_MAX)) {
    return `has the port ${port}; ports go from 1 to ${PORT_MAX}`;
  }
  if (name.length === 0) return 'names a registry and no image in it';
  if (name.length > NAME_LENGTH_MAX) {
    return `has a name of ${name.length} characters, at most ${NAME_LENGTH_MAX} are taken`;
  }
  if (/[A-Z]/.test(name)) return 'has capital letters in its name; registries take small ones only';
  if (!name.split('/').every((part) => PART.test(part))) {
    return 'must have small letters and digits in its name, with single ".", "_" or "-" between them and "/" between its parts';
  }
  if (!TAG.test(tag)) {
    return 'must have a tag of letters, digits, "_", "." and "-" after its colon, at most 128, which begins with none of the last two';
  }
  return {
    host: hasHost ? first.toLowerCase() : 'docker.io',
    repository: hasHost || name.includes('/') ? name : `library/${name}`,
    reference: digest?.toLowerCase() ?? tag,
    byDigest: digest !== undefined,
  };
}

/** `host/path:tag` or `host/path@sha256:…`: one text for all spellings. */
export function showRegistryName({ host, repository, reference, byDigest }: RegistryName): string {
  return `${host}/${repository}${byDigest ? '@' : ':'}${reference}`;
}

/** Where the registry of a host answers. */
export function registryAddress(host: string): string {
  return host === 'docker.io' || host === 'index.docker.io' ? 'registry-1.docker.io' : host;
}

/** On this machine: nobody listens in, so plain HTTP is good enough. */
export function isLoopbackHost(host: string): boolean {
  const name = host.replace(/:\d+$/, '');
  return name === 'localhost' || name === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(name);
}
