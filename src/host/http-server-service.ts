/**
 * The HTTP servers of one module. Sockets, parsing, time-outs and all limits are here; the module gets
 * whole requests, as signals, and says its answers in pieces (src/guest/node/http.ts is its half).
 *
 *   ask listen { port, host }         → number of the server, the `source` of its signals
 *   ask close { source, now }         no new connections; `now`: and none of the old
 *   ask respond [piece, …]            → how each was taken: 'ok', 'full', 'gone'
 *   signal { t: 'request', id, … }    answered by pieces with this id
 *   signal { t: 'drain', id }         after 'full'
 *   signal { t: 'gone', id }          its client has left, or had enough of waiting
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { isJsonObject, type Json, type JsonObject } from '../core/json.ts';
import type { PortGrant } from '../core/port-grant.ts';
import { type MakeService, ServiceError } from './device-services.ts';
import { applyPiece, parsePiece, type Taken } from './http-answer.ts';
import { type HttpListeners, openListeners } from './http-listeners.ts';
import { bodyText, readBody } from './http-request-body.ts';

type OpenServer = { readonly port: number; readonly listeners: HttpListeners | undefined };
type Exchange = { readonly source: number; readonly response: ServerResponse; full: boolean };

/** News the module cannot do without is told again when too much waits for it, ms. */
const AGAIN_MS = 50;
const LOOPBACK = new Set(['127.0.0.1', '::1', 'localhost']);

export const createHttpServerService: MakeService = ({ grants, settings, note, signal }) => {
  const limits = settings.httpServer;
  const servers = new Map<number, OpenServer>();
  const exchanges = new Map<number, Exchange>();
  /** Begun, and not yet whole with the client. */
  const open = new Set<ServerResponse>();
  const busyPorts = new Set<number>();
  let lastSource = 0;
  let lastId = 0;
  let bodiesBytes = 0;
  let closed = false;

  // ------------------------------------------------------------------------------- its servers

  async function listen(args: JsonObject): Promise<Json> {
    const { port, host = null } = args;
    const grant = grants.ports.find((one) => one.port === port);
    if (grant === undefined) throw new ServiceError('EACCES', notGranted(port, grants.ports));
    if (busyPorts.has(grant.port)) {
      throw new ServiceError('EADDRINUSE', `this module listens on port ${grant.port} already`);
    }
    busyPorts.add(grant.port);
    try {
      const source = ++lastSource;
      const listeners = await openPort(grant, host, source);
      if (closed) listeners?.destroy();
      servers.set(source, { port: grant.port, listeners });
      return source;
    } catch (cause) {
      busyPorts.delete(grant.port);
      throw cause;
    }
  }

  async function openPort(
    { port, published }: PortGrant,
    host: Json,
    source: number,
  ): Promise<HttpListeners | undefined> {
    const alone = typeof host === 'string' && LOOPBACK.has(host);
    if (published.length === 0 || alone) {
      const why = alone ? `it listens on ${host} only` : 'HostConfig.PortBindings does not name it';
      note(`HTTP: nobody reaches port ${port} of this module: ${why}.`);
      return undefined;
    }
    const listeners = await openListeners(published, limits, (request, response) => {
      void onRequest(source, request, response);
    });
    for (const [index, { ip }] of published.entries()) {
      const where = ip === '' ? 'of the device' : `of the device's address ${ip}`;
      note(`HTTP: port ${port} of this module is port ${listeners.ports[index]} ${where}.`);
    }
    return listeners;
  }

  function closeServer(args: JsonObject): null {
    const { source, now } = args;
    const server = servers.get(source as number);
    if (server === undefined) return null;
    busyPorts.delete(server.port);
    if (now === true) server.listeners?.destroy();
    void (server.listeners?.close() ?? Promise.resolve()).then(() => {
      servers.delete(source as number);
    });
    return null;
  }

  // -------------------------------------------------------------------------------- its requests

  async function onRequest(
    source: number,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    response.on('error', () => {});
    if (open.size >= limits.requestsMax) return refuse(response, 503);
    open.add(response);
    let kept = 0;
    const release = (): void => {
      bodiesBytes -= kept;
      kept = 0;
    };
    response.once('close', () => {
      open.delete(response);
      release();
    });
    const outcome = await readBody(request, limits.bodyBytesMax, (bytes) => {
      if (bodiesBytes + bytes > limits.bodiesBytesMax || response.destroyed) return false;
      kept += bytes;
      bodiesBytes += bytes;
      return true;
    });
    if (closed || response.destroyed) return;
    if (!outcome.ok) {
      if (outcome.status === 0) response.destroy();
      else refuse(response, outcome.status, outcome.close);
      return;
    }
    const id = ++lastId;
    exchanges.set(id, { source, response, full: false });
    if (!signal(source, requestNews(id, request, outcome.body))) {
      exchanges.delete(id);
      return refuse(response, 503);
    }
    const late = setTimeout(() => {
      if (response.headersSent) return;
      leave(id);
      refuse(response, 504);
    }, limits.answerMs);
    response.once('close', () => {
      clearTimeout(late);
      leave(id);
    });
  }

  /** The module is told that nobody waits for this answer; not when it has given it. */
  function leave(id: number): void {
    const exchange = exchanges.get(id);
    if (exchange === undefined) return;
    exchanges.delete(id);
    tellSurely(exchange.source, { t: 'gone', id });
  }

  function tellSurely(source: number, news: JsonObject): void {
    if (closed || signal(source, news)) return;
    setTimeout(() => tellSurely(source, news), AGAIN_MS);
  }

  // --------------------------------------------------------------------------------- its answers

  function respond(value: Json): Taken {
    const id = isJsonObject(value) ? value['id'] : undefined;
    const exchange = exchanges.get(id as number);
    if (exchange === undefined) return 'gone';
    const { response, source } = exchange;
    if ((value as JsonObject)['abort'] === true) {
      exchanges.delete(id as number);
      response.destroy();
      return 'gone';
    }
    const piece = parsePiece(value);
    if (piece === undefined || !applied(response, piece)) {
      exchanges.delete(id as number);
      if (response.headersSent) response.destroy();
      else refuse(response, 502);
      return 'gone';
    }
    if (piece.end) exchanges.delete(piece.id);
    const waiting = response.writableLength;
    if (waiting <= limits.waitingBytes) return 'ok';
    if (waiting > limits.waitingBytesMax || waitingInAll() > limits.waitingBytesInAllMax) {
      response.destroy();
      return 'gone';
    }
    if (piece.end) return 'ok';
    if (!exchange.full) {
      exchange.full = true;
      response.once('drain', () => {
        exchange.full = false;
        tellSurely(source, { t: 'drain', id: piece.id });
      });
    }
    return 'full';
  }

  function waitingInAll(): number {
    let bytes = 0;
    for (const response of open) bytes += response.writableLength;
    return bytes;
  }

  return {
    async ask(what, args) {
      if (what === 'respond' && Array.isArray(args)) return args.map(respond);
      if (what === 'listen' && isJsonObject(args)) return listen(args);
      if (what === 'close' && isJsonObject(args)) return closeServer(args);
      throw new ServiceError('EINVAL', 'the HTTP service does not know this request');
    },
    isOpen: () => busyPorts.size > 0 || exchanges.size > 0,
    close() {
      closed = true;
      for (const { listeners } of servers.values()) listeners?.destroy();
    },
  };
};

