/**
 * What a name leads to, found without asking a file system that may never answer: a dead network mount
 * below one module's bind must not hold the supervisor.
 */
import { readFileSync, readlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Kinds of mounts behind which somebody else has to answer. */
const REMOTE = /^(nfs|cifs|smb|fuse|9p|ceph|afs|autofs|glusterfs|lustre)/;
/** The kernel's own limit. */
const LINKS_MAX = 40;

/**
 * `path`, absolute, with its symbolic links resolved up to the first remote mount or the first name
 * that is not there; what comes after stays as written. Never throws.
 */
export function localRealPath(path: string, remote = remoteMounts()): string {
  let rest = parts(path);
  let real = '/';
  let links = 0;
  for (let part = rest.shift(); part !== undefined; part = rest.shift()) {
    if (part === '..') {
      real = dirname(real);
      continue;
    }
    const next = join(real, part);
    if (remote.includes(next)) return join(next, ...rest);
    const target = linkTarget(next);
    if (target === undefined) {
      real = next;
      continue;
    }
    if (++links > LINKS_MAX) return path;
    if (target.startsWith('/')) real = '/';
    rest = [...parts(target), ...rest];
  }
  return real;
}

function parts(path: string): string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.');
}

function linkTarget(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    // No link, or not there.
    return undefined;
  }
}

/** Mount points of remote file systems, see proc_pid_mountinfo(5); not the root, which has answered already. */
export function remoteMounts(mountinfo = readMountinfo()): readonly string[] {
  return mountinfo.split('\n').flatMap((line) => {
    const [place = '', source = ''] = line.split(' - ');
    const point = place.split(' ')[4];
    if (point === undefined || point === '/' || !REMOTE.test(source)) return [];
    return [point.replace(/\\([0-7]{3})/g, (_, code) => String.fromCharCode(parseInt(code, 8)))];
  });
}

function readMountinfo(): string {
  try {
    return readFileSync('/proc/self/mountinfo', 'utf8');
  } catch {
    return '';
  }
}
