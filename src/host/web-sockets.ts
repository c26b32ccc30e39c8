/**
 * WebSockets of one module, a part of its network service (network-service.ts): the address is compared with
 * the grants as fetch's is. Messages wait here until the module asks for them, and while many wait, nothing
 * more is read from the network.
 *
 *   socketOpen  {id, url, protocols} → {protocol}   once it is open
 *   socketSend  {id, messages} → null               once all are on their way; a message is {text} or {bytes}
 *   socketNext  {id} → {messages, closed}           when there is something: closed = {code, reason}, or null
 *   socketClose {id, code, reason} → null           code and reason may be null
 */
import type { SecureContext } from 'node:tls';
import { WebSocket } from 'ws';
import { isJsonObject, type Json, type JsonObject } from '../core/json.ts';
import { ServiceError } from './device-services.ts';
import { hostOf, portOf } from './fetch-request.ts';
import type { HostSettings } from './host-settings.ts';
import { fixedLookup } from './http-exchange.ts';
import type { NetworkAccess } from './network-access.ts';
import { networkFault } from './network-fault.ts';

type Limits = Pick<
  HostSettings,
  'webSocketsMax' | 'webSocketMessageBytesMax' | 'fetchMs' | 'fetchHeaderBytesMax'
>;

type Deps = {
  readonly access: NetworkAccess;
  readonly settings: Limits;
  readonly secureContext: () => SecureContext | undefined;
};

type Closed = { readonly code: number; readonly reason: string };

type Open = {
  readonly place: string;
  socket: WebSocket | undefined;
  /** Before it is open: gives up. */
  abort: (reason: ServiceError) => void;
  messages: JsonObject[];
  waitingBytes: number;
  closed: Closed | null;
  /** Somebody waits for news. */
  wake: (() => void) | undefined;
};

const PROTOCOLS_MAX = 32;
const REASON_BYTES_MAX = 123;
/** Of the largest, that may wait to be sent; the guest's own limit comes first. */
const WAITING_MESSAGES_MAX = 8;
/** RFC 9110 §5.6.2. */
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

export type WebSockets = {
  /** Undefined = no word for WebSockets. */
  ask(what: string, args: Json): Promise<Json> | undefined;
  close(): void;
};

export function createWebSockets({ access, settings, secureContext }: Deps): WebSockets {
  const { webSocketsMax, webSocketMessageBytesMax: bytesMax } = settings;
  const all = new Map<number, Open>();

  async function open(args: JsonObject): Promise<Json> {
    const id = Number(args['id']);
    const url = readUrl(args['url']);
    const protocols = readProtocols(args['protocols']);
    if (all.has(id)) throw invalid(`the number ${id} is in use`);
    if (all.size >= webSocketsMax) {
      throw new ServiceError(
        'EMFILE',
        `WebSocket: this module has ${webSocketsMax} open (isolet.fetch.sockets_max): close some`,
      );
    }
    const { promise: aborted, reject: abort } = Promise.withResolvers<never>();
    aborted.catch(() => {});
    const place = `${url.hostname}:${portOf(url)}`;
    const one: Open = {
      place,
      socket: undefined,
      abort,
      messages: [],
      waitingBytes: 0,
      closed: null,
      wake: undefined,
    };
    all.set(id, one);
    try {
      const addresses = await Promise.race([access.addresses(hostOf(url), portOf(url)), aborted]);
      const context = secureContext();
      const socket = new WebSocket(url, [...protocols], {
        lookup: fixedLookup(addresses),
        // Its contexts would take some 100 KB each.
        perMessageDeflate: false,
        maxPayload: bytesMax,
        handshakeTimeout: settings.fetchMs,
        maxHeaderSize: settings.fetchHeaderBytesMax,
        headers: { 'user-agent': 'isolet' },
        ...(context === undefined ? {} : { secureContext: context }),
      } as object);
      one.socket = socket;
      listen(one, socket);
      await Promise.race([opened(socket), aborted]);
      return { protocol: socket.protocol };
    } catch (cause) {
      all.delete(id);
      one.socket?.terminate();
      throw socketFault(cause, place, settings.fetchHeaderBytesMax);
    }
  }

  function listen(one: Open, socket: WebSocket): void {
    const wake = (): void => {
      const { wake: run } = one;
      one.wake = undefined;
      run?.();
    };
    socket.on('message', (data: Buffer, isBinary: boolean) => {
      one.messages.push(
        isBinary ? { bytes: data.toString('base64') } : { text: data.toString('utf8') },
      );
      one.waitingBytes += data.byteLength;
      // What has been read already still comes.
      if (one.waitingBytes >= bytesMax) socket.pause();
      wake();
    });
    socket.on('close', (code: number, reason: Buffer) => {
      one.closed = { code, reason: reason.toString() };
      wake();
    });
    // It is closed, too.
    socket.on('error', () => {});
  }

  async function next(id: number): Promise<Json> {
    const one = find(id);
    if (one.wake !== undefined) throw invalid('its messages are being waited for already');
    if (one.messages.length === 0 && one.closed === null) {
      await new Promise<void>((resolve) => {
        one.wake = resolve;
      });
    }
    const messages: JsonObject[] = [];
    // One answer is no larger than the largest message, or a little more.
    for (let size = 0; one.messages.length > 0 && size < bytesMax; ) {
      const message = one.messages.shift() as JsonObject;
      messages.push(message);
      size += String(message['text'] ?? message['bytes']).length;
    }
    if (one.messages.length === 0) {
      one.waitingBytes = 0;
      if (one.socket?.isPaused === true) one.socket.resume();
    }
    const closed = one.messages.length === 0 ? one.closed : null;
    if (closed !== null) all.delete(id);
    return { messages, closed };
  }

  async function send(id: number, messages: Json | undefined): Promise<null> {
    const { socket } = find(id);
    if (socket === undefined || !Array.isArray(messages)) throw invalid('it is not open');
    const data = (messages as readonly Json[]).map(readMessage);
    const tooLarge = data.some((each) => Buffer.byteLength(each) > bytesMax);
    if (tooLarge || socket.bufferedAmount > WAITING_MESSAGES_MAX * bytesMax) {
      throw new ServiceError(
        'EMSGSIZE',
        `WebSocket: a message has ${bytesMax} bytes at most, and ${WAITING_MESSAGES_MAX} of them may wait to be sent`,
      );
    }
    await Promise.all(
      data.map(
        (each) =>
          new Promise<void>((resolve) => {
            // One that closes meanwhile tells so itself.
            socket.send(each, { binary: typeof each !== 'string' }, () => resolve());
          }),
      ),
    );
    return null;
  }

  function close(id: number, code: unknown, reason: unknown): null {
    const one = all.get(id);
    if (one === undefined) return null;
    if (one.socket === undefined || one.socket.readyState === WebSocket.CONNECTING) {
      one.abort(new ServiceError('ECANCELED', 'WebSocket: it was closed before it was open'));
      return null;
    }
    if (code === null || code === undefined) {
      one.socket.close();
      return null;
    }
    const number = Number(code);
    const text = typeof reason === 'string' ? reason : '';
    const isOpen = number === 1000 || (number >= 3000 && number <= 4999);
    if (!isOpen || Buffer.byteLength(text) > REASON_BYTES_MAX) {
      throw invalid('it is closed with 1000 or 3000 to 4999, and a reason of at most 123 bytes');
    }
    one.socket.close(number, text);
    return null;
  }

  function find(id: number): Open {
    const one = all.get(id);
    if (one === undefined) throw new ServiceError('EBADF', 'WebSocket: this one is closed');
    return one;
  }

  return {
    ask(what, args) {
      const own = isJsonObject(args) ? args : {};
      const id = Number(own['id']);
      switch (what) {
        case 'socketOpen':
          return open(own);
        case 'socketNext':
          return next(id);
        case 'socketSend':
          return send(id, own['messages']);
        case 'socketClose':
          return Promise.resolve(close(id, own['code'], own['reason']));
        default:
          return undefined;
      }
    },
    close() {
      for (const one of all.values()) {
        one.abort(new ServiceError('ECANCELED', 'WebSocket: the module has ended'));
        one.socket?.terminate();
        one.wake?.();
      }
      all.clear();
    },
  };
}

