/** `Request` of the fetch standard (§5.4). What only browsers look at is kept and told, and changes nothing. */
import { describeInterface, needArguments, toDictionary, toUsv } from '../world/webidl.ts';
import { AbortSignal, isAbortSignal } from './abort.ts';
import { absoluteUrl, ownOrigin } from './base-url.ts';
import type { Blob } from './blob.ts';
import { type Body, type BodyInit, extractBody, includeBody } from './body.ts';
import type { Content } from './content.ts';
import {
  createHeaders,
  filledHeaders,
  type Guard,
  type Headers,
  type HeadersInit,
  headerPairs,
  toByteString,
} from './headers.ts';
import { blobAt } from './object-url.ts';
import { URL } from './url.ts';

export type RequestInit = {
  readonly method?: string;
  readonly headers?: HeadersInit;
  readonly body?: BodyInit | null;
  readonly redirect?: Redirect;
  readonly signal?: AbortSignal | null;
  readonly keepalive?: boolean;
  readonly duplex?: 'half';
  readonly [more: string]: unknown;
};

/** A string, a URL, or another Request. */
export type RequestInput = string | { toString(): string } | Request;

export type Redirect = 'follow' | 'error' | 'manual';

/** The words a member of the dictionary may be; what no member says is what the input has. */
const words = {
  cache: ['default', 'no-store', 'reload', 'no-cache', 'force-cache', 'only-if-cached'],
  credentials: ['omit', 'same-origin', 'include'],
  mode: ['same-origin', 'no-cors', 'cors', 'navigate', 'websocket'],
  redirect: ['follow', 'error', 'manual'],
  referrerPolicy: [
    '',
    'no-referrer',
    'no-referrer-when-downgrade',
    'same-origin',
    'origin',
    'strict-origin',
    'origin-when-cross-origin',
    'strict-origin-when-cross-origin',
    'unsafe-url',
  ],
} as const;
type Word = keyof typeof words;

type Words = Readonly<Record<Word, string>>;
type State = Words & {
  readonly method: string;
  readonly url: URL;
  readonly headers: Headers;
  readonly referrer: string;
  readonly integrity: string;
  readonly keepalive: boolean;
  readonly signal: AbortSignal;
  readonly content: Content | null;
  /** What its `blob:` URL stood for when it was made. */
  readonly blob: Blob | undefined;
};

/** Stands for a state in the place of the first argument: `clone` knows all there is. */
const made = new WeakMap<object, State>();
let stateIn: (request: Request) => State;
let isIn: (value: object) => boolean;

export class Request {
  readonly #state: State;

  constructor(input: RequestInput, ...[init]: readonly [init?: RequestInit]) {
    needArguments(arguments.length, 1, 'The constructor of Request');
    this.#state = made.get(input as object) ?? readState(input, init);
  }

  get method(): string {
    return this.#state.method;
  }
  get url(): string {
    return this.#state.url.href;
  }
  get headers(): Headers {
    return this.#state.headers;
  }
  get destination(): string {
    void this.#state;
    return '';
  }
  get referrer(): string {
    return this.#state.referrer;
  }
  get referrerPolicy(): string {
    return this.#state.referrerPolicy;
  }
  get mode(): string {
    return this.#state.mode;
  }
  get credentials(): string {
    return this.#state.credentials;
  }
  get cache(): string {
    return this.#state.cache;
  }
  get redirect(): Redirect {
    return this.#state.redirect as Redirect;
  }
  get integrity(): string {
    return this.#state.integrity;
  }
  get keepalive(): boolean {
    return this.#state.keepalive;
  }
  get isReloadNavigation(): boolean {
    void this.#state;
    return false;
  }
  get isHistoryNavigation(): boolean {
    void this.#state;
    return false;
  }
  get signal(): AbortSignal {
    return this.#state.signal;
  }
  get duplex(): 'half' {
    void this.#state;
    return 'half';
  }

