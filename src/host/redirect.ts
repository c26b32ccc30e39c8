/** What is asked for after a redirect (fetch standard, "HTTP-redirect fetch"). */
import type { FetchRequest } from './fetch-request.ts';

type Hop = Pick<FetchRequest, 'url' | 'method' | 'headers' | 'body'>;

/** What told one server who asks is not for another. */
const personal = ['authorization', 'cookie'];
const aboutBody = ['content-encoding', 'content-language', 'content-location', 'content-type'];

export function redirected(from: Hop, status: number, url: URL): Hop {
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
