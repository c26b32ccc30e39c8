/** What a module asks of `fetch`, checked: it comes out of an isolate and may be anything. */
import { isJsonObject, type Json } from '../core/json.ts';
import { acceptedEncodings } from './answer-body.ts';
import { ServiceError } from './device-services.ts';
import type { HostSettings } from './host-settings.ts';

export type FetchRequest = {
  /** The module's own number for it, by which it reads on or cancels. */
  readonly id: number;
  readonly url: URL;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | undefined;
  readonly redirect: 'follow' | 'error' | 'manual';
};

type Limits = Pick<HostSettings, 'fetchRequestBytesMax' | 'fetchHeaderBytesMax'>;

const URL_LENGTH_MAX = 8_192;
/** RFC 9110 §5.6.2. */
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** They open something else than an exchange of one request and one answer. */
const forbiddenMethods = new Set(['CONNECT', 'TRACE', 'TRACK']);
/**
 * They are about the connection, which is ours: another `Host` would reach a neighbour of what was granted
 * at the same address. Left out without a word, as the fetch standard has it.
 */
const ownHeaders =
  /^(connection|content-length|expect|host|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade)$/;

/** Throws a ServiceError. */
export function readFetchRequest(args: Json, limits: Limits): FetchRequest {
  const { id, url, method, headers, body, redirect } = isJsonObject(args) ? args : {};
  if (!Number.isSafeInteger(id) || typeof url !== 'string')
    throw invalid('it has no number or URL');
  if (typeof method !== 'string' || !token.test(method) || method.length > 64) {
    throw invalid('its method is no word of HTTP');
  }
  if (forbiddenMethods.has(method.toUpperCase())) {
    throw invalid(`the method ${method} is open to no module`);
  }
  if (redirect !== 'follow' && redirect !== 'error' && redirect !== 'manual') {
    throw invalid('its redirect must be "follow", "error" or "manual"');
  }
  return {
    id: id as number,
    url: readUrl(url),
    method,
    headers: readHeaders(headers, limits.fetchHeaderBytesMax),
    body: readBody(body, limits.fetchRequestBytesMax),
    redirect,
  };
}

/** `base`: the address that redirects to `text`. Throws a ServiceError for whatever is not plain HTTP. */
export function readUrl(text: string, base?: URL): URL {
  if (text.length > URL_LENGTH_MAX)
    throw invalid(`its URL is longer than ${URL_LENGTH_MAX} characters`);
  const url = URL.parse(text, base?.href);
  if (url === null)
    throw invalid('its URL is not valid: it begins with http:// or https:// and a host');
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new ServiceError(
      'EPROTONOSUPPORT',
      `fetch: "${url.protocol}" is not open to modules: http: and https: are`,
    );
  }
  if (url.username !== '' || url.password !== '') {
    throw invalid(
      `its URL has a user name or password before ${url.host}: put them into the header "Authorization"`,
    );
  }
  return url;
}

/** The host as grants name it. */
export function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
}

export function portOf(url: URL): number {
  return Number(url.port || (/^(?:https|wss):$/.test(url.protocol) ? 443 : 80));
}

function readHeaders(value: Json | undefined, bytesMax: number): Readonly<Record<string, string>> {
  if (!Array.isArray(value)) throw invalid('its headers are no list');
  const headers: Record<string, string> = {
    accept: '*/*',
    'accept-encoding': acceptedEncodings,
    'user-agent': 'isolet',
  };
  let bytes = 0;
  for (const pair of value as readonly Json[]) {
    const [name, text] = Array.isArray(pair) ? (pair as readonly Json[]) : [];
    if (typeof name !== 'string' || typeof text !== 'string' || !token.test(name)) {
      throw invalid('the name of a header is no word of HTTP');
    }
    if (/[^\t\x20-\x7e\x80-\xff]/.test(text)) {
      throw invalid(
        `the header "${name}" has a line break or another character no header can have`,
      );
    }
    bytes += name.length + text.length + 4;
    const lower = name.toLowerCase();
    if (!ownHeaders.test(lower)) headers[lower] = text;
    // A part of a packed body could not be unpacked.
    if (lower === 'range') headers['accept-encoding'] = 'identity';
  }
  if (bytes <= bytesMax) return headers;
  throw new ServiceError(
    'EMSGSIZE',
    `fetch: its headers take ${bytes} bytes, more than ${bytesMax} (isolet.fetch.header_kb)`,
  );
}

function readBody(value: Json | undefined, bytesMax: number): Uint8Array | undefined {
  if (value === null || value === undefined) return undefined;
  if (typeof value !== 'string') throw invalid('its body is neither base64 nor nothing');
  const bytes = Buffer.from(value, 'base64');
  if (bytes.byteLength <= bytesMax) return bytes;
  throw new ServiceError(
    'EMSGSIZE',
    `fetch: its body has ${bytes.byteLength} bytes, more than ${bytesMax}: send it in parts`,
  );
}

function invalid(problem: string): ServiceError {
  return new ServiceError('EINVAL', `fetch: ${problem}`);
}
