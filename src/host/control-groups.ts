/**
 * A control group (cgroup v2) for each module host, where we are given a part of the tree to manage: the
 * kernel then holds a host to its memory at once, where our own look at it comes every 100 ms. Isolet must
 * be alone in its group, as a systemd service with `Delegate=yes` is, or the machine's first group ours.
 */
import { join, resolve } from 'node:path';
import type { Log } from '../core/ports.ts';
import type { ControlFiles } from './control-files.ts';

/** The group of one host. Nothing here throws: our own look goes on beside it. */
type HostCell = {
  /** It may use so many bytes, file cache and its part of the kernel's memory included. */
  limit(bytes: number): void;
  /** The process, and all it starts, belongs to it from now on. */
  hold(pid: number): void;
  /** The kernel has killed in it because the limit was reached. */
  ranOut(): boolean;
  /** The process has ended, or will: the group goes as soon as it is empty. */
  leave(): void;
};

export type HostCells = {
  /** Undefined when the kernel refuses. */
  make(): HostCell | undefined;
};

export type FoundCells =
  | { readonly ok: true; readonly cells: HostCells; readonly folder: string }
  /** `why`: a clause, for the log and `isolet check`. */
  | { readonly ok: false; readonly why: string };

export type CellsOptions = {
  readonly files: ControlFiles;
  /** Where the kernel's tree is mounted. */
  readonly root?: string;
  /** The text of /proc/self/cgroup. */
  readonly self: string;
  readonly pid: number;
  readonly log: Log;
};

export const CELL_PREFIX = 'isolet-host-';
/** Where we go ourselves: a group that shares out its memory may have no process of its own. */
const OWN_LEAF = 'isolet-supervisor';
/** In the machine's first group, beside whatever else there is. */
const TOP_FOLDER = 'isolet';
/** A host has some twenty threads; module code cannot start any. */
const PIDS_MAX = '256';

/**
 * Is there a kernel to hold hosts to their memory? Undefined if so; else why not, and what helps.
 * @param self the text of /proc/self/cgroup.
 */
export function machineProblem(
  files: ControlFiles,
  self: string,
  root = '/sys/fs/cgroup',
): string | undefined {
  const controllers = files.read(join(root, 'cgroup.controllers'));
  if (controllers === undefined || groupOf(self) === undefined) {
    return 'this machine has no control groups of version 2';
  }
  return hasWord(controllers, 'memory')
    ? undefined
    : 'the kernel has its memory controller switched off (on Raspberry Pi OS add cgroup_enable=memory to /boot/firmware/cmdline.txt)';
}

/** Makes ready what hosts are put into: moves this process into a group of its own, if it may. */
export function openHostCells(options: CellsOptions): FoundCells {
  const { files, root = '/sys/fs/cgroup', self, pid } = options;
  const machine = machineProblem(files, self, root);
  if (machine !== undefined) return { ok: false, why: machine };
  const own = resolve(root, `.${groupOf(self)}`);
  // Only the machine's first group has no type.
  const atTop = files.read(join(own, 'cgroup.type')) === undefined;
  try {
    const folder = atTop ? openBelowTop(files, own) : openOwn(files, own, pid);
    if (typeof folder === 'object') return { ok: false, ...folder };
    return { ok: true, folder, cells: createCells(options, folder) };
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    return {
      ok: false,
      why: `its group ${own} is not ours to share out (${code}): start it as a service with Delegate=yes`,
    };
  }
}

function openBelowTop(files: ControlFiles, top: string): string {
  const folder = join(top, TOP_FOLDER);
  share(files, top);
  if (!files.folders(top).includes(TOP_FOLDER)) files.makeFolder(folder);
  share(files, folder);
  return folder;
}

