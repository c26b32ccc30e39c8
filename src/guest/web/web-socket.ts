/** `WebSocket` (WebSockets standard), through the host (src/host/web-sockets.ts). */
import type { Json } from '../../core/json.ts';
import { describeInterface, needArguments, toNumber, toSequence, toUsv } from '../world/webidl.ts';
import { base } from './base-url.ts';
import { type Blob, blobParts, createBlob, isBlob } from './blob.ts';
import { bytesOfSource, joinBytes } from './byte-stream.ts';
import { DOMException } from './dom-exception.ts';
import { Event, trusted } from './event.ts';
import { defineHandlers } from './event-handler.ts';
import { CloseEvent, ErrorEvent, MessageEvent } from './event-kinds.ts';
import { dispatch, EventTarget } from './event-target.ts';
import { trustExtraAuthorities } from './extra-authorities.ts';
import { askNetwork } from './network.ts';
import { URL } from './url.ts';

const [CONNECTING, OPEN, CLOSING, CLOSED] = [0, 1, 2, 3] as const;
type ReadyState = typeof CONNECTING | typeof OPEN | typeof CLOSING | typeof CLOSED;

/** What may wait to be sent; with more the connection fails, as the standard has it. */
const WAITING_BYTES_MAX = 4_194_304;
/** Handed to the host at once, unless one message is larger. */
const BATCH_BYTES = 262_144;
const MESSAGE_BYTES_MAX = 1_048_576;

type Message = { readonly text: string } | { readonly bytes: string };
type News = {
  readonly messages: readonly Message[];
  readonly closed: { readonly code: number; readonly reason: string } | null;
};
type Waiting = { readonly message: Message; readonly size: number };
type Handler = ((event: Event) => unknown) | null;

let lastId = 0;
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

export class WebSocket extends EventTarget {
  declare onopen: Handler;
  declare onerror: Handler;
  declare onclose: Handler;
  declare onmessage: Handler;
  readonly #id = ++lastId;
  readonly #url: URL;
  #readyState: ReadyState = CONNECTING;
  #protocol = '';
  #binaryType: 'blob' | 'arraybuffer' = 'blob';
  #bufferedAmount = 0;
  #waiting: Waiting[] = [];
  #sending = false;
  /** To be told when all is sent. */
  #closing: { readonly code: number | null; readonly reason: string } | undefined;

  constructor(url: string | URL, ...[protocols]: readonly [protocols?: string | Iterable<string>]) {
    needArguments(arguments.length, 1, 'The constructor of WebSocket');
    super();
    const address = toUsv(url);
    const wanted = toProtocols(protocols);
    this.#url = socketUrl(address);
    checkProtocols(wanted);
    void this.#open(wanted);
  }

  get url(): string {
    return this.#url.href;
  }
  get readyState(): ReadyState {
    return this.#readyState;
  }
  get bufferedAmount(): number {
    return this.#bufferedAmount;
  }
  get extensions(): string {
    void this.#url;
    return '';
  }
  get protocol(): string {
    return this.#protocol;
  }
  get binaryType(): 'blob' | 'arraybuffer' {
    return this.#binaryType;
  }
  set binaryType(value: string) {
    const text = `${value}`;
    if (text === 'blob' || text === 'arraybuffer') this.#binaryType = text;
  }

