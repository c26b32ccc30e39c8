/** What the tree of control groups does wherever it lies: the kernel's, and the fake one's. */
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import type { ControlFiles } from '../../src/host/control-files.ts';

/** @param folder an empty group below the first. @param controller it was given. @param pid a process that lives. */
export function controlFilesContract(
  files: ControlFiles,
  folder: string,
  controller: string,
  pid: number,
): void {
  const at = (path: string): string => join(folder, path);
  assert.is(files.read(at('no such file')), undefined);
  assert.equal(files.folders(folder), []);
  assert.is(files.read(at('cgroup.type'))?.trim(), 'domain');
  assert.ok(files.read(at('cgroup.controllers'))?.split(/\s/).includes(controller));
  files.makeFolder(at('one'));
  assert.throws(() => files.makeFolder(at('one')), code('EEXIST'));
  assert.equal(files.folders(folder), ['one']);
  assert.is(files.read(at('one/cgroup.controllers'))?.trim(), '', 'nothing is shared yet');
  files.write(at('cgroup.procs'), String(pid));
  assert.is(files.read(at('cgroup.procs')), `${pid}\n`);
  // A group that shares out has no process of its own.
  assert.throws(() => files.write(at('cgroup.subtree_control'), `+${controller}`), code('EBUSY'));
  files.write(at('one/cgroup.procs'), String(pid));
  assert.is(files.read(at('cgroup.procs')), '');
  files.write(at('cgroup.subtree_control'), `+${controller}`);
  assert.is(files.read(at('cgroup.subtree_control'))?.trim(), controller);
  assert.is(files.read(at('one/cgroup.controllers'))?.trim(), controller);
  assert.throws(() => files.write(at('cgroup.procs'), String(pid)), code('EBUSY'));
  assert.throws(() => files.removeFolder(at('one')), code('EBUSY'));
  assert.throws(() => files.write(at('one/cgroup.subtree_control'), '+nonsense'), /./);
}

const code =
  (wanted: string) =>
  (cause: unknown): boolean =>
    (cause as NodeJS.ErrnoException).code === wanted;
