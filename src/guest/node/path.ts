/** Stands in for `node:path`, POSIX only. */
import { checkString, invalidType } from './node-errors.ts';

export const sep = '/';
export const delimiter = ':';

export type ParsedPath = { root: string; dir: string; base: string; ext: string; name: string };

export function isAbsolute(path: string): boolean {
  checkString('path', path);
  return path.startsWith('/');
}

export function normalize(path: string): string {
  checkString('path', path);
  if (path === '') return '.';
  const absolute = isAbsolute(path);
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.length > 0 && parts.at(-1) !== '..') parts.pop();
    else if (!absolute) parts.push('..');
  }
  let text = parts.join('/');
  if (text !== '' && path.endsWith('/')) text += '/';
  if (absolute) return `/${text}`;
  if (text === '') return path.endsWith('/') ? './' : '.';
  return text;
}

export function join(...paths: readonly string[]): string {
  for (const path of paths) checkString('path', path);
  return normalize(paths.filter((path) => path !== '').join('/'));
}

/** From the right to the first absolute path; a module's working directory is `/`. */
export function resolve(...paths: readonly string[]): string {
  let whole = '';
  for (const path of [...paths].reverse()) {
    checkString('path', path);
    if (path === '') continue;
    whole = whole === '' ? path : `${path}/${whole}`;
    if (isAbsolute(path)) break;
  }
  const text = normalize(isAbsolute(whole) ? whole : `/${whole}`);
  return text.length > 1 && text.endsWith('/') ? text.slice(0, -1) : text;
}

export function dirname(path: string): string {
  checkString('path', path);
  if (path === '') return '.';
  const root = isAbsolute(path) ? '/' : '';
  const at = path.replace(/\/+$/, '').lastIndexOf('/');
  if (at === 1 && root !== '') return '//';
  return at > 0 ? path.slice(0, at) : root || '.';
}

export function basename(path: string, suffix = ''): string {
  checkString('path', path);
  checkString('suffix', suffix);
  const trimmed = path.replace(/\/+$/, '');
  const base = trimmed.slice(trimmed.lastIndexOf('/') + 1);
  // A name that is all suffix keeps it, but for a path that is nothing else.
  const isCut = suffix !== '' && base.endsWith(suffix) && (base !== suffix || path === suffix);
  return isCut ? base.slice(0, -suffix.length) : base;
}

export function extname(path: string): string {
  checkString('path', path);
  const base = basename(path);
  const at = base.lastIndexOf('.');
  return at <= 0 || base === '..' ? '' : base.slice(at);
}

export function relative(from: string, to: string): string {
  const start = resolve(from).split('/').filter(Boolean);
  const end = resolve(to).split('/').filter(Boolean);
  let shared = 0;
  while (shared < start.length && shared < end.length && start[shared] === end[shared]) shared++;
  return [...start.slice(shared).map(() => '..'), ...end.slice(shared)].join('/');
}

export function parse(path: string): ParsedPath {
  checkString('path', path);
  const base = basename(path);
  const ext = extname(path);
  const root = isAbsolute(path) ? '/' : '';
  const at = path.replace(/\/+$/, '').lastIndexOf('/');
  const name = ext === '' ? base : base.slice(0, -ext.length);
  return { root, dir: at > 0 ? path.slice(0, at) : root, base, ext, name };
}

export function format(path: Partial<ParsedPath>): string {
  if (typeof path !== 'object' || path === null) {
    throw invalidType('pathObject', 'of type object', path);
  }
  const dir = path.dir ?? path.root ?? '';
  // With its point, or without.
  const ext = path.ext && !path.ext.startsWith('.') ? `.${path.ext}` : (path.ext ?? '');
  const base = path.base ?? `${path.name ?? ''}${ext}`;
  if (dir === '') return base;
  return dir === path.root ? `${dir}${base}` : `${dir}/${base}`;
}

/** As on any POSIX system. */
export const toNamespacedPath = (path: string): string => path;

export const posix = {
  basename,
  delimiter,
  dirname,
  extname,
  format,
  isAbsolute,
  join,
  normalize,
  parse,
  relative,
  resolve,
  sep,
  toNamespacedPath,
};
// oxlint-disable-next-line import/no-default-export -- modules write `import path from`
export default { ...posix, posix };
