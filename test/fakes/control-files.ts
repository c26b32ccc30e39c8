/** A tree of control groups as the kernel keeps it (cgroups(7)): one controller rule, one rule for processes. */
import { dirname, join } from 'node:path';
import type { ControlFiles } from '../../src/host/control-files.ts';

type Group = {
  readonly pids: Set<number>;
  readonly shared: Set<string>;
  readonly values: Map<string, string>;
};

export type FakeControlFiles = ControlFiles & {
  /** What was last written to a file, or set in its place. */
  value(file: string): string | undefined;
  set(file: string, text: string): void;
  pids(group: string): readonly number[];
  /** The process is no more. */
  end(pid: number): void;
};

/** @param controllers of the machine's first group. @param readOnly as in a container. */
export function createFakeControlFiles(
  root: string,
  controllers: readonly string[],
  readOnly = false,
): FakeControlFiles {
  const groups = new Map<string, Group>([[root, emptyGroup()]]);

  const given = (group: string): ReadonlySet<string> =>
    group === root ? new Set(controllers) : (groups.get(dirname(group)) as Group).shared;
  const below = (group: string): readonly string[] =>
    [...groups.keys()].filter((other) => other !== root && dirname(other) === group);
  const at = (group: string): Group => groups.get(group) ?? refuse('ENOENT', group);

  function read(file: string): string | undefined {
    const folder = dirname(file);
    const group = groups.get(folder);
    if (group === undefined) return undefined;
    const name = file.slice(folder.length + 1);
    if (name === 'cgroup.controllers') return `${[...given(folder)].join(' ')}\n`;
    if (name === 'cgroup.subtree_control') return `${[...group.shared].join(' ')}\n`;
    if (name === 'cgroup.procs') return [...group.pids].map((pid) => `${pid}\n`).join('');
    if (name === 'cgroup.type') return folder === root ? undefined : 'domain\n';
    return group.values.get(name);
  }

  function write(file: string, text: string): void {
    const folder = dirname(file);
    const group = at(folder);
    const name = file.slice(folder.length + 1);
    if (readOnly) refuse('EROFS', file);
    if (name === 'cgroup.procs') {
      if (folder !== root && group.shared.size > 0) refuse('EBUSY', file);
      for (const { pids } of groups.values()) pids.delete(Number(text));
      group.pids.add(Number(text));
    } else if (name === 'cgroup.subtree_control') {
      if (!given(folder).has(text.slice(1))) refuse('ENOENT', file);
      if (folder !== root && group.pids.size > 0) refuse('EBUSY', file);
      group.shared.add(text.slice(1));
    } else {
      const [controller = ''] = name.split('.');
      if (!given(folder).has(controller) || folder === root) refuse('EACCES', file);
      group.values.set(name, text);
    }
  }

  return {
    read,
    write,
    makeFolder(folder) {
      if (readOnly) refuse('EROFS', folder);
      if (groups.has(folder)) refuse('EEXIST', folder);
      at(dirname(folder));
      groups.set(folder, emptyGroup());
    },
    removeFolder(folder) {
      if (at(folder).pids.size > 0 || below(folder).length > 0) refuse('EBUSY', folder);
      groups.delete(folder);
    },
    folders: (folder) => below(folder).map((one) => one.slice(folder.length + 1)),
    value: (file) => groups.get(dirname(file))?.values.get(file.slice(dirname(file).length + 1)),
    set: (file, text) =>
      void at(dirname(file)).values.set(file.slice(dirname(file).length + 1), text),
    pids: (group) => [...at(join(group)).pids],
    end(pid) {
      for (const { pids } of groups.values()) pids.delete(pid);
    },
  };
}

function emptyGroup(): Group {
  return { pids: new Set(), shared: new Set(), values: new Map() };
}

function refuse(code: string, path: string): never {
  throw Object.assign(new Error(`${code}: ${path}`), { code });
}
