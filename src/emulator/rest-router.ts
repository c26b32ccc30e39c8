/** The hub's HTTP side: finds the route, checks the caller, reads the body, words the reply (spec/iothub.md §5). */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { TLSSocket } from 'node:tls';
import type { Json } from '../core/json.ts';
import type { Authorization } from './authorization.ts';
import { type ClientCertificate, clientCertificate } from './client-certificate.ts';
import type { Faults } from './faults.ts';
import { HubError } from './hub-error.ts';
import { asHubError } from './mqtt-requests.ts';
import type { Right } from './policies.ts';
import type { Surroundings } from './settings.ts';
import { errorBody, restErrorBody } from './tracking.ts';

export type RestRequest = {
  /** The `:names` of the route's path, decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  /** undefined when the request had none, or its route takes `bytes`. */
  readonly body: Json | undefined;
  readonly bytes: Uint8Array;
  /** What the caller showed TLS. */
  readonly certificate: ClientCertificate | undefined;
  /** The etag the caller insists on; undefined when it said none, or `*`. */
  readonly etag: string | undefined;
  /** True when there was an If-Match at all: then a PUT is an update. */
  readonly conditional: boolean;
};

export type RestReply = {
  readonly status: number;
  readonly body?: Json;
  readonly headers?: Readonly<Record<string, string>>;
};

/** A reply that is written over time, such as an event stream. */
type RestStream = { readonly stream: (response: ServerResponse) => void };

export type RestRoute = {
  readonly method: 'GET' | 'PUT' | 'PATCH' | 'POST' | 'DELETE';
  /** `/devices/:device/modules/:module` */
  readonly path: string;
  /** 'own proof': the handler finds out who calls. */
  readonly right: Right | 'own proof';
  /** The device named in the path may call this with its own key (spec/iothub.md §6.1). */
  readonly ownDevice?: true;
  /** The body need not be JSON. */
  readonly raw?: true;
  /** Of the provisioning service, which words its refusals in another way (spec/iothub.md §7). */
  readonly dps?: true;
  handle(request: RestRequest): RestReply | RestStream | Promise<RestReply>;
};

/** Longer than any method may take: 300 s to connect and 300 s to answer. */
const IDLE_MS_MAX = 660_000;

/** An HTTP server that never listens: the TLS door hands it sockets. */
export function createRestServer(
  routes: readonly RestRoute[],
  parts: { readonly authorization: Authorization; readonly faults: Faults },
  surroundings: Surroundings,
): Server {
  const { clock, log, settings } = surroundings;
  const table = routes.map((route) => ({ route, segments: route.path.split('/').slice(1) }));

  async function answer(request: IncomingMessage): Promise<RestReply | RestStream> {
    const url = new URL(request.url ?? '/', 'https://hub');
    const found = findRoute(table, request.method ?? '', url.pathname);
    try {
      return await serve(request, url, found);
    } catch (cause) {
      if (found.route.dps !== true || !(cause instanceof HubError)) throw cause;
      const { status } = cause;
      const headers: Record<string, string> =
        status === 429 ? { 'retry-after': String(settings.dpsRetryAfterS) } : {};
      return { status, body: errorBody(cause, clock.now()), headers };
    }
  }

  async function serve(
    request: IncomingMessage,
    url: URL,
    { route, params }: FoundRoute,
  ): Promise<RestReply | RestStream> {
    const ownDevice = route.ownDevice === true ? params['device'] : undefined;
    const certificate = clientCertificate(request.socket as TLSSocket);
    const { authorization } = request.headers;
    const verdict =
      route.right === 'own proof'
        ? { ok: true as const }
        : parts.authorization.service(authorization, route.right, ownDevice, certificate);
    if (!verdict.ok) {
      log.warn('request refused', { path: url.pathname, reason: verdict.reason });
      throw new HubError('IotHubUnauthorizedAccess', 'Unauthorized');
    }
    const { throttle, quota } = parts.faults.state();
    if (throttle) throw new HubError('ThrottlingException', 'the hub is busy: come back later');
    if (quota) throw new HubError('IotHubQuotaExceeded', "the day's messages are used up");
    const bytes = await readBody(request, settings.requestBytesMax);
    const body = route.raw === true ? undefined : parseJson(bytes.toString('utf8'));
    const condition = request.headers['if-match'];
    const etag = condition?.replaceAll('"', '');
    return await route.handle({
      params,
      query: url.searchParams,
      headers: request.headers,
      body,
      bytes,
      certificate,
      etag: etag === '*' ? undefined : etag,
      conditional: condition !== undefined,
    });
  }

  const server = createServer((request, response) => {
    answer(request)
      .catch((cause: unknown) => {
        const error = asHubError(cause);
        if (error.errorName === 'ServerError') {
          log.error('a request failed', { path: request.url, error: cause });
        }
        return {
          status: error.status,
          body: restErrorBody(error, clock.now()),
          headers: { 'iothub-errorcode': error.errorName },
        };
      })
      .then((reply) => {
        // An unread body (too large, refused) would be taken for the next request.
        if (!request.complete) response.setHeader('connection', 'close');
        if ('stream' in reply) reply.stream(response);
        else write(response, reply);
      })
      .catch((cause: unknown) => {
        log.error('a reply could not be written', { path: request.url, error: cause });
        response.destroy();
      });
  });
  server.timeout = IDLE_MS_MAX;
  return server;
}

