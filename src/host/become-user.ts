/**
 * Gives up being root. A host that needs the groups of devices is started as root and does this first,
 * before it hears of any module: Node's `spawn` can set a user but drops all groups.
 */
const FLAG = '--become=';

export type Becoming = {
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
};

/** For the host's command line. */
export function becomingArgument({ uid, gid, groups }: Becoming): string {
  return `${FLAG}${[uid, gid, ...groups].join(',')}`;
}

/** Does what the command line asks. Throws when the kernel refuses: nobody goes on as root then. */
export function becomeUser(argv: readonly string[]): void {
  const text = argv.find((argument) => argument.startsWith(FLAG));
  if (text === undefined) return;
  const [uid, gid, ...groups] = text.slice(FLAG.length).split(',').map(Number);
  process.setgroups?.(groups);
  process.setgid?.(gid as number);
  process.setuid?.(uid as number);
}
