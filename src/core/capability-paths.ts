/** Paths and devices in lists of what may be touched, as bundles and policies write them. */

import type { DeviceKind } from './device-grant.ts';

/** A file or folder with all below it. */
export type PathRule = { readonly path: string; readonly writable: boolean };

const KINDS: readonly string[] = ['gpio', 'i2c', 'serial', 'spi'] satisfies DeviceKind[];

/** `/path`, `/path:ro` or `/path:rw`; undefined when it is none. Without a mode it is `:rw`, as in `Binds`. */
export function readPathRule(text: string): PathRule | undefined {
  const [path, mode = 'rw', ...rest] = text.split(':');
  if (path === undefined || rest.length > 0 || (mode !== 'ro' && mode !== 'rw')) return undefined;
  if (!path.startsWith('/') || path.includes('\0') || path.includes('*')) return undefined;
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  return parts.includes('..')
    ? undefined
    : { path: `/${parts.join('/')}`, writable: mode === 'rw' };
}

/** Whether `path` is `folder` or lies below it. */
export function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder === '/' ? '/' : `${folder}/`);
}

/** What the rules allow of a path; several add up. */
export function pathRights(
  path: string,
  rules: readonly PathRule[],
): { readonly readable: boolean; readonly writable: boolean } {
  const covering = rules.filter((rule) => isWithin(path, rule.path));
  return { readable: covering.length > 0, writable: covering.some((rule) => rule.writable) };
}

/** A kind, or a path below /dev; `*` stands for any letters but `/`. */
export function isDeviceRule(text: string): boolean {
  if (KINDS.includes(text)) return true;
  return (
    /^\/dev\/[^\0]+$/.test(text) && !text.split('/').some((part) => part === '..' || part === '.')
  );
}

/** @param path as whoever wrote the rule sees it: the bundle by its target, the policy on the device. */
export function deviceMatches(
  { path, kind }: { readonly path: string; readonly kind: DeviceKind | undefined },
  rule: string,
): boolean {
  if (KINDS.includes(rule)) return kind === rule;
  const patterns = rule.split('/');
  const parts = path.split('/');
  return (
    parts.length === patterns.length &&
    parts.every((part, index) => partMatches(part, patterns[index] as string))
  );
}

/** Without a regular expression: a bundle's rule of many `*` would keep one busy for hours. */
function partMatches(text: string, pattern: string): boolean {
  const pieces = pattern.split('*');
  if (pieces.length === 1) return text === pattern;
  const [first, ...middle] = pieces as [string, ...string[]];
  const last = middle.pop() as string;
  const end = text.length - last.length;
  if (first.length > end || !text.startsWith(first) || !text.endsWith(last)) return false;
  let at = first.length;
  for (const piece of middle) {
    const found = text.indexOf(piece, at);
    if (found < 0 || found + piece.length > end) return false;
    at = found + piece.length;
  }
  return true;
}