  clone(): Request {
    const state = this.#state;
    if (state.content?.isUnusable) throw new TypeError('The body has already been read');
    const key = {};
    made.set(key, {
      ...state,
      headers: createHeaders(headerPairs(state.headers), guardOf(state.mode)),
      signal: AbortSignal.any([state.signal]),
      content: state.content?.clone() ?? null,
    });
    return new Request(key);
  }

  static {
    stateIn = (request) => request.#state;
    isIn = (value) => #state in value;
    includeBody(this, (request) => request.#state);
    describeInterface(this);
  }
  declare readonly body: Body['body'];
  declare readonly bodyUsed: Body['bodyUsed'];
  declare readonly arrayBuffer: Body['arrayBuffer'];
  declare readonly blob: Body['blob'];
  declare readonly bytes: Body['bytes'];
  declare readonly formData: Body['formData'];
  declare readonly json: Body['json'];
  declare readonly text: Body['text'];
  declare readonly textStream: Body['textStream'];
}

/** What `fetch` sends. */
export function requestState(request: Request): Pick<State, 'blob' | 'content' | 'signal' | 'url'> {
  return stateIn(request);
}

function isRequest(value: unknown): value is Request {
  return typeof value === 'object' && value !== null && isIn(value);
}

/** What the dictionary says, converted in the order WebIDL has: by the members' names. */
function readInit(init: unknown) {
  const own = toDictionary(init, 'The second argument of a Request');
  const { body: bodyInit } = own;
  const body = bodyInit === undefined || bodyInit === null ? undefined : extractBody(bodyInit);
  const word = (name: Word): string | undefined => {
    if (own[name] === undefined) return undefined;
    const text = `${own[name] as string}`;
    if ((words[name] as readonly string[]).includes(text)) return text;
    throw new TypeError(`The "${name}" of a Request is none of ${words[name].join(', ')}`);
  };
  const cache = word('cache');
  const credentials = word('credentials');
  const { duplex } = own;
  if (duplex !== undefined && `${duplex as string}` !== 'half') {
    throw new TypeError('The "duplex" of a Request must be "half"');
  }
  const headers = own['headers'] as HeadersInit | undefined;
  const integrity = own['integrity'] === undefined ? undefined : `${own['integrity'] as string}`;
  const keepalive = own['keepalive'] === undefined ? undefined : Boolean(own['keepalive']);
  const method = own['method'] === undefined ? undefined : toByteString(own['method']);
  const mode = word('mode');
  const { priority } = own;
  if (priority !== undefined && !/^(?:high|low|auto)$/.test(`${priority as string}`)) {
    throw new TypeError('The "priority" of a Request is high, low or auto');
  }
  const redirect = word('redirect');
  const referrer = own['referrer'] === undefined ? undefined : toUsv(own['referrer']);
  const referrerPolicy = word('referrerPolicy');
  const { signal } = own;
  if (signal !== undefined && signal !== null && !isAbortSignal(signal)) {
    throw new TypeError('The "signal" of a Request must be an AbortSignal');
  }
  if (own['window'] !== undefined && own['window'] !== null) {
    throw new TypeError('The "window" of a Request can only be null');
  }
  const streamed = body?.content.isStreamed === true;
  if (streamed && (duplex === undefined || keepalive === true)) {
    throw new TypeError(
      'A Request whose body is a stream needs { duplex: "half" }, and no "keepalive"',
    );
  }
  const given = { cache, credentials, headers, integrity, keepalive, method, mode, redirect };
  return { ...given, referrer, referrerPolicy, signal, body };
}

/** The steps of the constructor. */
function readState(input: RequestInput, init: RequestInit | undefined): State {
  const from = isRequest(input) ? stateIn(input) : undefined;
  const address = from === undefined ? toUsv(input) : '';
  const given = readInit(init);
  const url = from?.url ?? requestUrl(address);
  const { body } = given;
  const mode = given.mode ?? from?.mode ?? 'cors';
  if (mode === 'navigate' || mode === 'websocket') {
    throw new TypeError(`The mode of a Request cannot be "${mode}"`);
  }
  const cache = given.cache ?? from?.cache ?? 'default';
  if (cache === 'only-if-cached' && mode !== 'same-origin') {
    throw new TypeError('The cache mode "only-if-cached" needs the mode "same-origin"');
  }
  const method = given.method === undefined ? (from?.method ?? 'GET') : readMethod(given.method);
  if (mode === 'no-cors' && !/^(?:GET|HEAD|POST)$/.test(method)) {
    throw new TypeError(`A request of the mode "no-cors" cannot have the method ${method}`);
  }
  const signal = given.signal === undefined ? from?.signal : given.signal;
  const same = from === undefined ? undefined : pairsOf(from.headers);
  const own = given.headers === undefined ? same : given.headers;
  const headers = filledHeaders(own as HeadersInit | undefined, guardOf(mode));
  const inherited = from?.content ?? null;
  if ((body !== undefined || inherited !== null) && /^(?:GET|HEAD)$/.test(method)) {
    throw new TypeError(`A request with the method ${method} has no body`);
  }
  if (body?.type !== undefined && !headers.has('content-type')) {
    headers.append('content-type', body.type);
  }
  const streamed = (body?.content ?? inherited)?.isStreamed === true;
  if (streamed && mode === 'no-cors') {
    throw new TypeError('A request of the mode "no-cors" cannot send a stream');
  }
  if (body === undefined && inherited?.isUnusable) {
    throw new TypeError('The body of this Request has already been read');
  }
  return {
    method,
    url,
    headers,
    mode,
    cache,
    credentials: given.credentials ?? from?.credentials ?? 'same-origin',
    redirect: given.redirect ?? from?.redirect ?? 'follow',
    referrer:
      given.referrer === undefined
        ? (from?.referrer ?? 'about:client')
        : toReferrer(given.referrer),
    referrerPolicy: given.referrerPolicy ?? from?.referrerPolicy ?? '',
    integrity: given.integrity ?? from?.integrity ?? '',
    keepalive: given.keepalive ?? from?.keepalive ?? false,
    signal: AbortSignal.any(signal ? [signal as AbortSignal] : []),
    blob: from === undefined ? blobAt(url.href) : from.blob,
    content: body === undefined ? (inherited?.take() ?? null) : body.content,
  };
}

function pairsOf(headers: Headers): HeadersInit {
  return headerPairs(headers).map(([name, value]) => [name, value] as const);
}

function guardOf(mode: string): Guard {
  return mode === 'no-cors' ? 'request-no-cors' : 'request';
}

/** Throws a TypeError. A user and a password in a URL would be told to whoever reads logs. */
function requestUrl(text: string): URL {
  const url = absoluteUrl(text);
  if (url.username === '' && url.password === '') return url;
  throw Object.assign(
    new TypeError(
      `The URL has a user name or password before ${url.host}: put them into the header "Authorization"`,
    ),
    { code: 'EINVAL' },
  );
}

function toReferrer(text: string): string {
  if (text === '') return '';
  const url = absoluteUrl(text);
  const isOther = url.href === 'about:client' || url.origin !== ownOrigin();
  return isOther || url.origin === 'null' ? 'about:client' : url.href;
}

const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** These in any case (Fetch §2.2.1, "normalize"); `patch` stays as it is, and servers refuse it so. */
function readMethod(method: string): string {
  const upper = method.toUpperCase();
  if (!token.test(method) || ['CONNECT', 'TRACE', 'TRACK'].includes(upper)) {
    throw new TypeError(`Its method is no word of HTTP open to modules: ${JSON.stringify(method)}`);
  }
  const usual = ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'POST', 'PUT'];
  return usual.includes(upper) ? upper : method;
}
