/** URLs as `fetch` takes them: complete, unless the module has a `location` they may be relative to. */
import { URL } from './url.ts';

/** Where the module says it is: modules have no `location`, but a test or a polyfill may give them one. */
export function base(): string | undefined {
  const { location } = globalThis as { readonly location?: { readonly href?: unknown } };
  return typeof location?.href === 'string' ? location.href : undefined;
}

/** Throws a TypeError. */
export function absoluteUrl(text: string): URL {
  const url = URL.parse(text, base());
  if (url !== null) return url;
  throw Object.assign(
    new TypeError(
      `The URL is not valid: it begins with http:// or https:// and a host, not with ${shown(text)}`,
    ),
    { code: 'EINVAL' },
  );
}

/** `null` = it belongs nowhere. */
export function ownOrigin(): string {
  const here = base();
  return here === undefined ? 'null' : new URL(here).origin;
}

function shown(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}
