/** The answer to one request, as Node's servers have it. */
import { takeSeam } from '../seam.ts';
import type { IncomingMessage, RemoteSocket } from './incoming-message.ts';
import { createOutgoingBody } from './outgoing-body.ts';
import { addSender, removeSender, type Sender, wake } from './wire.ts';
import {
  coded,
  type Encoding,
  type HeaderValue,
  isLine,
  notHere,
  STATUS_CODES,
  validateHeaderName,
  validateHeaderValue,
} from './words.ts';

const seam = takeSeam();
/** Characters that may wait before `write` says no, as a stream's high-water mark. */
const WRITE_MAX = 65_536;

type Done = (error?: Error | null) => void;
type Headers = Readonly<Record<string, HeaderValue | undefined>> | readonly unknown[];

export class ServerResponse extends seam.EventEmitter {
  readonly req: IncomingMessage;
  readonly socket: RemoteSocket;
  statusCode = 200;
  statusMessage = '';
  sendDate = true;
  strictContentLength = false;
  shouldKeepAlive = true;
  headersSent = false;
  finished = false;
  writableEnded = false;
  writableFinished = false;
  destroyed = false;
  readonly writable = true;
  readonly writableHighWaterMark = WRITE_MAX;
  writableNeedDrain = false;
  readonly #headers = new Map<string, { name: string; value: HeaderValue }>();
  readonly #body = createOutgoingBody();
  readonly #sender: Sender;
  #headTaken = false;
  #endTaken = false;
  #full = false;
  #done: readonly (readonly Done[])[] = [];

