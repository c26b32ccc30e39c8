/** The authorities whose client certificates the hub trusts, by name, as its `certificates` in Azure. */
import { X509Certificate } from 'node:crypto';
import { HubError } from './hub-error.ts';
import type { State } from './state.ts';

export interface Authorities {
  list(): readonly X509Certificate[];
  /** Adds it, or puts it in the place of the one with this name. Throws ArgumentInvalid. */
  put(name: string, pem: string): void;
}

export function createAuthorities(state: State): Authorities {
  const upsert = state.prepare('INSERT OR REPLACE INTO authority VALUES (?, ?)');
  const select = state.prepare('SELECT pem FROM authority').pluck();
  const read = (): readonly X509Certificate[] =>
    (select.all() as string[]).map((pem) => new X509Certificate(pem));
  let all = read();
  return {
    list: () => all,
    put(name, pem) {
      if (!isAuthority(pem)) {
        throw new HubError(
          'ArgumentInvalid',
          `${name} is no certificate of an authority (PEM, with CA:TRUE)`,
        );
      }
      upsert.run(name, pem);
      all = read();
    },
  };
}

function isAuthority(pem: string): boolean {
  try {
    return new X509Certificate(pem).ca;
  } catch {
    return false;
  }
}
