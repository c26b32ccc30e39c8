/** Hosts in control groups of their own: on a tree as the kernel's, and on the kernel's where there is one. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { kernelFiles } from '../../src/host/control-files.ts';
import {
  CELL_PREFIX,
  type HostCells,
  machineProblem,
  openHostCells,
} from '../../src/host/control-groups.ts';
import { createModuleHost } from '../../src/host/module-host.ts';
import { systemClock } from '../../src/lib/system-clock.ts';
import { controlFilesContract } from '../contracts/control-files.ts';
import { endOf, startNoting, startOf } from '../contracts/module-host.ts';
import { createFakeControlFiles, type FakeControlFiles } from '../fakes/control-files.ts';
import { createFakeLog } from '../fakes/log.ts';
import { until } from '../fakes/within.ts';
import { guestPrograms } from './contract-programs.ts';
import { tinyPrelude } from './tiny-prelude.ts';

const LIMIT_MS = 10_000;
const MB = 1_048_576;
const ROOT = '/cg';
const SELF = '0::/system.slice/isolet.service\n';
const OWN = '/cg/system.slice/isolet.service';
const PID = 41;

const test = suite('control groups');

/** A service that was given its group, as `Delegate=yes` does it. */
function delegated(...controllers: readonly string[]): FakeControlFiles {
  const files = createFakeControlFiles(ROOT, controllers);
  for (const folder of ['/cg/system.slice', OWN]) {
    for (const controller of controllers) {
      files.write(join(folder, '../cgroup.subtree_control'), `+${controller}`);
    }
    files.makeFolder(folder);
  }
  files.write(`${OWN}/cgroup.procs`, String(PID));
  return files;
}

const open = (files: FakeControlFiles, self = SELF, log = createFakeLog()) =>
  openHostCells({ files, root: ROOT, self, pid: PID, log });

function cellsOf(files: FakeControlFiles, log = createFakeLog()): HostCells {
  const found = open(files, SELF, log);
  if (!found.ok) throw new Error(found.why);
  return found.cells;
}

test('the fake tree is as the kernel’s', () => {
  const files = createFakeControlFiles(ROOT, ['memory']);
  files.write(`${ROOT}/cgroup.subtree_control`, '+memory');
  files.makeFolder(`${ROOT}/own`);
  controlFilesContract(files, `${ROOT}/own`, 'memory', PID);
});

test('the kernel’s tree is as the fake', async () => {
  const root = ['/sys/fs/cgroup', '/sys/fs/cgroup/unified'].find(
    (folder) => kernelFiles.read(join(folder, 'cgroup.controllers')) !== undefined,
  );
  const controller = kernelFiles.read(`${root}/cgroup.controllers`)?.trim().split(' ')[0];
  const folder = `${root}/isolet-test-${process.pid}`;
  try {
    if (root === undefined || !controller) throw new Error('none');
    const shared = join(root, 'cgroup.subtree_control');
    if (!kernelFiles.read(shared)?.includes(controller))
      kernelFiles.write(shared, `+${controller}`);
    kernelFiles.makeFolder(folder);
  } catch {
    console.log('the kernel’s control groups: skipped: needs cgroup v2 and root');
    return;
  }
  const child = spawn('sleep', ['60']);
  try {
    controlFilesContract(kernelFiles, folder, controller, child.pid as number);
  } finally {
    child.kill('SIGKILL');
    await once(child, 'exit');
    for (const name of kernelFiles.folders(folder)) kernelFiles.removeFolder(join(folder, name));
    kernelFiles.removeFolder(folder);
  }
});

test('each host has a group with its ceiling, which goes with it', () => {
  const files = delegated('cpu', 'memory', 'pids');
  const cells = cellsOf(files);
  assert.equal(files.pids(`${OWN}/isolet-supervisor`), [PID], 'we have moved');
  assert.equal(files.pids(OWN), []);
  const one = cells.make();
  const two = cells.make();
  const folder = `${OWN}/${CELL_PREFIX}${PID}-1`;
  one?.limit(64 * MB + 0.5);
  one?.hold(77);
  two?.hold(78);
  assert.is(files.value(`${folder}/memory.max`), String(64 * MB));
  assert.is(files.value(`${folder}/memory.swap.max`), '0');
  assert.is(files.value(`${folder}/memory.oom.group`), '1');
  assert.is(files.value(`${folder}/pids.max`), '256');
  assert.equal(files.pids(folder), [77]);
  one?.limit(96 * MB);
  assert.is(files.value(`${folder}/memory.max`), String(96 * MB));
  assert.is(one?.ranOut(), false);
  files.set(`${folder}/memory.events`, 'low 0\nmax 12\noom 1\noom_kill 1\noom_group_kill 1\n');
  assert.is(one?.ranOut(), true);
  assert.is(two?.ranOut(), false);
  // The kernel has not buried it yet.
  one?.leave();
  assert.ok(files.folders(OWN).includes(`${CELL_PREFIX}${PID}-1`));
  files.end(77);
  cells.make();
  assert.not.ok(files.folders(OWN).includes(`${CELL_PREFIX}${PID}-1`));
});

test('without the controller of processes there is the ceiling all the same', () => {
  const files = delegated('memory');
  cellsOf(files).make()?.limit(MB);
  assert.is(files.value(`${OWN}/${CELL_PREFIX}${PID}-1/memory.max`), String(MB));
  assert.is(files.value(`${OWN}/${CELL_PREFIX}${PID}-1/pids.max`), undefined);
});

