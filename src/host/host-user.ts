/** The user module hosts run as when the supervisor is root: nobody's files, and none of root's rights. */
import { readFileSync, realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

export type HostUser = { readonly name: string; readonly uid: number; readonly gid: number };

/** Tried in this order when the config names none. */
const DEFAULTS = ['isolet', 'nobody'];
/** What the kernel itself maps strangers to, for a system without any of them. */
const STRANGER: HostUser = { name: 'nobody', uid: 65_534, gid: 65_534 };

export type HostUserChoice =
  /** `user` undefined = the hosts run as whoever we are. */
  | { readonly ok: true; readonly user: HostUser | undefined }
  | { readonly ok: false; readonly problem: string };

/**
 * @param wanted `isolet.host_user`, undefined = isolet, else nobody. `root` says in so many words that
 * the hosts stay root. @param uid who we are: only root can become somebody else.
 * @param passwd the text of /etc/passwd.
 */
export function chooseHostUser(
  wanted: string | undefined,
  uid: number,
  passwd: string,
): HostUserChoice {
  const users = parsePasswd(passwd);
  if (uid !== 0) {
    const self = [...users.values()].find((user) => user.uid === uid)?.name;
    return wanted === undefined || wanted === self
      ? { ok: true, user: undefined }
      : {
          ok: false,
          problem: `isolet.host_user is "${wanted}", but only root can start hosts as another user: leave it out, or start isolet as root`,
        };
  }
  if (wanted === undefined) {
    const found = DEFAULTS.map((name) => users.get(name)).find((user) => user !== undefined);
    return { ok: true, user: found ?? STRANGER };
  }
  const user = users.get(wanted);
  if (user === undefined) {
    return {
      ok: false,
      problem: `isolet.host_user is "${wanted}", whom /etc/passwd does not know: make the user (useradd --system ${wanted}), or name another`,
    };
  }
  return { ok: true, user: user.uid === 0 ? undefined : user };
}

/** As `chooseHostUser`, for this process on this machine. */
export function hostUserHere(wanted: string | undefined): HostUserChoice {
  let passwd = '';
  try {
    passwd = readFileSync('/etc/passwd', 'utf8');
  } catch {
    // A system without it has no names; numbers still work.
  }
  return chooseHostUser(wanted, process.getuid?.() ?? 0, passwd);
}

/**
 * The first of these files, or of the folders on the way to them, that a user may not read or enter
 * by its mode; undefined when all are open. Access lists are not looked at.
 */
export function closedTo(user: HostUser, files: readonly string[]): string | undefined {
  for (const file of files) {
    const real = realpathSync(file);
    if (!allows(user, real, 4)) return real;
    for (let folder = dirname(real); ; folder = dirname(folder)) {
      if (!allows(user, folder, 1)) return folder;
      if (folder === '/') break;
    }
  }
  return undefined;
}

/** `right`: 4 to read, 1 to enter. */
function allows({ uid, gid }: HostUser, path: string, right: 4 | 1): boolean {
  const stat = statSync(path);
  const shift = stat.uid === uid ? 6 : stat.gid === gid ? 3 : 0;
  return ((stat.mode >> shift) & right) !== 0;
}

function parsePasswd(text: string): ReadonlyMap<string, HostUser> {
  const users = new Map<string, HostUser>();
  for (const line of text.split('\n')) {
    const [name, , uid, gid] = line.split(':');
    if (name === undefined || !/^\d+$/.test(uid ?? '') || !/^\d+$/.test(gid ?? '')) continue;
    users.set(name, { name, uid: Number(uid), gid: Number(gid) });
  }
  return users;
}