  close(...[code, reason]: readonly [code?: number, reason?: string]): void {
    void this.#url;
    const number = code === undefined ? null : toClosingCode(code);
    const text = reason === undefined ? '' : toUsv(reason);
    if (number !== null && number !== 1000 && (number < 3000 || number > 4999)) {
      throw new DOMException(
        'A WebSocket is closed with 1000 or 3000 to 4999',
        'InvalidAccessError',
      );
    }
    if (new TextEncoder().encode(text).byteLength > 123) {
      throw new DOMException('The reason must not be longer than 123 bytes', 'SyntaxError');
    }
    if (this.#readyState === CLOSING || this.#readyState === CLOSED) return;
    this.#readyState = CLOSING;
    this.#closing = { code: number ?? (text === '' ? null : 1000), reason: text };
    if (!this.#sending) this.#tellClosing();
  }

  send(data: string | ArrayBuffer | ArrayBufferView | Blob): void {
    void this.#url;
    needArguments(arguments.length, 1, 'send');
    const { message, size } = toMessage(data);
    if (this.#readyState === CONNECTING) {
      throw new DOMException('The WebSocket is not open yet', 'InvalidStateError');
    }
    this.#bufferedAmount += size;
    if (this.#readyState !== OPEN) return;
    if (size > MESSAGE_BYTES_MAX || this.#bufferedAmount > WAITING_BYTES_MAX) {
      const text = `WebSocket ${this.#url.host}: a message has ${MESSAGE_BYTES_MAX} bytes at most, and ${WAITING_BYTES_MAX} may wait to be sent`;
      this.#fail(Object.assign(new TypeError(`EMSGSIZE: ${text}`), { code: 'EMSGSIZE' }));
      return;
    }
    this.#waiting.push({ message, size });
    if (!this.#sending) void this.#sendAll();
  }

  #ask(what: string, args: Readonly<Record<string, unknown>> = {}): Promise<Json> {
    return askNetwork(what, { __proto__: null, id: this.#id, ...args } as never);
  }

  async #open(protocols: readonly string[]): Promise<void> {
    try {
      // Nothing happens before the caller has its listeners.
      await trustExtraAuthorities();
      if (this.#readyState !== CONNECTING) throw new TypeError('It was closed before it was open');
      const { href } = this.#url;
      const told = await this.#ask('socketOpen', { url: href, protocols });
      this.#protocol = (told as { readonly protocol: string }).protocol;
    } catch (error) {
      this.#readyState = CLOSED;
      this.#fire(new ErrorEvent('error', { error, message: (error as Error).message }));
      this.#fire(new CloseEvent('close', { code: 1006 }));
      return;
    }
    if (this.#readyState === CONNECTING) {
      this.#readyState = OPEN;
      this.#fire(new Event('open'));
    } else {
      this.#tellClosing();
    }
    await this.#listen();
  }

  async #listen(): Promise<void> {
    try {
      for (;;) {
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        const news = (await this.#ask('socketNext')) as unknown as News;
        for (const message of news.messages) {
          this.#receive(message);
          // What its listener left to do is done before the next one.
          // oxlint-disable-next-line no-await-in-loop, typescript/await-thenable -- see above
          await undefined;
        }
        if (news.closed !== null) return this.#end(news.closed.code, news.closed.reason);
      }
    } catch (error) {
      this.#fail(error as Error);
    }
  }

  #receive(message: Message): void {
    if (this.#readyState !== OPEN) return;
    const data = 'text' in message ? message.text : this.#toBinary(message.bytes);
    this.#fire(new MessageEvent('message', { data, origin: this.#url.origin }));
  }
  #toBinary(text: string): ArrayBuffer | Blob {
    const bytes = Uint8Array.fromBase64(text);
    return this.#binaryType === 'blob' ? createBlob([bytes], '') : bytes.buffer;
  }

  async #sendAll(): Promise<void> {
    this.#sending = true;
    while (this.#waiting.length > 0) {
      const batch: Waiting[] = [];
      for (let size = 0; size < BATCH_BYTES && this.#waiting.length > 0; ) {
        const first = this.#waiting[0] as Waiting;
        if (batch.length > 0 && size + first.size > BATCH_BYTES) break;
        this.#waiting.shift();
        batch.push(first);
        size += first.size;
      }
      const messages = batch.map(({ message }) => message);
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await this.#ask('socketSend', { messages }).catch(() => {});
      for (const { size } of batch) this.#bufferedAmount -= size;
    }
    this.#sending = false;
    this.#tellClosing();
  }

  #tellClosing(): void {
    if (this.#closing === undefined) return;
    const { code, reason } = this.#closing;
    this.#ask('socketClose', { code, reason }).catch(() => {});
  }

  #end(code: number, reason: string): void {
    if (this.#readyState === CLOSED) return;
    this.#readyState = CLOSED;
    // Closed without a last word.
    if (code === 1006) this.#fire(new ErrorEvent('error', { message: 'The connection was lost' }));
    this.#fire(new CloseEvent('close', { code, reason, wasClean: code !== 1006 }));
  }
  #fail(error: Error): void {
    if (this.#readyState === CLOSED) return;
    this.#readyState = CLOSED;
    this.#waiting = [];
    this.#ask('socketClose').catch(() => {});
    queueMicrotask(() => {
      this.#fire(new ErrorEvent('error', { error, message: error.message }));
      this.#fire(new CloseEvent('close', { code: 1006 }));
    });
  }

  #fire(event: Event): void {
    dispatch(this, trusted(event));
  }

  static {
    describeInterface(this, { CONNECTING, OPEN, CLOSING, CLOSED });
    defineHandlers(this.prototype, ['open', 'error', 'close', 'message'], (target) => {
      void (target as WebSocket).#url;
    });
  }
}

function toMessage(data: unknown): { readonly message: Message; readonly size: number } {
  const bytes = isBlob(data) ? joinBytes(blobParts(data)) : bytesOfSource(data);
  if (bytes !== undefined) return { message: { bytes: bytes.toBase64() }, size: bytes.byteLength };
  const text = toUsv(data);
  return { message: { text }, size: new TextEncoder().encode(text).byteLength };
}

function socketUrl(text: string): URL {
  const url = URL.parse(text, base());
  if (url?.protocol === 'http:') url.protocol = 'ws:';
  if (url?.protocol === 'https:') url.protocol = 'wss:';
  const isSocket = url?.protocol === 'ws:' || url?.protocol === 'wss:';
  if (url !== null && isSocket && !url.href.includes('#')) return url;
  throw new DOMException(
    'The URL of a WebSocket begins with ws:// or wss:// and a host, and has no fragment',
    'SyntaxError',
  );
}

function toProtocols(value: unknown): readonly string[] {
  if (value === undefined) return [];
  const isList = typeof value === 'object' && value !== null && Symbol.iterator in value;
  return isList
    ? toSequence(value, 'The protocols').map((each) => `${each as string}`)
    : [`${value as string}`];
}

function checkProtocols(protocols: readonly string[]): void {
  const names = new Set(protocols.map((name) => name.toLowerCase()));
  if (names.size === protocols.length && protocols.every((name) => token.test(name))) return;
  throw new DOMException('The protocols must be different words of HTTP', 'SyntaxError');
}

/** `[Clamp] unsigned short` */
function toClosingCode(value: unknown): number {
  const number = Math.round(toNumber(value));
  return Number.isNaN(number) ? 0 : Math.min(Math.max(number, 0), 0xffff);
}