function write(response: ServerResponse, reply: RestReply): void {
  if (reply.body === undefined) {
    response.writeHead(reply.status, { ...reply.headers }).end();
    return;
  }
  const body = Buffer.from(JSON.stringify(reply.body));
  // The service SDK hands back nothing at all for any other content type (§5.1).
  response.writeHead(reply.status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': body.length,
    ...reply.headers,
  });
  response.end(body);
}

type FoundRoute = {
  readonly route: RestRoute;
  readonly params: Readonly<Record<string, string>>;
};

function findRoute(
  table: readonly { readonly route: RestRoute; readonly segments: readonly string[] }[],
  method: string,
  pathname: string,
): FoundRoute {
  // The SDK lists devices with a slash at the end (§5.2).
  const given = pathname.replace(/\/$/, '').split('/').slice(1);
  const matching = table
    .map(({ route, segments }) => ({ route, params: matchPath(segments, given) }))
    .filter((match) => match.params !== undefined);
  const found = matching.find(({ route }) => route.method === method);
  if (found !== undefined) {
    return { route: found.route, params: found.params as Readonly<Record<string, string>> };
  }
  throw matching.length > 0
    ? new HubError('MethodNotAllowed', `${method} is not possible here`)
    : new HubError('NotFound', `the emulator does not serve ${pathname}`);
}

function matchPath(
  segments: readonly string[],
  given: readonly string[],
): Readonly<Record<string, string>> | undefined {
  if (segments.length !== given.length) return undefined;
  const params: [string, string][] = [];
  for (const [index, segment] of segments.entries()) {
    const value = decodeSegment(given[index] as string);
    if (segment.startsWith(':')) {
      if (value === undefined || value === '') return undefined;
      params.push([segment.slice(1), value]);
    } else if (segment !== value) return undefined;
  }
  return Object.fromEntries(params);
}

function decodeSegment(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}

async function readBody(request: IncomingMessage, bytesMax: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > bytesMax) {
      throw new HubError('MessageTooLarge', `the body is larger than ${bytesMax} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function parseJson(text: string): Json | undefined {
  if (text.trim() === '') return undefined;
  try {
    return JSON.parse(text) as Json;
  } catch (cause) {
    throw new HubError('ArgumentInvalid', `the body is no JSON: ${(cause as Error).message}`);
  }
}

/** How many entries of a list are wanted: `top`, or all that one page takes. Throws ArgumentInvalid. */
export function topIn(query: URLSearchParams, max: number): number {
  const top = query.get('top') ?? String(max);
  if (/^[1-9]\d{0,8}$/.test(top)) return Math.min(Number(top), max);
  throw new HubError('ArgumentInvalid', 'top must be a whole number above 0');
}
