/** `Response` of the fetch standard (§5.5). */
import {
  describeInterface,
  needArguments,
  toDictionary,
  toNumber,
  toUsv,
} from '../world/webidl.ts';
import { absoluteUrl } from './base-url.ts';
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

type ResponseInit = {
  readonly status?: number;
  readonly statusText?: string;
  readonly headers?: HeadersInit;
};

type ResponseType = 'basic' | 'default' | 'error';

type State = {
  readonly type: ResponseType;
  readonly url: string;
  readonly redirected: boolean;
  readonly status: number;
  readonly statusText: string;
  readonly headers: Headers;
  readonly content: Content | null;
};

/** With these nothing can come (§2.2.6). */
const withoutBody = new Set([101, 103, 204, 205, 304]);
const redirects = new Set([301, 302, 303, 307, 308]);

let make: (state: State) => Response;

export class Response {
  #state: State;

  constructor(...[body, init]: readonly [body?: BodyInit | null, init?: ResponseInit]) {
    const extracted = body === undefined || body === null ? undefined : extractBody(body);
    this.#state = initialized(init, extracted);
  }

  static error(): Response {
    return make({
      type: 'error',
      url: '',
      redirected: false,
      status: 0,
      statusText: '',
      headers: createHeaders([], 'immutable'),
      content: null,
    });
  }
  static redirect(url: string, ...[status]: readonly [status?: number]): Response {
    needArguments(arguments.length, 1, 'Response.redirect');
    const location = absoluteUrl(toUsv(url)).href;
    const number = status === undefined ? 302 : toUnsignedShort(status);
    if (!redirects.has(number)) {
      throw new RangeError(`The status ${number} is none of a redirect`);
    }
    const headers = createHeaders([['location', location]], 'immutable');
    return make({ ...initialized({ status: number }, undefined), headers });
  }
  static json(data: unknown, ...[init]: readonly [init?: ResponseInit]): Response {
    needArguments(arguments.length, 1, 'Response.json');
    const text = JSON.stringify(data) as string | undefined;
    if (text === undefined) throw new TypeError('This value has no JSON');
    const { content } = extractBody(text);
    return make(initialized(init, { content, type: 'application/json' }));
  }

  get type(): ResponseType {
    return this.#state.type;
  }
  get url(): string {
    return this.#state.url;
  }
  get redirected(): boolean {
    return this.#state.redirected;
  }
  get status(): number {
    return this.#state.status;
  }
  get ok(): boolean {
    const { status } = this.#state;
    return status >= 200 && status <= 299;
  }
  get statusText(): string {
    return this.#state.statusText;
  }
  get headers(): Headers {
    return this.#state.headers;
  }

  clone(): Response {
    const { content, headers, ...same } = this.#state;
    if (content?.isUnusable) throw new TypeError('The body has already been read');
    const guard: Guard = same.type === 'default' ? 'response' : 'immutable';
    const copy = createHeaders(headerPairs(headers), guard);
    return make({ ...same, headers: copy, content: content?.clone() ?? null });
  }

  static {
    make = (state) => {
      const response = new Response();
      response.#state = state;
      return response;
    };
    includeBody(this, (response) => response.#state);
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

/** "Initialize a response". */
function initialized(
  init: ResponseInit | undefined,
  body: ReturnType<typeof extractBody> | undefined,
): State {
  const own = toDictionary(init, 'The second argument of a Response');
  const headers = filledHeaders(own['headers'] as HeadersInit | undefined, 'response');
  const status = own['status'] === undefined ? 200 : toUnsignedShort(own['status']);
  const statusText = own['statusText'] === undefined ? '' : toByteString(own['statusText']);
  if (status < 200 || status > 599) {
    throw new RangeError(`The status of a Response is from 200 to 599, not ${status}`);
  }
  if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(statusText)) {
    throw new TypeError('The statusText has a character it cannot have');
  }
  if (body !== undefined) {
    if (withoutBody.has(status)) {
      throw new TypeError(`A Response with the status ${status} has no body`);
    }
    if (body.type !== undefined && !headers.has('content-type')) {
      headers.append('content-type', body.type);
    }
  }
  const content = body?.content ?? null;
  return { type: 'default', url: '', redirected: false, status, statusText, headers, content };
}

function toUnsignedShort(value: unknown): number {
  return toNumber(value) & 0xffff;
}

/** One from the network. */
export function arrivedResponse(from: {
  readonly url: string;
  readonly redirected: boolean;
  readonly status: number;
  readonly statusText: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly content: Content | null;
}): Response {
  const headers = createHeaders(from.headers, 'immutable');
  const content = withoutBody.has(from.status) ? null : from.content;
  return make({ ...from, type: 'basic', headers, content });
}
