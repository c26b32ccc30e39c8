/** `URL` (URL standard §6.1). */
import { describeInterface, needArguments, toUsv } from '../world/webidl.ts';
import { fragmentSet, percentEncode, userinfoSet } from './percent.ts';
import { parseHost } from './url-host.ts';
import {
  isSpecial,
  isSpecialScheme,
  parsePathStart,
  parseUrl,
  portColon,
  serializeUrl,
  setFileHost,
  setPort,
  setQuery,
  type UrlRecord,
  withoutBreaks,
} from './url-record.ts';
import { searchParams, type URLSearchParams } from './url-search-params.ts';

export class URL {
  #url: UrlRecord;
  #params: URLSearchParams | undefined;

  constructor(url: string | { toString(): string }, ...[base]: readonly [base?: string | object]) {
    needArguments(arguments.length, 1, 'The constructor of URL');
    const text = toUsv(url);
    const record = parseWithBase(text, base);
    if (record === undefined) throw invalid(text, base);
    this.#url = record;
  }

  static parse(url: string, ...[base]: readonly [base?: string]): URL | null {
    needArguments(arguments.length, 1, 'URL.parse');
    const record = parseWithBase(toUsv(url), base);
    if (record === undefined) return null;
    const result = new URL('a:');
    result.#url = record;
    return result;
  }
  static canParse(url: string, ...[base]: readonly [base?: string]): boolean {
    needArguments(arguments.length, 1, 'URL.canParse');
    return parseWithBase(toUsv(url), base) !== undefined;
  }

  get href(): string {
    return serializeUrl(this.#url);
  }
  set href(value: string) {
    void this.#url;
    const text = toUsv(value);
    const url = parseUrl(text);
    if (url === undefined) throw invalid(text);
    this.#url = url;
    this.#resetParams();
  }
  toString(): string {
    return serializeUrl(this.#url);
  }
  get origin(): string {
    return originOf(this.#url);
  }

  get protocol(): string {
    return `${this.#url.scheme}:`;
  }
  set protocol(value: string) {
    const url = this.#url;
    const scheme = /^([a-z][a-z0-9+.-]*)(?::|$)/i
      .exec(withoutBreaks(toUsv(value)))?.[1]
      ?.toLowerCase();
    if (scheme === undefined || isSpecialScheme(scheme) !== isSpecial(url)) return;
    if (scheme === 'file' && (hasCredentials(url) || url.port !== null)) return;
    if (url.scheme === 'file' && url.host === '') return;
    url.scheme = scheme;
    setPort(url, url.port);
  }

  get username(): string {
    return this.#url.username;
  }
  set username(value: string) {
    const url = this.#url;
    const text = toUsv(value);
    if (mayHaveCredentials(url)) url.username = percentEncode(text, userinfoSet);
  }
  get password(): string {
    return this.#url.password;
  }
  set password(value: string) {
    const url = this.#url;
    const text = toUsv(value);
    if (mayHaveCredentials(url)) url.password = percentEncode(text, userinfoSet);
  }

  get host(): string {
    const { host, port } = this.#url;
    return port === null ? (host ?? '') : `${host}:${port}`;
  }
  set host(value: string) {
    setHost(this.#url, toUsv(value), true);
  }
  get hostname(): string {
    return this.#url.host ?? '';
  }
  set hostname(value: string) {
    setHost(this.#url, toUsv(value), false);
  }
  get port(): string {
    return `${this.#url.port ?? ''}`;
  }
  set port(value: string) {
    const url = this.#url;
    const text = toUsv(value);
    if (!mayHaveCredentials(url)) return;
    if (text === '') url.port = null;
    else setPortText(url, withoutBreaks(text));
  }

  get pathname(): string {
    return this.#url.path;
  }
  set pathname(value: string) {
    const url = this.#url;
    const text = withoutBreaks(toUsv(value));
    if (url.isOpaque) return;
    parsePathStart(text, url);
    if (text === '' && url.host === null) url.path = '/';
  }

  get search(): string {
    const { query } = this.#url;
    return query === null || query === '' ? '' : `?${query}`;
  }
  set search(value: string) {
    const url = this.#url;
    const text = toUsv(value);
    if (text === '') url.query = null;
    else setQuery(url, withoutBreaks(text.startsWith('?') ? text.slice(1) : text));
    this.#resetParams();
  }
  get searchParams(): URLSearchParams {
    this.#params ??= searchParams.bound(this.#url.query ?? '', (query) => {
      this.#url.query = query === '' ? null : query;
    });
    return this.#params;
  }

  get hash(): string {
    const { fragment } = this.#url;
    return fragment === null || fragment === '' ? '' : `#${fragment}`;
  }
  set hash(value: string) {
    const url = this.#url;
    const text = toUsv(value);
    const fragment = withoutBreaks(text.startsWith('#') ? text.slice(1) : text);
    url.fragment = text === '' ? null : percentEncode(fragment, fragmentSet);
  }

  toJSON(): string {
    return serializeUrl(this.#url);
  }

  #resetParams(): void {
    if (this.#params !== undefined) searchParams.reset(this.#params, this.#url.query ?? '');
  }

  static {
    describeInterface(this);
  }
}

function parseWithBase(text: string, base: unknown): UrlRecord | undefined {
  if (base === undefined) return parseUrl(text);
  const record = parseUrl(toUsv(base));
  return record && parseUrl(text, record);
}

/** As Node's: with `code`, and the text. */
function invalid(input: string, base?: unknown): TypeError {
  const more = base === undefined ? {} : { base: `${base as string}` };
  return Object.assign(new TypeError('Invalid URL'), { code: 'ERR_INVALID_URL', input, ...more });
}

function originOf(url: UrlRecord): string {
  if (url.scheme === 'blob') {
    const inner = parseUrl(url.path);
    return inner !== undefined && /^https?$/.test(inner.scheme) ? originOf(inner) : 'null';
  }
  if (!isSpecial(url) || url.scheme === 'file') return 'null';
  return `${url.scheme}://${url.host}${url.port === null ? '' : `:${url.port}`}`;
}

const hasCredentials = (url: UrlRecord): boolean => url.username !== '' || url.password !== '';

const mayHaveCredentials = (url: UrlRecord): boolean =>
  url.host !== null && url.host !== '' && url.scheme !== 'file';

function setHost(url: UrlRecord, value: string, withPort: boolean): void {
  if (url.isOpaque) return;
  const text = withoutBreaks(value);
  const end = text.search(isSpecial(url) ? /[/\\?#]|$/ : /[/?#]|$/);
  const whole = text.slice(0, end);
  if (url.scheme === 'file') {
    setFileHost(url, whole);
    return;
  }
  const colon = portColon(whole);
  const name = colon < 0 ? whole : whole.slice(0, colon);
  if (colon >= 0 && (name === '' || !withPort)) return;
  if (name === '' && (isSpecial(url) || hasCredentials(url) || url.port !== null)) return;
  const host = name === '' ? '' : parseHost(name, isSpecial(url));
  if (host === undefined) return;
  url.host = host;
  if (colon >= 0) setPortText(url, whole.slice(colon + 1));
}

/** What comes behind the digits does not count. */
function setPortText(url: UrlRecord, text: string): void {
  const digits = /^[0-9]+/.exec(text)?.[0];
  if (digits !== undefined && Number(digits) <= 65_535) setPort(url, Number(digits));
}