function applied(
  response: ServerResponse,
  piece: NonNullable<ReturnType<typeof parsePiece>>,
): boolean {
  try {
    return applyPiece(response, piece);
  } catch {
    // Node's own checks: whatever they refuse was no header.
    return false;
  }
}

function requestNews(id: number, request: IncomingMessage, body: Buffer): JsonObject {
  const { method = '', url = '', rawHeaders, httpVersion, socket } = request;
  const { remoteAddress = '', remotePort = 0, remoteFamily = '' } = socket;
  return {
    t: 'request',
    id,
    method,
    url,
    version: httpVersion,
    headers: rawHeaders,
    remote: [remoteAddress, remotePort, remoteFamily],
    ...bodyText(body),
  };
}

const WORDS = {
  413: 'The body of this request is larger than this device takes.',
  502: 'The module gave an answer that is none.',
  503: 'The module has too much to do.',
  504: 'The module did not answer in time.',
} as const;

function refuse(response: ServerResponse, status: keyof typeof WORDS, close = false): void {
  response.statusCode = status;
  response.setHeader('content-type', 'text/plain; charset=utf-8');
  if (status === 503) response.setHeader('retry-after', '1');
  if (close) response.setHeader('connection', 'close');
  response.end(`${WORDS[status]}\n`);
}

function notGranted(port: Json | undefined, granted: readonly PortGrant[]): string {
  const ports = granted.map((one) => one.port).join(', ');
  const has = ports === '' ? 'this module was granted no port' : `this module was granted ${ports}`;
  const key = `${typeof port === 'number' && port > 0 ? port : 8080}/tcp`;
  return `port ${JSON.stringify(port ?? null)} was not granted; ${has}: add HostConfig.PortBindings {"${key}": [{"HostPort": "…"}]} to its createOptions, or listen on a port that is there`;
}
