/** Paths and devices in lists of what may be touched, as bundles and policies write them. */

/** A file or folder with all below it. */
export type PathRule = { readonly path: string; readonly writable: boolean };

/** Kinds of devices and what their paths begin with, as Linux names them. */
const deviceKinds: Readonly<Record<string, readonly string[]>> = {
  gpio: ['/dev/gpiochip'],
  i2c: ['/dev/i2c-'],
  serial: ['/dev/tty', '/dev/serial/'],
  spi: ['/dev/spidev'],
};

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
  if (Object.hasOwn(deviceKinds, text)) return true;
  return (
    /^\/dev\/[^\0]+$/.test(text) && !text.split('/').some((part) => part === '..' || part === '.')
  );
}

export function deviceMatches(path: string, rule: string): boolean {
  const kind = Object.hasOwn(deviceKinds, rule) ? deviceKinds[rule] : undefined;
  if (kind !== undefined) return kind.some((begin) => path.startsWith(begin));
  const pattern = rule.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${pattern.join('[^/]*')}$`).test(path);
}
