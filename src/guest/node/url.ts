/** Stands in for `node:url`: the standard's classes, the older functions, and paths as URLs. */
import { checkString, invalidType, withCode } from './node-errors.ts';
import { isAbsolute, resolve as resolvePath } from './path.ts';
import { parse as parseQuery, stringify as stringifyQuery } from './querystring.ts';

const { URL: WebUrl, URLSearchParams: WebSearchParams } = globalThis as unknown as {
  URL: typeof URL;
  URLSearchParams: typeof URLSearchParams;
};

export { WebSearchParams as URLSearchParams, WebUrl as URL };

type Query = string | null | Readonly<Record<string, unknown>>;

/** What `url.parse` gives. */
export class Url {
  protocol: string | null = null;
  slashes: boolean | null = null;
  auth: string | null = null;
  host: string | null = null;
  port: string | null = null;
  hostname: string | null = null;
  hash: string | null = null;
  search: string | null = null;
  query: Query = null;
  pathname: string | null = null;
  path: string | null = null;
  href = '';

  format(): string {
    return formatLegacy(this);
  }
  resolve(to: string): string {
    return resolve(this.href, to);
  }
  parse(text: string, parseQueryString = false, slashesDenoteHost = false): void {
    parseInto(this, text, parseQueryString, slashesDenoteHost);
  }
}

