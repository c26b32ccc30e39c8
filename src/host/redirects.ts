/**
 * A request and where it is sent on to (fetch standard, "HTTP-redirect fetch"). Each hop finds its address
 * and is compared with the grants as if it were the first.
 */
import type { IncomingMessage } from 'node:http';
import { ServiceError } from './device-services.ts';
import { type FetchRequest, hostOf, portOf, readUrl } from './fetch-request.ts';
import { type Exchange, type ExchangeDeps, exchange } from './http-exchange.ts';
import type { NetworkAccess } from './network-access.ts';

const REDIRECTS_MAX = 20;
const statuses = new Set([301, 302, 303, 307, 308]);

type FollowDeps = Omit<ExchangeDeps, 'addresses'> & {
  readonly access: NetworkAccess;
  /** Told host and port of each hop before it is tried. */
  readonly visits: (place: string) => void;
};

type Arrival = {
  /** Its body has not been read. */
  readonly answer: IncomingMessage;
  readonly url: URL;
  readonly hops: number;
};

/** Rejects with a ServiceError, with the signal's reason, or with an error of Node. */
export async function follow(request: FetchRequest, deps: FollowDeps): Promise<Arrival> {
  let next: Exchange = request;
  for (let hops = 0; ; hops++) {
    const { url } = next;
    const place = `${url.hostname}:${portOf(url)}`;
    deps.visits(place);
    const addresses = await deps.access.addresses(hostOf(url), portOf(url));
    const answer = await exchange(next, { ...deps, addresses });
    const status = answer.statusCode ?? 0;
    const { location } = answer.headers;
    if (!statuses.has(status) || location === undefined || request.redirect === 'manual') {
      return { answer, url, hops };
    }
    answer.on('error', () => {}).destroy();
    if (request.redirect === 'error') {
      throw new ServiceError('ELOOP', `fetch ${place}: it redirects, and redirect is "error"`);
    }
    if (hops >= REDIRECTS_MAX) {
      throw new ServiceError(
        'ELOOP',
        `fetch ${place}: it redirects more than ${REDIRECTS_MAX} times`,
      );
    }
    next = redirected(next, status, readUrl(location, url));
  }
}

/** What told one server who asks is not for another. */
const personal = ['authorization', 'cookie'];
const aboutBody = ['content-encoding', 'content-language', 'content-location', 'content-type'];

function redirected(from: Exchange, status: number, url: URL): Exchange {
  const becomesGet =
    status === 303
      ? from.method !== 'GET' && from.method !== 'HEAD'
      : (status === 301 || status === 302) && from.method === 'POST';
  const dropped = new Set([
    ...(url.origin === from.url.origin ? [] : personal),
    ...(becomesGet ? aboutBody : []),
  ]);
  return {
    url,
    method: becomesGet ? 'GET' : from.method,
    headers: Object.fromEntries(
      Object.entries(from.headers).filter(([name]) => !dropped.has(name)),
    ),
    body: becomesGet ? undefined : from.body,
  };
}
