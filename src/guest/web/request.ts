/** `Request` of the fetch standard, as far as an HTTP client needs it. */
import type { AbortSignal } from './abort.ts';
import { Body, type BodyInit, bodyBytes, piecesOf } from './body.ts';
import { Headers, type HeadersInit } from './headers.ts';

type Redirect = 'follow' | 'error' | 'manual';

export type RequestInit = {
  readonly method?: string;
  readonly headers?: HeadersInit;
  readonly body?: BodyInit | null;
  readonly redirect?: Redirect;
  readonly signal?: AbortSignal | null;
};

/** A string, a URL, or another Request. */
export type RequestInput = string | { toString(): string } | Request;

let contentOf: (request: Request) => Uint8Array | undefined;

export class Request extends Body {
  readonly url: string;
  readonly method: string;
  readonly headers: Headers;
  readonly redirect: Redirect;
  readonly signal: AbortSignal | null;
  readonly #content: Uint8Array | undefined;

  static {
    contentOf = (request) => request.#content;
  }

  constructor(input: RequestInput, init: RequestInit = {}) {
    const from = input instanceof Request ? input : undefined;
    const own = init.body === undefined || init.body === null ? undefined : bodyBytes(init.body);
    const content = own?.bytes ?? (from === undefined ? undefined : contentOf(from));
    super(content === undefined ? undefined : piecesOf(content));
    if (from !== undefined && own === undefined && from.bodyUsed) {
      throw new TypeError('The body of this Request has already been read');
    }
    this.#content = content;
    this.url = from === undefined ? String(input) : from.url;
    this.method = readMethod(init.method ?? from?.method ?? 'GET');
    if (content !== undefined && (this.method === 'GET' || this.method === 'HEAD')) {
      throw new TypeError(`A request with the method ${this.method} has no body`);
    }
    this.headers = new Headers(init.headers ?? from?.headers);
    if (own?.type !== undefined && !this.headers.has('content-type')) {
      this.headers.set('content-type', own.type);
    }
    this.redirect = init.redirect ?? from?.redirect ?? 'follow';
    this.signal = init.signal === undefined ? (from?.signal ?? null) : init.signal;
  }
}

/** Its body as one, without counting as read. */
export function contentOfRequest(request: Request): Uint8Array | undefined {
  return contentOf(request);
}

/** The usual ones in any case; the standard forgot `patch`, and servers refuse it so. */
function readMethod(method: string): string {
  const upper = String(method).toUpperCase();
  const usual = ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT'];
  return usual.includes(upper) ? upper : String(method);
}
