/** A request as Node's servers give it. Its body has come whole; it is handed out as a stream's. */
import { takeSeam } from '../seam.ts';
import type { RequestNews } from './wire.ts';
import { type Encoding, joinHeaders } from './words.ts';

const seam = takeSeam();

export type RemoteSocket = {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly remoteFamily: string;
  readonly localPort: number;
  readonly encrypted: false;
  destroy(): void;
  on(): RemoteSocket;
  once(): RemoteSocket;
  off(): RemoteSocket;
  removeListener(): RemoteSocket;
  setTimeout(): RemoteSocket;
  setNoDelay(): RemoteSocket;
  setKeepAlive(): RemoteSocket;
};

type Destination = {
  write(chunk: Buffer | string): boolean;
  end(): void;
  emit?(name: string, ...args: unknown[]): boolean;
};

export class IncomingMessage extends seam.EventEmitter {
  readonly method: string;
  url: string;
  readonly httpVersion: string;
  readonly httpVersionMajor: number;
  readonly httpVersionMinor: number;
  readonly headers: Record<string, string | string[]>;
  readonly rawHeaders: string[];
  readonly trailers: Record<string, string> = {};
  readonly rawTrailers: string[] = [];
  readonly socket: RemoteSocket;
  readonly complete = true;
  readonly readable = true;
  readableEnded = false;
  destroyed = false;
  aborted = false;
  errored: Error | null = null;
  #body: string | Buffer | undefined;
  #encoding: Encoding | undefined;
  /** null = nobody has asked for it yet, as in Node. */
  #flowing: boolean | null = null;

  constructor(news: RequestNews, socket: RemoteSocket) {
    super();
    this.method = news.method;
    this.url = news.url;
    this.httpVersion = news.version;
    const [major, minor] = news.version.split('.');
    this.httpVersionMajor = Number(major);
    this.httpVersionMinor = Number(minor);
    this.rawHeaders = [...news.headers];
    this.headers = joinHeaders(news.headers);
    this.socket = socket;
    if (news.body !== '') this.#body = news.base64 ? Buffer.from(news.body, 'base64') : news.body;
  }

  get connection(): RemoteSocket {
    return this.socket;
  }

  get headersDistinct(): Record<string, string[]> {
    const distinct = Object.create(null) as Record<string, string[]>;
    for (let i = 0; i + 1 < this.rawHeaders.length; i += 2) {
      const name = (this.rawHeaders[i] as string).toLowerCase();
      distinct[name] = [...(distinct[name] ?? []), this.rawHeaders[i + 1] as string];
    }
    return distinct;
  }

  get readableFlowing(): boolean | null {
    return this.#flowing;
  }

  override on(name: string | symbol, listener: (...args: any[]) => unknown): this {
    super.on(name, listener);
    if (name === 'data' && this.#flowing !== false) this.resume();
    if (name === 'readable') this.#later(() => this.emit('readable'));
    return this;
  }

  override addListener(name: string | symbol, listener: (...args: any[]) => unknown): this {
    return this.on(name, listener);
  }

  setEncoding(encoding: Encoding): this {
    this.#encoding = encoding;
    return this;
  }

  resume(): this {
    this.#flowing = true;
    this.#later(() => {
      if (this.#flowing !== true) return;
      const chunk = this.#take();
      if (chunk !== undefined) this.emit('data', chunk);
      if (this.#flowing) this.#end();
    });
    return this;
  }

  pause(): this {
    this.#flowing = false;
    return this;
  }

  isPaused(): boolean {
    return this.#flowing === false;
  }

  read(): Buffer | string | null {
    const chunk = this.#take() ?? null;
    if (chunk === null) this.#end();
    else this.#later(() => this.emit('readable'));
    return chunk;
  }

  pipe<To extends Destination>(to: To, options?: { readonly end?: boolean }): To {
    this.on('data', (chunk: Buffer | string) => void to.write(chunk));
    if (options?.end !== false) this.on('end', () => to.end());
    to.emit?.('pipe', this);
    return to;
  }

  unpipe(): this {
    return this;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer | string> {
    const chunk = this.#take();
    if (chunk !== undefined) yield chunk;
    this.#end();
  }

  setTimeout(): this {
    return this;
  }

  destroy(error?: Error): this {
    if (this.destroyed) return this;
    this.destroyed = true;
    this.#body = undefined;
    this.errored = error ?? null;
    this.socket.destroy();
    this.#later(() => {
      if (error !== undefined && this.listenerCount('error') > 0) this.emit('error', error);
      this.emit('close');
    });
    return this;
  }

  /** The client has left. */
  abort(): void {
    if (this.aborted) return;
    this.aborted = true;
    this.destroyed = true;
    this.emit('aborted');
    this.emit('close');
  }

  /** Its answer is with the client. */
  over(): void {
    if (!this.destroyed) this.emit('close');
  }

  #take(): Buffer | string | undefined {
    const body = this.#body;
    if (body === undefined || this.destroyed) return undefined;
    this.#body = undefined;
    const encoding = this.#encoding;
    if (encoding === undefined) return typeof body === 'string' ? Buffer.from(body) : body;
    const isUtf8 = encoding === 'utf8' || encoding === 'utf-8';
    if (typeof body === 'string' && isUtf8) return body;
    return Buffer.from(body as string).toString(encoding);
  }

  #end(): void {
    if (this.readableEnded || this.destroyed) return;
    this.readableEnded = true;
    this.emit('end');
  }

  #later(run: () => void): void {
    seam.nextTick(() => {
      if (!this.destroyed || this.listenerCount('close') > 0) run();
    });
  }
}
