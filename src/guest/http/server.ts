/** Node's `http.Server` over the host's: it listens on the ports the module was granted. */
import { takeSeam } from '../seam.ts';
import { IncomingMessage, type RemoteSocket } from './incoming-message.ts';
import { ServerResponse } from './server-response.ts';
import { abort, listen, type RequestNews, stopListening } from './wire.ts';
import { coded, notHere } from './words.ts';

const seam = takeSeam();
const PORT_MAX = 65_535;
/** What only a socket could tell. */
const NOT_HERE: Readonly<Record<string, string>> = {
  upgrade: 'protocol upgrades (WebSocket)',
  connect: 'CONNECT requests',
  checkContinue: 'say in what 100-continue is answered',
  checkExpectation: 'say in what expectations are answered',
};

type Listener = (...args: any[]) => unknown;
type RequestListener = (request: IncomingMessage, response: ServerResponse) => unknown;
type ListenOptions = {
  readonly port?: number | string | undefined;
  readonly host?: string | undefined;
  readonly path?: string | undefined;
};
type Address = { readonly address: string; readonly family: string; readonly port: number };

export class Server extends seam.EventEmitter {
  listening = false;
  /** The host has limits of its own; these are here to be set. */
  timeout = 0;
  keepAliveTimeout = 5_000;
  headersTimeout = 60_000;
  requestTimeout = 300_000;
  maxHeadersCount: number | null = null;
  maxRequestsPerSocket = 0;
  maxConnections: number | undefined;
  #state: 'closed' | 'opening' | 'open' = 'closed';
  #source: number | undefined;
  #closeWanted = false;
  #address: Address | null = null;
  readonly #open = new Set<ServerResponse>();

  constructor(options?: object | RequestListener, listener?: RequestListener) {
    super();
    const onRequest = typeof options === 'function' ? (options as RequestListener) : listener;
    if (onRequest !== undefined) this.on('request', onRequest);
  }

  override on(name: string | symbol, listener: Listener): this {
    const what =
      typeof name === 'string' && Object.hasOwn(NOT_HERE, name) ? NOT_HERE[name] : undefined;
    if (what !== undefined) throw notHere(what, 'its HTTP server answers plain requests');
    return super.on(name, listener);
  }

  override addListener(name: string | symbol, listener: Listener): this {
    return this.on(name, listener);
  }

  /** `listen(port)`, `listen(port, host)`, `listen({ port, host })`, each with a callback. */
  listen(...given: readonly unknown[]): this {
    if (this.#state !== 'closed') {
      throw coded(
        new Error('Listen method has been called more than once without closing.'),
        'ERR_SERVER_ALREADY_LISTEN',
      );
    }
    const listener = given.findLast((one) => typeof one === 'function') as Listener | undefined;
    if (listener !== undefined) this.once('listening', listener);
    const { port, host } = readListen(given);
    this.#state = 'opening';
    this.#closeWanted = false;
    listen(
      port,
      host ?? null,
      (news) => this.#onRequest(news),
      (refused, source) => {
        if (refused !== undefined) {
          this.#state = 'closed';
          const { code, message } = refused;
          const error = new Error(`listen ${message}`);
          this.emit('error', Object.assign(error, { code, syscall: 'listen', port }));
          return;
        }
        this.#source = source;
        this.#state = 'open';
        const address = host === undefined || host === 'localhost' ? '::' : host;
        this.#address = { address, family: address.includes(':') ? 'IPv6' : 'IPv4', port };
        if (this.#closeWanted) {
          this.#stop(false);
          return;
        }
        this.listening = true;
        this.emit('listening');
      },
    );
    return this;
  }

  address(): Address | null {
    return this.#address;
  }

  /** Requests under way are answered still. */
  close(done?: (error?: Error) => void): this {
    if (this.#state === 'closed') {
      const error = coded(new Error('Server is not running.'), 'ERR_SERVER_NOT_RUNNING');
      if (done !== undefined) seam.nextTick(() => done(error));
      return this;
    }
    if (done !== undefined) this.once('close', done);
    if (this.#state === 'opening') this.#closeWanted = true;
    else this.#stop(false);
    return this;
  }

  closeAllConnections(): void {
    if (this.#source !== undefined) stopListening(this.#source, true);
  }

  /** The host closes them by itself. */
  closeIdleConnections(): void {}

  getConnections(done: (error: null, count: number) => void): void {
    seam.nextTick(() => done(null, this.#open.size));
  }

  setTimeout(timeoutMs?: number | Listener): this {
    if (typeof timeoutMs === 'number') this.timeout = timeoutMs;
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  #stop(now: boolean): void {
    stopListening(this.#source as number, now);
    this.#state = 'closed';
    this.listening = false;
    this.#address = null;
    this.#closeWanted = true;
    this.#closedWhenEmpty();
  }

  #closedWhenEmpty(): void {
    if (!this.#closeWanted || this.#open.size > 0) return;
    this.#closeWanted = false;
    seam.nextTick(() => this.emit('close'));
  }

  #onRequest(news: RequestNews): void {
    const [remoteAddress, remotePort, remoteFamily] = news.remote;
    const socket: RemoteSocket = {
      remoteAddress,
      remotePort,
      remoteFamily,
      localPort: this.#address?.port ?? 0,
      encrypted: false,
      destroy: () => abort(news.id),
      on: () => socket,
      once: () => socket,
      off: () => socket,
      removeListener: () => socket,
      setTimeout: () => socket,
      setNoDelay: () => socket,
      setKeepAlive: () => socket,
    };
    const request = new IncomingMessage(news, socket);
    const response = new ServerResponse(news.id, request);
    this.#open.add(response);
    response.once('close', () => {
      this.#open.delete(response);
      this.#closedWhenEmpty();
    });
    if (this.emit('request', request, response)) return;
    // Node lets the client wait for ever.
    response.statusCode = 404;
    response.end();
  }
}

function readListen(given: readonly unknown[]): {
  readonly port: number;
  readonly host: string | undefined;
} {
  const [first, second] = given;
  const options: ListenOptions =
    typeof first === 'object' && first !== null
      ? first
      : {
          port: typeof first === 'number' || typeof first === 'string' ? first : 0,
          host: typeof second === 'string' ? second : undefined,
        };
  const isPath = typeof options.port === 'string' && !/^\d+$/.test(options.port);
  if (options.path !== undefined || isPath) {
    throw notHere('Unix sockets to listen on', 'listen on a port of HostConfig.PortBindings');
  }
  const port = Number(options.port ?? 0);
  if (!Number.isInteger(port) || port < 0 || port > PORT_MAX) {
    throw coded(
      new RangeError(`options.port should be >= 0 and < 65536. Received ${String(options.port)}.`),
      'ERR_SOCKET_BAD_PORT',
    );
  }
  return { port, host: options.host };
}