function openOwn(files: ControlFiles, own: string, pid: number): string | { why: string } {
  if (!hasWord(files.read(join(own, 'cgroup.controllers')), 'memory')) {
    return {
      why: `its group ${own} was not given the memory controller: start it as a service with Delegate=yes`,
    };
  }
  const others = pidsIn(files, own).filter((other) => other !== pid);
  if (others.length > 0) {
    return {
      why: `its group ${own} is shared with ${others.length} other processes: start it as a service with Delegate=yes`,
    };
  }
  const leaf = join(own, OWN_LEAF);
  if (!files.folders(own).includes(OWN_LEAF)) files.makeFolder(leaf);
  files.write(join(leaf, 'cgroup.procs'), String(pid));
  try {
    share(files, own);
  } catch (cause) {
    files.write(join(own, 'cgroup.procs'), String(pid));
    files.removeFolder(leaf);
    throw cause;
  }
  return own;
}

/** Groups in this one have limits of their own from now on. */
function share(files: ControlFiles, folder: string): void {
  const file = join(folder, 'cgroup.subtree_control');
  if (!hasWord(files.read(file), 'memory')) files.write(file, '+memory');
  try {
    if (!hasWord(files.read(file), 'pids')) files.write(file, '+pids');
  } catch {
    // Then nothing bounds their number but the machine; it is memory that matters.
  }
}

function createCells({ files, pid, log }: CellsOptions, folder: string): HostCells {
  let lastNumber = 0;
  let warned = false;
  /** Those whose hosts have ended, as far as the kernel still had something in them. */
  const left = new Set<string>();

  function warn(cause: unknown): void {
    if (warned) return;
    warned = true;
    log.warn('a control group for a module host could not be had, its memory is watched', {
      cause,
    });
  }

  /** Removes those that are empty. */
  function remove(names: Iterable<string>): void {
    for (const name of names) {
      attempt(() => {
        files.removeFolder(join(folder, name));
        left.delete(name);
      });
    }
  }
  // Of a supervisor that was killed; its hosts have ended with it.
  attempt(() => remove(files.folders(folder).filter((name) => name.startsWith(CELL_PREFIX))));

  return {
    make() {
      const name = `${CELL_PREFIX}${pid}-${++lastNumber}`;
      const cell = join(folder, name);
      const set = (file: string, value: string): void => files.write(join(cell, file), value);
      try {
        remove(left);
        files.makeFolder(cell);
        set('memory.oom.group', '1');
      } catch (cause) {
        warn(cause);
        return undefined;
      }
      // A kernel may be built without either.
      attempt(() => set('memory.swap.max', '0'));
      attempt(() => set('pids.max', PIDS_MAX));
      let limitBytes = 0;
      return {
        limit(bytes) {
          if (bytes === limitBytes) return;
          limitBytes = bytes;
          attempt(() => set('memory.max', String(Math.floor(bytes))), warn);
        },
        // One that has ended already is told of elsewhere.
        hold: (host) =>
          attempt(
            () => set('cgroup.procs', String(host)),
            (cause) => {
              if ((cause as NodeJS.ErrnoException).code !== 'ESRCH') warn(cause);
            },
          ),
        ranOut: () =>
          Number(
            /^oom_kill (\d+)$/m.exec(files.read(join(cell, 'memory.events')) ?? '')?.[1] ?? 0,
          ) > 0,
        leave() {
          left.add(name);
          remove([name]);
        },
      };
    },
  };
}

function attempt(run: () => void, failed: (cause: unknown) => void = () => {}): void {
  try {
    run();
  } catch (cause) {
    failed(cause);
  }
}

/** The path of a process in the one tree of version 2. */
function groupOf(self: string): string | undefined {
  return /^0::(\/.*)$/m.exec(self)?.[1];
}

function pidsIn(files: ControlFiles, group: string): readonly number[] {
  const text = files.read(join(group, 'cgroup.procs')) ?? '';
  return text.split('\n').filter(Boolean).map(Number);
}

function hasWord(text: string | undefined, word: string): boolean {
  return text?.split(/\s+/).includes(word) === true;
}
