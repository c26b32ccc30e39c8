/** The URL parser of the URL standard (§4.4), and the record it makes. */
import {
  controlSet,
  fragmentSet,
  pathSet,
  percentEncode,
  querySet,
  specialQuerySet,
  userinfoSet,
} from './percent.ts';
import { parseHost } from './url-host.ts';

export type UrlRecord = {
  /** Without the colon. */
  scheme: string;
  username: string;
  password: string;
  /** As it is written; null = it has none, '' = an empty one. */
  host: string | null;
  port: number | null;
  /** Opaque, or '' or segments each after a `/`. */
  path: string;
  isOpaque: boolean;
  query: string | null;
  fragment: string | null;
};

const defaultPorts: Readonly<Record<string, number | null>> = {
  __proto__: null as never,
  ftp: 21,
  file: null,
  http: 80,
  https: 443,
  ws: 80,
  wss: 443,
};

export const isSpecial = (url: UrlRecord): boolean => url.scheme in defaultPorts;
export const isSpecialScheme = (scheme: string): boolean => scheme in defaultPorts;
const isDrive = (text: string): boolean => /^[a-z][:|]$/i.test(text);
/** Of a text without query and fragment. */
const startsWithDrive = (text: string): boolean => /^[a-z][:|](?:[/\\]|$)/i.test(text);

/** The port a URL of this scheme has when it says nothing else is no part of it. */
export function setPort(url: UrlRecord, port: number | null): void {
  url.port = port === defaultPorts[url.scheme] ? null : port;
}

export const withoutBreaks = (text: string): string =>
  /[\t\n\r]/.test(text) ? text.replace(/[\t\n\r]/g, '') : text;

/** Undefined when it is no URL. */
export function parseUrl(input: string, base?: UrlRecord): UrlRecord | undefined {
  // oxlint-disable-next-line no-control-regex -- the standard strips them
  const text = withoutBreaks(input.replace(/^[\0-\x20]+|[\0-\x20]+$/g, ''));
  const hash = text.indexOf('#');
  const fragment = hash < 0 ? null : percentEncode(text.slice(hash + 1), fragmentSet);
  const beforeHash = hash < 0 ? text : text.slice(0, hash);
  const mark = beforeHash.indexOf('?');
  const query = mark < 0 ? null : beforeHash.slice(mark + 1);
  const main = mark < 0 ? beforeHash : beforeHash.slice(0, mark);

  const scheme = /^[a-z][a-z0-9+.-]*:/i.exec(main)?.[0].slice(0, -1).toLowerCase();
  let url: UrlRecord | undefined;
  if (scheme !== undefined) {
    url = parseAfterScheme(main.slice(scheme.length + 1), scheme, base, hash >= 0 || mark >= 0);
  } else if (base === undefined) {
    return undefined;
  } else if (base.isOpaque) {
    if (main !== '' || query !== null || fragment === null) return undefined;
    url = { ...base };
  } else {
    url = base.scheme === 'file' ? parseFile(main, base) : parseRelative(main, base);
  }
  if (url === undefined) return undefined;
  if (query !== null) setQuery(url, query);
  url.fragment = fragment;
  return url;
}

export function setQuery(url: UrlRecord, query: string): void {
  url.query = percentEncode(query, isSpecial(url) ? specialQuerySet : querySet);
}

function emptyUrl(scheme: string): UrlRecord {
  return {
    scheme,
    username: '',
    password: '',
    host: null,
    port: null,
    path: '',
    isOpaque: false,
    query: null,
    fragment: null,
  };
}

function parseAfterScheme(
  rest: string,
  scheme: string,
  base: UrlRecord | undefined,
  goesOn: boolean,
): UrlRecord | undefined {
  if (scheme === 'file') return parseFile(rest, base?.scheme === 'file' ? base : undefined);
  const url = emptyUrl(scheme);
  if (isSpecial(url)) {
    if (base?.scheme === scheme && !rest.startsWith('//')) return parseRelative(rest, base);
    return parseAuthority(rest.replace(/^[/\\]+/, ''), url);
  }
  if (rest.startsWith('//')) return parseAuthority(rest.slice(2), url);
  if (rest.startsWith('/')) {
    parsePath(rest.slice(1), url);
    return url;
  }
  url.isOpaque = true;
  url.path = percentEncode(rest, controlSet);
  // A space at its end would be lost when the URL is parsed again without what follows.
  if (goesOn && rest.endsWith(' ')) url.path = `${url.path.slice(0, -1)}%20`;
  return url;
}

function parseRelative(text: string, base: UrlRecord): UrlRecord | undefined {
  const url = { ...base };
  const isSlash = slashOf(url);
  if (text === '') return url;
  url.query = null;
  if (!isSlash(text[0])) {
    shorten(url);
    parsePath(text, url, true);
    return url;
  }
  if (isSlash(text[1])) {
    const rest = isSpecial(url) ? text.replace(/^[/\\]+/, '') : text.slice(2);
    return parseAuthority(rest, emptyUrl(base.scheme));
  }
  parsePath(text.slice(1), url);
  return url;
}

