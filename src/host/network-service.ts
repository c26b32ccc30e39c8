/**
 * The network for one module: `fetch`, redirects included. Each hop is checked anew, the answer's body
 * goes to the module piece by piece as it asks, and all ends with the module.
 *
 *   fetch {id, url, method, headers, body, redirect} → {status, statusText, headers, url, redirected, piece, done}
 *   read  {id} → {piece, done}       the next of the body, base64
 *   cancel {id} → null
 *   trust {pem} → null               authorities to trust besides those of Node
 *   socket…                          WebSockets (web-sockets.ts)
 */
import { X509Certificate } from 'node:crypto';
import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';
import { isJsonObject, type Json } from '../core/json.ts';
import type { Clock } from '../core/ports.ts';
import { systemClock } from '../lib/system-clock.ts';
import { type AnswerBody, createAnswerBody, type Piece } from './answer-body.ts';
import { type MakeService, type ServiceDeps, ServiceError } from './device-services.ts';
import { type FetchRequest, readFetchRequest } from './fetch-request.ts';
import { createConnections } from './http-exchange.ts';
import { createNetworkAccess, type Resolve } from './network-access.ts';
import { networkFault } from './network-fault.ts';
import { follow } from './redirects.ts';
import type { WebSockets } from './web-sockets.ts';

type Underway = {
  readonly abort: AbortController;
  readonly cancelTimer: () => void;
  /** Host and port it speaks with. */
  place: string;
  body: AnswerBody | undefined;
  /** The piece being waited for: asked twice, it is still one. */
  coming: Promise<Piece> | undefined;
  receivedBytes: number;
};

type Outside = { readonly clock: Clock; readonly resolve?: Resolve };

/** An answer's head goes to the module with the start of its body, unless that takes longer than this. */
const FIRST_PIECE_MS = 50;
const PEM_LENGTH_MAX = 262_144;

export const createNetworkService: MakeService = (deps) =>
  createNetworkServiceWith(deps, { clock: systemClock });

