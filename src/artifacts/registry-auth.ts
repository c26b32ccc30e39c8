/** How a registry wants to know us: its challenge answered, by password or by a token its server sells. */
import { Fault } from '../core/fault.ts';
import { isJsonObject } from '../core/json.ts';
import type { RegistryLogin } from '../core/registry-credentials.ts';
import { isLoopbackHost } from '../core/registry-name.ts';
import { toBase64 } from '../lib/base64.ts';
import { asBytes } from '../lib/text.ts';

/** The text behind an address; rejects with a Fault. */
export type GetText = (url: URL, headers: Readonly<Record<string, string>>) => Promise<string>;

export type Asking = {
  readonly host: string;
  /** `repository:name:pull` */
  readonly scope: string;
  readonly login: RegistryLogin | undefined;
  /** True for a host that is asked over plain HTTP. */
  readonly isInsecure: (host: string) => boolean;
};

/**
 * The `Authorization` for a `WWW-Authenticate`; undefined when it asks for nothing we have.
 * Rejects with DOWNLOAD_FAILED.
 */
export async function answerChallenge(
  challenge: string,
  asking: Asking,
  getText: GetText,
): Promise<string | undefined> {
  const [, scheme = '', rest = ''] = /^\s*(\S+)\s*(.*)$/s.exec(challenge) ?? [];
  const { login } = asking;
  if (scheme.toLowerCase() === 'basic') return login && basic(login);
  if (scheme.toLowerCase() !== 'bearer') return undefined;
  const { realm = '', service, scope } = readParameters(rest);
  const url = URL.parse(realm);
  const isPlain = url?.protocol === 'http:';
  if (url === null || !(url.protocol === 'https:' || isPlain)) {
    throw failed(`${asking.host} names no web address that sells tokens`);
  }
  // A password never travels where everybody can read it.
  if (isPlain && login !== undefined && !isLoopbackHost(url.host) && !asking.isInsecure(url.host)) {
    throw failed(
      `${asking.host} sells its tokens at ${url.origin} over plain HTTP, which would give the password away: it must be https`,
    );
  }
  if (service !== undefined) url.searchParams.set('service', service);
  url.searchParams.set('scope', scope ?? asking.scope);
  const text = await getText(url, login === undefined ? {} : { authorization: basic(login) });
  const token = readToken(text);
  if (token === undefined) throw failed(`${url.origin}${url.pathname} answered without a token`);
  return `Bearer ${token}`;
}

function basic({ username, password }: RegistryLogin): string {
  return `Basic ${toBase64(asBytes(`${username}:${password}`))}`;
}

function readParameters(text: string): Readonly<Partial<Record<string, string>>> {
  const found: [string, string][] = [];
  for (const [, name = '', quoted, plain] of text.matchAll(
    /([a-z_]+)\s*=\s*(?:"([^"]*)"|([^\s",]+))/gi,
  )) {
    found.push([name.toLowerCase(), quoted ?? plain ?? '']);
  }
  return Object.fromEntries(found);
}

/** Servers call it one or the other. A token that is no header's text would be a trick. */
function readToken(text: string): string | undefined {
  try {
    const answer: unknown = JSON.parse(text);
    const { token, access_token: other } = isJsonObject(answer) ? answer : {};
    const value = token ?? other;
    return typeof value === 'string' && /^[\x21-\x7e]+$/.test(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function failed(message: string): Fault {
  return new Fault('DOWNLOAD_FAILED', message);
}