/** Those after which two slashes belong, and a path follows. */
const slashed = new Set(['http:', 'https:', 'ftp:', 'gopher:', 'file:', 'ws:', 'wss:']);
/** What a path may not have as it is. */
const unsafe = /[\t\n\r "'<>\\^`{|}]/g;

export function parse(
  text: string | Url,
  parseQueryString = false,
  slashesDenoteHost = false,
): Url {
  if (text instanceof Url) return text;
  checkString('url', text);
  const url = new Url();
  url.parse(text, parseQueryString, slashesDenoteHost);
  return url;
}

function parseInto(url: Url, text: string, asObject: boolean, slashesDenoteHost: boolean): void {
  const [, beforeQuery = '', afterPath = ''] = /^([^?#]*)([^]*)$/.exec(
    text.trim(),
  ) as RegExpExecArray;
  let rest = beforeQuery.replaceAll('\\', '/') + afterPath;
  const protocol = /^[a-z0-9.+-]+:/i.exec(rest)?.[0];
  const kind = protocol?.toLowerCase() ?? null;
  if (protocol !== undefined) rest = rest.slice(protocol.length);
  url.protocol = kind;
  const mayHaveHost =
    slashesDenoteHost || protocol !== undefined || /^\/\/[^@/]+@[^@/]+/.test(rest);
  if (mayHaveHost && rest.startsWith('//') && kind !== 'javascript:') {
    url.slashes = true;
    rest = rest.slice(2);
  }
  if (kind !== 'javascript:' && (url.slashes || (kind !== null && !slashed.has(kind)))) {
    rest = parseHost(url, rest, text);
  }
  if (kind !== 'javascript:')
    rest = rest.replace(unsafe, (unit) => encodeURIComponent(unit).replace("'", '%27'));
  const hashAt = rest.indexOf('#');
  if (hashAt >= 0) url.hash = rest.slice(hashAt);
  const plain = hashAt < 0 ? rest : rest.slice(0, hashAt);
  const queryAt = plain.indexOf('?');
  if (queryAt >= 0) {
    url.search = plain.slice(queryAt);
    url.query = asObject ? parseQuery(url.search.slice(1)) : url.search.slice(1);
  } else if (asObject) {
    url.search = null;
    url.query = Object.create(null) as Record<string, unknown>;
  }
  url.pathname = (queryAt < 0 ? plain : plain.slice(0, queryAt)) || null;
  if (kind !== null && slashed.has(kind) && url.hostname && url.pathname === null)
    url.pathname = '/';
  if (url.pathname !== null || url.search !== null)
    url.path = `${url.pathname ?? ''}${url.search ?? ''}`;
  url.href = url.format();
}

/** Takes what comes before the path; gives back the rest. */
function parseHost(url: Url, text: string, whole: string): string {
  const end = text.search(/[/?#]/);
  const authority = end < 0 ? text : text.slice(0, end);
  const at = authority.lastIndexOf('@');
  if (at >= 0) url.auth = decodeURIComponent(authority.slice(0, at));
  const stop = authority.slice(at + 1).search(/[\t\n\r "'<>\\^`{|};%]/);
  const host = stop < 0 ? authority.slice(at + 1) : authority.slice(at + 1, at + 1 + stop);
  const rest = text.slice((at < 0 ? 0 : at + 1) + host.length);
  const port = /:(\d*)$/.exec(host);
  if (port?.[1]) url.port = port[1];
  const name = port === null ? host : host.slice(0, -port[0].length);
  const isV6 = name.startsWith('[') && name.endsWith(']');
  const hostname = isV6 ? name.toLowerCase() : toAscii(name);
  if (name !== '' && hostname === '') {
    throw Object.assign(withCode(new TypeError('Invalid URL'), 'ERR_INVALID_URL'), {
      input: whole,
    });
  }
  url.hostname = isV6 ? hostname.slice(1, -1) : hostname;
  url.host = `${hostname}${url.port === null ? '' : `:${url.port}`}`;
  return rest !== '' && !/^[/?#]/.test(rest) ? `/${rest}` : rest;
}

function toAscii(name: string): string {
  // oxlint-disable-next-line no-control-regex -- ASCII has them
  return /^[\x00-\x7f]*$/.test(name) ? name.toLowerCase() : domainToASCII(name);
}

type FormatOptions = {
  readonly auth?: boolean;
  readonly fragment?: boolean;
  readonly search?: boolean;
  readonly unicode?: boolean;
};

export function format(url: string | Partial<Url> | URL, options: FormatOptions = {}): string {
  if (typeof url === 'string') return parse(url).format();
  if (typeof url !== 'object' || url === null) {
    throw invalidType('urlObject', 'an object or of type string', url);
  }
  if (!(url instanceof WebUrl)) return formatLegacy(url);
  const copy = new WebUrl(url.href);
  if (options.auth === false) copy.username = copy.password = '';
  if (options.fragment === false) copy.hash = '';
  if (options.search === false) copy.search = '';
  return copy.href;
}

function formatLegacy(url: Partial<Url>): string {
  const auth = url.auth ? `${encodeURIComponent(url.auth).replace('%3A', ':')}@` : '';
  let protocol = url.protocol ?? '';
  if (protocol !== '' && !protocol.endsWith(':')) protocol += ':';
  let pathname = (url.pathname ?? '').replace(/[?#]/g, encodeURIComponent);
  let host = '';
  if (url.host) host = auth + url.host;
  else if (url.hostname) {
    const name =
      url.hostname.includes(':') && !url.hostname.startsWith('[')
        ? `[${url.hostname}]`
        : url.hostname;
    host = `${auth}${name}${url.port ? `:${url.port}` : ''}`;
  }
  const query =
    typeof url.query === 'object' && url.query !== null ? stringifyQuery(url.query) : '';
  let search = url.search || (query === '' ? '' : `?${query}`);
  if (url.slashes || slashed.has(protocol)) {
    if (url.slashes || host !== '') {
      if (pathname !== '' && !pathname.startsWith('/')) pathname = `/${pathname}`;
      host = `//${host}`;
    } else if (protocol === 'file:') {
      host = '//';
    }
  }
  if (search !== '' && !search.startsWith('?')) search = `?${search}`;
  const hash = url.hash ? (url.hash.startsWith('#') ? url.hash : `#${url.hash}`) : '';
  return protocol + host + pathname + search.replaceAll('#', '%23') + hash;
}

/** As Node's documentation gives it in terms of the standard. */
export function resolve(from: string, to: string): string {
  const base = new WebUrl(from, 'resolve://');
  const url = new WebUrl(to, base);
  if (url.protocol !== 'resolve:') return url.href;
  // A relative one stays relative.
  const isRelative = !from.startsWith('/') && !to.startsWith('/');
  const path = isRelative ? url.pathname.replace(/^\//, '') : url.pathname;
  return path + url.search + url.hash;
}

export function resolveObject(from: string | Url, to: string): Url {
  return parse(resolve(typeof from === 'string' ? from : from.href, to));
}

/** '' when it is no domain. */
export function domainToASCII(domain: string): string {
  try {
    return new WebUrl(`ws://${domain}`).hostname;
  } catch {
    return '';
  }
}

/** The same, as nothing here shows Unicode again. */
export function domainToUnicode(domain: string): string {
  return domainToASCII(domain);
}

export function fileURLToPath(given: string | URL): string {
  const url = typeof given === 'string' ? new WebUrl(given) : given;
  if (!(url instanceof WebUrl)) {
    throw invalidType('path', 'of type string or an instance of URL', given);
  }
  if (url.protocol !== 'file:') {
    throw withCode(new TypeError('The URL must be of scheme file'), 'ERR_INVALID_URL_SCHEME');
  }
  if (url.hostname !== '') {
    throw withCode(
      new TypeError('File URL host must be "localhost" or empty on linux'),
      'ERR_INVALID_FILE_URL_HOST',
    );
  }
  if (/%2f/i.test(url.pathname)) {
    throw withCode(
      new TypeError('File URL path must not include encoded / characters'),
      'ERR_INVALID_FILE_URL_PATH',
    );
  }
  return decodeURIComponent(url.pathname);
}

export function pathToFileURL(path: string): URL {
  checkString('path', path);
  const whole = path.endsWith('/') ? `${resolvePath(path)}/`.replace('//', '/') : resolvePath(path);
  const url = new WebUrl('file:///');
  url.pathname = (isAbsolute(whole) ? whole : `/${whole}`).replace(/[%\\\n\r\t?#]/g, (unit) =>
    encodeURIComponent(unit),
  );
  return url;
}

export function urlToHttpOptions(url: URL): Record<string, unknown> {
  const {
    hash,
    host: _,
    hostname,
    href,
    origin: __,
    password,
    pathname,
    port,
    protocol,
    search,
    username,
  } = url;
  return {
    protocol,
    hostname: hostname.startsWith('[') ? hostname.slice(1, -1) : hostname,
    hash,
    search,
    pathname,
    path: pathname + search,
    href,
    ...(port === '' ? {} : { port: Number(port) }),
    ...(username || password
      ? { auth: `${decodeURIComponent(username)}:${decodeURIComponent(password)}` }
      : {}),
  };
}

// oxlint-disable-next-line import/no-default-export -- modules write `import url from`
export default {
  domainToASCII,
  domainToUnicode,
  fileURLToPath,
  format,
  parse,
  pathToFileURL,
  resolve,
  resolveObject,
  URL: WebUrl,
  Url,
  URLSearchParams: WebSearchParams,
  urlToHttpOptions,
};