export function createNetworkServiceWith(
  { module, grants, settings }: Pick<ServiceDeps, 'module' | 'grants' | 'settings'>,
  { clock, resolve }: Outside,
): ReturnType<MakeService> {
  const access = createNetworkAccess({
    module,
    grant: grants.network,
    ...(resolve === undefined ? {} : { resolve }),
  });
  const connections = createConnections(settings.fetchesMax);
  const open = new Map<number, Underway>();
  let secureContext: SecureContext | undefined;
  let sockets: WebSockets | undefined;

  /** Their program is loaded with the first one. */
  async function webSockets(what: string, args: Json): Promise<Json> {
    const { createWebSockets } = await import('./web-sockets.ts');
    sockets ??= createWebSockets({ access, settings, secureContext: () => secureContext });
    const asked = sockets.ask(what, args);
    if (asked === undefined) throw unknownWord(what);
    return asked;
  }

  function begin({ id }: FetchRequest): Underway {
    if (open.has(id)) throw new ServiceError('EINVAL', `fetch: the number ${id} is in use`);
    if (open.size >= settings.fetchesMax) {
      throw new ServiceError(
        'EMFILE',
        `fetch: this module has ${settings.fetchesMax} fetches under way (isolet.fetch.at_once_max): wait for some, and read or cancel the bodies of their answers`,
      );
    }
    const abort = new AbortController();
    const cancelTimer = clock.after(settings.fetchMs, () =>
      end(
        id,
        new ServiceError(
          'ETIMEDOUT',
          `fetch ${one.place}: it was not over within ${settings.fetchMs} ms (isolet.fetch.time_ms)`,
        ),
      ),
    );
    const one: Underway = {
      abort,
      cancelTimer,
      place: '',
      body: undefined,
      coming: undefined,
      receivedBytes: 0,
    };
    open.set(id, one);
    return one;
  }

  function end(id: number, reason?: ServiceError): void {
    const one = open.get(id);
    if (one === undefined) return;
    open.delete(id);
    one.cancelTimer();
    if (reason !== undefined) one.abort.abort(reason);
  }

  /** What fails ends the exchange, and is told in our words. */
  async function guarded<Value>(
    id: number,
    one: Underway,
    run: () => Promise<Value>,
  ): Promise<Value> {
    try {
      return await unlessAborted(one.abort.signal, run());
    } catch (cause) {
      const fault = networkFault(cause, one.place, settings.fetchHeaderBytesMax);
      end(id, fault);
      throw fault;
    }
  }

  async function fetch(request: FetchRequest): Promise<Json> {
    const one = begin(request);
    return guarded(request.id, one, async () => {
      const { answer, url, hops } = await follow(request, {
        access,
        connections,
        signal: one.abort.signal,
        headerBytesMax: settings.fetchHeaderBytesMax,
        secureContext,
        visits(place) {
          one.place = place;
        },
      });
      const body = createAnswerBody(answer, request.method);
      one.body = body;
      // What breaks after the head is told when the module reads on.
      answer.on('error', () => {});
      one.abort.signal.addEventListener('abort', () =>
        answer.destroy(one.abort.signal.reason as Error),
      );
      const first = await Promise.race([
        pieceOf(one, body),
        new Promise<undefined>((resolve) => clock.after(FIRST_PIECE_MS, () => resolve(undefined))),
      ]);
      return {
        status: answer.statusCode ?? 0,
        statusText: answer.statusMessage ?? '',
        headers: pairs(answer.rawHeaders),
        url: url.href,
        redirected: hops > 0,
        ...(first === undefined ? { piece: '', done: false } : told(request.id, one, first)),
      };
    });
  }

  function pieceOf(one: Underway, body: AnswerBody): Promise<Piece> {
    one.coming ??= body.next();
    // It may break while nobody waits for it, and is told when somebody does.
    one.coming.catch(() => {});
    return one.coming;
  }

  function told(
    id: number,
    one: Underway,
    { bytes, done }: Piece,
  ): { readonly piece: string; readonly done: boolean } {
    one.coming = undefined;
    one.receivedBytes += bytes.byteLength;
    if (one.receivedBytes > settings.fetchResponseBytesMax) {
      throw new ServiceError(
        'EMSGSIZE',
        `fetch ${one.place}: the body of its answer is larger than ${settings.fetchResponseBytesMax} bytes (isolet.fetch.response_kb): ask for parts of it with the header "Range"`,
      );
    }
    if (done) end(id);
    const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return { piece: view.toString('base64'), done };
  }

  async function read(id: number): Promise<Json> {
    const one = open.get(id);
    const body = one?.body;
    if (one === undefined || body === undefined) {
      throw new ServiceError(
        'EBADF',
        'fetch: this answer is over: read to its end, cancelled, or not read in time (isolet.fetch.time_ms)',
      );
    }
    return guarded(id, one, async () => told(id, one, await pieceOf(one, body)));
  }

  function trust(pem: unknown): null {
    if (typeof pem !== 'string' || pem.length > PEM_LENGTH_MAX) {
      throw new ServiceError(
        'EINVAL',
        `NODE_EXTRA_CA_CERTS: it must be PEM text of at most ${PEM_LENGTH_MAX} characters`,
      );
    }
    try {
      // A context takes text without a certificate for none at all.
      void new X509Certificate(pem);
      secureContext = createSecureContext({ ca: [...getCACertificates('default'), pem] });
    } catch {
      throw new ServiceError('EINVAL', 'NODE_EXTRA_CA_CERTS: the file holds no certificate in PEM');
    }
    return null;
  }

  return {
    async ask(what, args) {
      const { id, pem } = isJsonObject(args) ? args : {};
      switch (what) {
        case 'fetch':
          return fetch(readFetchRequest(args, settings));
        case 'read':
          return read(Number(id));
        case 'cancel':
          end(Number(id), new ServiceError('ECANCELED', 'fetch: it was cancelled'));
          return null;
        case 'trust':
          return trust(pem);
        default:
          if (what.startsWith('socket')) return webSockets(what, args);
          throw unknownWord(what);
      }
    },
    close() {
      for (const id of open.keys()) {
        end(id, new ServiceError('ECANCELED', 'fetch: the module has ended'));
      }
      sockets?.close();
      connections.http.destroy();
      connections.https.destroy();
    },
  };
}

function unknownWord(what: string): ServiceError {
  return new ServiceError('ENOSYS', `the network has no "${what.slice(0, 64)}"`);
}

/** `rawHeaders` as pairs. */
function pairs(raw: readonly string[]): Json {
  return Array.from({ length: raw.length / 2 }, (_, index) => [
    (raw[2 * index] as string).toLowerCase(),
    raw[2 * index + 1] as string,
  ]);
}

/** Whoever is slow to notice the signal (a name server) is not waited for. */
function unlessAborted<Value>(signal: AbortSignal, work: Promise<Value>): Promise<Value> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    work
      .finally(() => signal.removeEventListener('abort', abort))
      .then(resolve, (cause: unknown) => reject(cause as Error));
  });
}