/** `base` is a file's, too. */
function parseFile(text: string, base: UrlRecord | undefined): UrlRecord | undefined {
  const url: UrlRecord = { ...emptyUrl('file'), host: '' };
  const isSlash = slashOf(url);
  if (isSlash(text[0]) && isSlash(text[1])) {
    const rest = text.slice(2);
    const end = rest.search(/[/\\]|$/);
    const host = rest.slice(0, end);
    if (isDrive(host)) {
      parsePath(rest, url);
      return url;
    }
    if (!setFileHost(url, host)) return undefined;
    parsePathStart(rest.slice(end), url);
    return url;
  }
  if (isSlash(text[0])) {
    const rest = text.slice(1);
    if (base !== undefined) {
      url.host = base.host;
      const drive = base.path.slice(1).split('/')[0] as string;
      if (!startsWithDrive(rest) && /^[a-z]:$/i.test(drive)) url.path = `/${drive}`;
    }
    parsePath(rest, url, true);
    return url;
  }
  if (base === undefined) {
    parsePath(text, url);
    return url;
  }
  url.host = base.host;
  url.path = base.path;
  if (text === '') {
    url.query = base.query;
    return url;
  }
  if (startsWithDrive(text)) url.path = '';
  else shorten(url);
  parsePath(text, url, true);
  return url;
}

export function setFileHost(url: UrlRecord, text: string): boolean {
  const host = text === '' ? '' : parseHost(text, true);
  if (host === undefined) return false;
  url.host = host === 'localhost' ? '' : host;
  return true;
}

function parseAuthority(text: string, url: UrlRecord): UrlRecord | undefined {
  const end = text.search(isSpecial(url) ? /[/\\]|$/ : /\/|$/);
  const authority = text.slice(0, end);
  const at = authority.lastIndexOf('@');
  if (at >= 0) {
    const credentials = authority.slice(0, at);
    const colon = credentials.indexOf(':');
    url.username = percentEncode(
      colon < 0 ? credentials : credentials.slice(0, colon),
      userinfoSet,
    );
    if (colon >= 0) url.password = percentEncode(credentials.slice(colon + 1), userinfoSet);
  }
  const hostAndPort = authority.slice(at + 1);
  const colon = portColon(hostAndPort);
  const host = colon < 0 ? hostAndPort : hostAndPort.slice(0, colon);
  const port = colon < 0 ? '' : hostAndPort.slice(colon + 1);
  if (host === '' && (isSpecial(url) || at >= 0 || colon >= 0)) return undefined;
  const parsed = host === '' ? '' : parseHost(host, isSpecial(url));
  if (parsed === undefined || !/^[0-9]*$/.test(port) || Number(port) > 65_535) return undefined;
  url.host = parsed;
  if (port !== '') setPort(url, Number(port));
  parsePathStart(text.slice(end), url);
  return url;
}

/** Where the port's colon is, which is in no brackets; -1 = nowhere. */
export function portColon(text: string): number {
  const end = (/^(?:[^:[]|\[[^\]]*(?:\]|$))*/.exec(text) as RegExpExecArray)[0].length;
  return end < text.length ? end : -1;
}

/** Text from the `/` on; only URLs with a special scheme have a path at any rate. */
export function parsePathStart(text: string, url: UrlRecord): void {
  if (text === '' && !isSpecial(url)) url.path = '';
  else parsePath(slashOf(url)(text[0]) ? text.slice(1) : text, url);
}

/** Text without its first `/`; it comes after the path there is when it `isMore`. */
function parsePath(text: string, url: UrlRecord, isMore = false): void {
  if (!isMore) url.path = '';
  const encoded = percentEncode(text, pathSet);
  const segments = encoded.split(isSpecial(url) ? /[/\\]/ : '/');
  for (const [i, segment] of segments.entries()) {
    const isLast = i === segments.length - 1;
    const dots = segment.length > 6 ? '' : segment.replace(/%2e/gi, '.');
    if (dots === '..') {
      shorten(url);
      if (isLast) url.path += '/';
    } else if (dots === '.') {
      if (isLast) url.path += '/';
    } else if (url.scheme === 'file' && url.path === '' && isDrive(segment)) {
      url.path = `/${segment[0]}:`;
    } else {
      url.path += `/${segment}`;
    }
  }
}

function shorten(url: UrlRecord): void {
  if (url.scheme === 'file' && /^\/[a-z]:$/i.test(url.path)) return;
  url.path = url.path.slice(0, Math.max(0, url.path.lastIndexOf('/')));
}

function slashOf(url: UrlRecord): (unit: string | undefined) => boolean {
  return isSpecial(url) ? (unit) => unit === '/' || unit === '\\' : (unit) => unit === '/';
}

export function serializeUrl(url: UrlRecord, withFragment = true): string {
  let text = `${url.scheme}:`;
  if (url.host !== null) {
    text += '//';
    if (url.username !== '' || url.password !== '') {
      text += url.username;
      if (url.password !== '') text += `:${url.password}`;
      text += '@';
    }
    text += url.host;
    if (url.port !== null) text += `:${url.port}`;
  } else if (!url.isOpaque && url.path.startsWith('//')) {
    text += '/.';
  }
  text += url.path;
  if (url.query !== null) text += `?${url.query}`;
  if (withFragment && url.fragment !== null) text += `#${url.fragment}`;
  return text;
}