function opened(socket: WebSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.on('open', resolve);
    socket.on('error', reject);
  });
}

function readUrl(value: Json | undefined): URL {
  const url = typeof value === 'string' && value.length <= 8_192 ? URL.parse(value) : null;
  if (url === null || (url.protocol !== 'ws:' && url.protocol !== 'wss:')) {
    throw invalid('its URL begins with ws:// or wss:// and a host');
  }
  if (url.username !== '' || url.password !== '') {
    throw invalid(`its URL has a user name or password before ${url.host}`);
  }
  return url;
}

function readProtocols(value: Json | undefined): readonly string[] {
  const list = Array.isArray(value) ? (value as readonly Json[]) : [];
  if (
    list.length > PROTOCOLS_MAX ||
    !list.every((one) => typeof one === 'string' && one.length <= 128 && token.test(one))
  ) {
    throw invalid(`its protocols are at most ${PROTOCOLS_MAX} words of HTTP`);
  }
  return list as readonly string[];
}

function readMessage(value: Json): string | Buffer {
  const { text, bytes } = isJsonObject(value) ? value : {};
  if (typeof text === 'string') return text;
  if (typeof bytes === 'string') return Buffer.from(bytes, 'base64');
  throw invalid('a message is text or bytes');
}

function socketFault(cause: unknown, place: string, headerBytesMax: number): ServiceError {
  if (cause instanceof ServiceError) return cause;
  const { message } = cause as Error;
  const status = /^Unexpected server response: (\d+)$/.exec(message)?.[1];
  if (status !== undefined) {
    const text = `WebSocket ${place}: it answers with the status ${status} and opens none`;
    return new ServiceError('EPROTO', text);
  }
  if (/^Opening handshake has timed out/.test(message)) {
    return new ServiceError('ETIMEDOUT', `WebSocket ${place}: it does not answer`);
  }
  const { code } = cause as { readonly code?: unknown };
  if (code === undefined) {
    return new ServiceError('EPROTO', `WebSocket ${place}: what answers there opens none`);
  }
  const fault = networkFault(cause, place, headerBytesMax);
  return new ServiceError(fault.code, fault.message.replace(/^.*?: fetch /, 'WebSocket '));
}

function invalid(problem: string): ServiceError {
  return new ServiceError('EINVAL', `WebSocket: ${problem}`);
}