  constructor(id: number, request: IncomingMessage) {
    super();
    this.req = request;
    this.socket = request.socket;
    this.#sender = {
      id,
      take: () => this.#take(id),
      taken: (how) => this.#taken(how),
      drained: () => {
        this.#full = false;
        this.#relieve();
        wake(this.#sender);
      },
      gone: () => this.#gone(),
    };
    addSender(this.#sender);
  }

  get connection(): RemoteSocket {
    return this.socket;
  }

  get writableLength(): number {
    return this.#body.length();
  }

  setHeader(name: string, value: HeaderValue): this {
    this.#refuseLate('set');
    validateHeaderName(name);
    for (const one of Array.isArray(value) ? value : [value]) validateHeaderValue(name, one);
    this.#headers.set(name.toLowerCase(), { name, value });
    return this;
  }

  setHeaders(headers: Iterable<readonly [string, HeaderValue]>): this {
    for (const [name, value] of headers) this.setHeader(name, value);
    return this;
  }

  appendHeader(name: string, value: HeaderValue): this {
    const known = this.getHeader(name);
    if (known === undefined) return this.setHeader(name, value);
    const more = Array.isArray(value) ? value : [String(value)];
    return this.setHeader(name, [
      ...(Array.isArray(known) ? known : [String(known)]),
      ...(more as string[]),
    ]);
  }

  getHeader(name: string): HeaderValue | undefined {
    return this.#headers.get(name.toLowerCase())?.value;
  }

  getHeaders(): Record<string, HeaderValue> {
    const headers = Object.create(null) as Record<string, HeaderValue>;
    for (const [key, { value }] of this.#headers) headers[key] = value;
    return headers;
  }

  getHeaderNames(): string[] {
    return [...this.#headers.keys()];
  }

  hasHeader(name: string): boolean {
    return this.#headers.has(name.toLowerCase());
  }

  removeHeader(name: string): void {
    this.#refuseLate('remove');
    this.#headers.delete(name.toLowerCase());
  }

  writeHead(statusCode: number, messageOrHeaders?: string | Headers, headers?: Headers): this {
    this.#refuseLate('write');
    const hasMessage = typeof messageOrHeaders === 'string';
    const given = hasMessage ? headers : messageOrHeaders;
    this.#checkStatus(statusCode);
    for (const [name, value] of pairsOf(given)) this.setHeader(name, value);
    this.statusCode = statusCode;
    if (hasMessage) this.statusMessage = messageOrHeaders;
    this.#sendHead();
    return this;
  }

  flushHeaders(): void {
    if (this.headersSent) return;
    this.#sendHead();
    wake(this.#sender);
  }

  write(chunk: string | Uint8Array, encoding?: Encoding | Done, done?: Done): boolean {
    const after = typeof encoding === 'function' ? encoding : done;
    if (this.writableEnded) {
      const error = coded(new Error('write after end'), 'ERR_STREAM_WRITE_AFTER_END');
      seam.nextTick(() => {
        after?.(error);
        if (this.listenerCount('error') > 0) this.emit('error', error);
      });
      return false;
    }
    if (!this.headersSent) this.#sendHead();
    if (this.destroyed) return false;
    this.#push(chunk, typeof encoding === 'string' ? encoding : undefined, after);
    wake(this.#sender);
    this.writableNeedDrain = this.#full || this.#body.length() >= WRITE_MAX;
    return !this.writableNeedDrain;
  }

  end(chunk?: string | Uint8Array | Done | null, encoding?: Encoding | Done, done?: Done): this {
    const after = [chunk, encoding, done].find((one) => typeof one === 'function');
    if (this.writableEnded) {
      after?.(coded(new Error('end after end'), 'ERR_STREAM_ALREADY_FINISHED'));
      return this;
    }
    const data = typeof chunk === 'function' ? undefined : (chunk ?? undefined);
    const inEncoding = typeof encoding === 'string' ? encoding : undefined;
    if (!this.headersSent) {
      const known = this.hasHeader('content-length') || this.hasHeader('transfer-encoding');
      const empty = this.statusCode === 204 || this.statusCode === 304;
      if (!known && !empty) this.setHeader('Content-Length', byteLength(data, inEncoding));
      this.#sendHead();
    }
    if (data !== undefined && data.length > 0 && !this.destroyed) this.#push(data, inEncoding);
    if (after !== undefined) this.once('finish', after);
    this.writableEnded = true;
    this.finished = true;
    if (!this.destroyed) wake(this.#sender);
    return this;
  }

  destroy(): this {
    // The host cuts the connection when an answer ends at the wrong place.
    if (!this.destroyed) {
      this.#body.clear();
      this.#gone();
      this.socket.destroy();
    }
    return this;
  }

  setTimeout(): this {
    return this;
  }

  cork(): void {}

  uncork(): void {}

  writeContinue(): void {}

  writeProcessing(): void {
    throw notHere('interim answers (1xx)', 'answer once, with a final status');
  }

  writeEarlyHints(): void {
    this.writeProcessing();
  }

  addTrailers(): void {
    throw notHere('trailers', 'send what you know before the body as headers');
  }

  // ------------------------------------------------------------------------------ towards the host

  #push(chunk: string | Uint8Array, encoding?: Encoding, done?: Done): void {
    if (typeof chunk !== 'string' && !ArrayBuffer.isView(chunk)) {
      throw coded(
        new TypeError(
          `The "chunk" argument must be of type string or an instance of Buffer or Uint8Array. Received ${typeof chunk}`,
        ),
        'ERR_INVALID_ARG_TYPE',
      );
    }
    this.#body.push(chunk, encoding, done);
  }

  #sendHead(): void {
    this.#checkStatus(this.statusCode);
    if (!isLine(this.statusMessage)) {
      throw coded(new TypeError('Invalid character in statusMessage'), 'ERR_INVALID_CHAR');
    }
    if (this.statusMessage === '') this.statusMessage = STATUS_CODES[this.statusCode] ?? 'unknown';
    this.headersSent = true;
  }

  #checkStatus(status: number): void {
    if (Number.isInteger(status) && status >= 200 && status <= 999) return;
    throw coded(
      new RangeError(`Invalid status code: ${String(status)}`),
      'ERR_HTTP_INVALID_STATUS_CODE',
    );
  }

  #refuseLate(what: string): void {
    if (!this.headersSent) return;
    throw coded(
      new Error(`Cannot ${what} headers after they are sent to the client`),
      'ERR_HTTP_HEADERS_SENT',
    );
  }

  #take(id: number): ReturnType<Sender['take']> {
    if (this.destroyed || this.#endTaken || this.#full || !this.headersSent) return undefined;
    const hasBody = this.#body.length() > 0;
    if (this.#headTaken && !hasBody && !this.writableEnded) return undefined;
    const head = this.#headTaken ? null : this.#head();
    const { data, base64, done } = this.#body.take();
    const end = this.writableEnded && this.#body.length() === 0;
    this.#headTaken = true;
    this.#endTaken = end;
    this.#done = [...this.#done, done];
    return { id, head, data: data === '' ? null : data, base64, end };
  }

  #head(): { readonly status: number; readonly message: string; readonly headers: string[][] } {
    const headers = [...this.#headers.values()].flatMap(({ name, value }) =>
      (Array.isArray(value) ? value : [value]).map((one) => [name, String(one)]),
    );
    if (!this.shouldKeepAlive) headers.push(['Connection', 'close']);
    return { status: this.statusCode, message: this.statusMessage, headers };
  }

  #taken(how: string): void {
    const [done = [], ...rest] = this.#done;
    this.#done = rest;
    if (this.destroyed) return;
    for (const one of done) one();
    if (how === 'gone') {
      this.#gone();
      return;
    }
    if (how === 'full') this.#full = true;
    else this.#relieve();
    if (this.#endTaken && rest.length === 0) this.#finish();
  }

  #relieve(): void {
    if (!this.writableNeedDrain || this.#full || this.#body.length() > 0) return;
    this.writableNeedDrain = false;
    this.emit('drain');
  }

  #finish(): void {
    if (this.writableFinished) return;
    this.writableFinished = true;
    removeSender(this.#sender);
    this.emit('finish');
    this.req.over();
    this.emit('close');
  }

  #gone(): void {
    if (this.destroyed || this.writableFinished) return;
    this.destroyed = true;
    this.#body.clear();
    removeSender(this.#sender);
    this.req.abort();
    this.emit('close');
  }
}

function pairsOf(headers: Headers | undefined): readonly (readonly [string, HeaderValue])[] {
  if (headers === undefined || headers === null) return [];
  if (!Array.isArray(headers)) {
    return Object.entries(headers as Record<string, HeaderValue>).filter(
      ([, value]) => value !== undefined,
    );
  }
  if (headers.every((one) => Array.isArray(one))) return headers as [string, HeaderValue][];
  return headers.flatMap((name, index) =>
    index % 2 === 0 ? [[name as string, headers[index + 1] as HeaderValue] as const] : [],
  );
}

function byteLength(data: string | Uint8Array | undefined, encoding?: Encoding): number {
  if (data === undefined) return 0;
  return typeof data === 'string' ? Buffer.byteLength(data, encoding) : data.byteLength;
}
