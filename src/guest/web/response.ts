/** `Response` of the fetch standard. */
import { Body, type BodyInit, bodyBytes, type Pieces, piecesOf } from './body.ts';
import { Headers, type HeadersInit } from './headers.ts';

type ResponseInit = {
  readonly status?: number;
  readonly statusText?: string;
  readonly headers?: HeadersInit;
};

/** What only an answer from the network has. */
type Arrived = ResponseInit & {
  readonly url: string;
  readonly redirected: boolean;
  readonly pieces: Pieces;
};

/** By this `fetch` makes one, and nobody else. */
const arrived = new WeakMap<object, Arrived>();

export class Response extends Body {
  readonly type = 'default';
  readonly status: number;
  readonly statusText: string;
  readonly headers: Headers;
  readonly url: string;
  readonly redirected: boolean;

  constructor(body?: BodyInit | null, init: ResponseInit = {}) {
    const known = arrived.get(init);
    const own = body === undefined || body === null ? undefined : bodyBytes(body);
    super(known?.pieces ?? (own === undefined ? undefined : piecesOf(own.bytes)));
    this.status = init.status ?? 200;
    if (known === undefined && !(this.status >= 200 && this.status <= 599)) {
      throw new RangeError(`The status of a Response is from 200 to 599, not ${this.status}`);
    }
    this.statusText = init.statusText ?? '';
    this.headers = new Headers(init.headers);
    if (own?.type !== undefined && !this.headers.has('content-type')) {
      this.headers.set('content-type', own.type);
    }
    this.url = known?.url ?? '';
    this.redirected = known?.redirected ?? false;
  }

  static json(data: unknown, init: ResponseInit = {}): Response {
    const headers = new Headers(init.headers);
    if (!headers.has('content-type')) headers.set('content-type', 'application/json');
    return new Response(JSON.stringify(data), { ...init, headers });
  }

  get ok(): boolean {
    return this.status >= 200 && this.status <= 299;
  }
}

export function arrivedResponse(from: Arrived): Response {
  arrived.set(from, from);
  return new Response(null, from);
}