test('groups that a killed supervisor left are removed at the start, those in use are not', () => {
  const files = delegated('memory');
  files.makeFolder(`${OWN}/${CELL_PREFIX}7-1`);
  files.makeFolder(`${OWN}/${CELL_PREFIX}7-2`);
  files.makeFolder(`${OWN}/somebody`);
  files.write(`${OWN}/${CELL_PREFIX}7-2/cgroup.procs`, '99');
  cellsOf(files);
  assert.equal(files.folders(OWN).toSorted(), [
    `${CELL_PREFIX}7-2`,
    'isolet-supervisor',
    'somebody',
  ]);
});

test('in the machine’s first group we stay where we are, and so does everybody else', () => {
  const files = createFakeControlFiles(ROOT, ['memory', 'pids']);
  files.write(`${ROOT}/cgroup.procs`, '1');
  files.write(`${ROOT}/cgroup.procs`, String(PID));
  const found = open(files, '0::/\n');
  assert.equal([found.ok, found.ok && found.folder], [true, '/cg/isolet']);
  assert.equal(files.pids(ROOT), [1, PID]);
  if (found.ok) found.cells.make()?.hold(77);
  assert.equal(files.pids(`/cg/isolet/${CELL_PREFIX}${PID}-1`), [77]);
  // Another start finds the folder there.
  const again = open(files, '0::/\n');
  assert.ok(again.ok, JSON.stringify(again));
});

test('where it cannot be, it is told why, and nothing is changed', () => {
  const why = (files: FakeControlFiles, self = SELF): string => {
    const found = open(files, self);
    return found.ok ? 'nothing' : found.why;
  };
  assert.match(why(createFakeControlFiles('/elsewhere', [])), /no control groups of version 2/);
  assert.match(why(delegated('memory'), '4:memory:/\n'), /no control groups of version 2/);
  assert.match(why(delegated('cpu', 'pids')), /cgroup_enable=memory/);

  const notGiven = createFakeControlFiles(ROOT, ['memory']);
  notGiven.makeFolder('/cg/user');
  assert.match(why(notGiven, '0::/user\n'), /not given the memory controller.*Delegate=yes/);

  const shell = delegated('memory');
  shell.write(`${OWN}/cgroup.procs`, '5');
  assert.match(why(shell), /shared with 1 other processes.*Delegate=yes/);
  assert.equal([shell.pids(OWN), shell.folders(OWN)], [[PID, 5], []]);

  const container = createFakeControlFiles(ROOT, ['memory'], true);
  assert.match(why(container, '0::/\n'), /not ours to share out \(EROFS\).*Delegate=yes/);
});

test('whoever cannot share out goes back to where it was', () => {
  const real = delegated('memory');
  const files: FakeControlFiles = {
    ...real,
    write(file, text) {
      if (file === `${OWN}/cgroup.subtree_control`) {
        throw Object.assign(new Error('EBUSY'), { code: 'EBUSY' });
      }
      real.write(file, text);
    },
  };
  assert.is(open(files).ok, false);
  assert.equal([real.pids(OWN), real.folders(OWN)], [[PID], []]);
});

test('a kernel that takes back what it gave is told of once, and hosts run on', () => {
  const real = delegated('memory');
  const log = createFakeLog();
  let broken = false;
  const files: FakeControlFiles = {
    ...real,
    makeFolder(folder) {
      if (broken) throw Object.assign(new Error('ENODEV'), { code: 'ENODEV' });
      real.makeFolder(folder);
    },
  };
  const cells = cellsOf(files, log);
  broken = true;
  assert.equal([cells.make(), cells.make()], [undefined, undefined]);
  assert.is(log.entries.filter(({ level }) => level === 'warn').length, 1);
});

test('a host the kernel killed at its ceiling ended out of memory, and its group is gone', async () => {
  const files = delegated('memory');
  const folder = `${OWN}/${CELL_PREFIX}${PID}-1`;
  const host = createModuleHost({
    hostMain: fileURLToPath(new URL('../../src/host/main.ts', import.meta.url)),
    prelude: tinyPrelude,
    cells: cellsOf(files),
    oomKills: () => 0,
    clock: systemClock,
    log: createFakeLog(),
  });
  const told = startNoting(host, { module: 'a', code: guestPrograms.echo });
  await startOf(told);
  const pid = host.processes()['shared'] as number;
  assert.equal(files.pids(folder), [pid]);
  await until(
    LIMIT_MS,
    'the ceiling counts the module',
    () => Number(files.value(`${folder}/memory.max`)) > 128 * MB,
  );
  await until(LIMIT_MS, 'it has told its heap', () => (host.metrics('a')?.heapBytes ?? 0) > 0);
  files.set(`${folder}/memory.events`, 'oom_kill 1\n');
  // As the kernel would: by itself it does nothing to a fake.
  process.kill(pid, 'SIGKILL');
  files.end(pid);
  const ending = await endOf(told);
  assert.is(ending.cause, 'out of memory');
  assert.match(ending.reason, /It used more than it may/);
  assert.equal(files.folders(OWN), ['isolet-supervisor']);
  await host.stop();
});

test('the kernel kills a host at its ceiling', async () => {
  const self = readFileSync('/proc/self/cgroup', 'latin1');
  const found =
    machineProblem(kernelFiles, self) === undefined
      ? openHostCells({ files: kernelFiles, self, pid: process.pid, log: createFakeLog() })
      : undefined;
  if (found?.ok !== true) {
    console.log('a real ceiling: skipped: needs cgroup v2 memory');
    return;
  }
  const cell = found.cells.make();
  cell?.limit(64 * MB);
  const child = spawn(process.execPath, [
    '-e',
    'for (const all = []; ; ) all.push(Buffer.alloc(1e6, 1));',
  ]);
  cell?.hold(child.pid as number);
  const [, signal] = await once(child, 'exit');
  assert.is(signal, 'SIGKILL');
  assert.is(cell?.ranOut(), true);
  cell?.leave();
});

test.run();
