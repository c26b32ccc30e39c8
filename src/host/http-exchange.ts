/** One request over HTTP to one of the addresses that were found good. */
import {
  type ClientRequest,
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
} from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import type { SecureContext } from 'node:tls';
import { type FetchRequest, hostOf, portOf } from './fetch-request.ts';

/** One module's connections, kept open for a while for its next request. */
export type Connections = {
  readonly http: HttpAgent;
  readonly https: HttpsAgent;
};

export type Exchange = Pick<FetchRequest, 'url' | 'method' | 'headers' | 'body'>;

export type ExchangeDeps = {
  readonly connections: Connections;
  /** Where the socket may go, and nowhere else. */
  readonly addresses: readonly string[];
  /** Its reason is what the caller is told. */
  readonly signal: AbortSignal;
  readonly headerBytesMax: number;
  /** Authorities to trust besides those of Node. */
  readonly secureContext: SecureContext | undefined;
};

/** Unused connections are closed after this, ms; most servers do so after 5 s. */
const IDLE_MS = 4_000;
const IDLE_MAX = 4;
/** May be sent twice without harm (RFC 9110 §9.2.2). */
const idempotent = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);

export function createConnections(socketsMax: number): Connections {
  const options = {
    keepAlive: true,
    timeout: IDLE_MS,
    maxSockets: socketsMax,
    maxFreeSockets: IDLE_MAX,
  };
  return { http: new HttpAgent(options), https: new HttpsAgent(options) };
}

/** Resolves with the answer's head. Rejects with the signal's reason, or with an error of Node. */
export async function exchange(what: Exchange, deps: ExchangeDeps): Promise<IncomingMessage> {
  deps.signal.throwIfAborted();
  const request = open(what, deps);
  try {
    return await answerTo(request, deps.signal);
  } catch (cause) {
    // The server closed a kept connection just when we used it.
    const stale = request.reusedSocket && (cause as { code?: unknown }).code === 'ECONNRESET';
    if (!stale || deps.signal.aborted || !idempotent.has(what.method)) throw cause;
    return exchange(what, deps);
  }
}

function open({ url, method, headers, body }: Exchange, deps: ExchangeDeps): ClientRequest {
  const host = hostOf(url);
  const secure = url.protocol === 'https:';
  const options = {
    host,
    port: portOf(url),
    path: `${url.pathname}${url.search}`,
    method,
    headers: { ...headers },
    lookup: fixedLookup(deps.addresses),
    maxHeaderSize: deps.headerBytesMax,
  };
  const { connections, secureContext } = deps;
  const request = secure
    ? httpsRequest({
        ...options,
        agent: connections.https,
        rejectUnauthorized: true,
        servername: isIP(host) === 0 ? host : '',
        ...(secureContext === undefined ? {} : { secureContext }),
      })
    : httpRequest({ ...options, agent: connections.http });
  request.end(body);
  return request;
}

function answerTo(request: ClientRequest, signal: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const abort = (): void => void request.destroy(signal.reason as Error);
    signal.addEventListener('abort', abort, { once: true });
    request.on('close', () => {
      signal.removeEventListener('abort', abort);
      reject(Object.assign(new Error('closed'), { code: 'ECONNRESET' }));
    });
    request.on('response', resolve);
    // It may come after the answer's head, too: the answer tells of it then.
    request.on('error', reject);
  });
}

/** The socket asks for an address and gets only what was checked. */
export function fixedLookup(addresses: readonly string[]): LookupFunction {
  const known = addresses.map((address) => ({ address, family: isIP(address) }));
  return (_host, options, found) => {
    const [first] = known as [{ address: string; family: number }];
    if (options.all === true) found(null, known);
    else found(null, first.address, first.family);
  };
}
