/**
 * Tries to reach files that were not granted. The neighbour's folder is among the host's rights, so what
 * keeps it closed here is file-access.ts alone.
 */
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { startNoting } from '../../contracts/module-host.ts';
import { until } from '../../fakes/within.ts';
import {
  canaries,
  type Ground,
  grantsIn,
  secretIn,
  stillEchoes,
  type Try,
  tryAll,
} from './tries.ts';

const EACCES = 'EACCES';

/** One read for each path; all are refused. */
const reads = (name: string, gains: string, paths: readonly string[], gets: unknown): Try => ({
  name,
  gains,
  code: `return Promise.all(${JSON.stringify(paths)}.map((path) => file('readFile', path)));`,
  gets,
});
const same = (count: number, code = EACCES): string[] => Array.from({ length: count }, () => code);

const raw: readonly Try[] = [
  reads(
    'parents',
    'every file of the device the host’s user may read',
    [
      '/data/../outside/secret',
      '/data/../../../../../etc/passwd',
      '../outside/secret',
      '/data/./../theirs/secret',
      '/data/a.txt/../../outside/secret',
      'data/../../../outside/secret',
      '/data//..//theirs/secret',
    ],
    same(7),
  ),
  reads(
    'absolute paths',
    'the same',
    ['/etc/passwd', '/etc/shadow', '//etc/passwd', '/', '', '.', '~/.ssh/id_rsa'],
    same(7),
  ),
  reads(
    'the neighbour’s folder by its own name',
    'another module’s data: the host itself may read it',
    ['/theirs/secret', '/theirs', '/data/../theirs/secret', '/THEIRS/secret'],
    same(4),
  ),
  reads(
    'a name that begins like a granted one',
    'the folder beside: data2 for data',
    ['/data2/b.txt', '/data/../data2/b.txt', '/dat', '/data\u0000', '/datа/a.txt'],
    [EACCES, EACCES, EACCES, 'EINVAL', EACCES],
  ),
  reads(
    'the process itself',
    'its environment, its memory, its pipe to the supervisor',
    [
      '/proc/self/environ',
      '/proc/self/mem',
      '/proc/self/maps',
      '/proc/self/fd/3',
      '/proc/self/fd/4',
      '/proc/self/cmdline',
      '/proc/self/task/1/environ',
      '/proc/thread-self/environ',
      '/proc/1/environ',
      '/proc/self/cwd/etc/passwd',
    ],
    same(10),
  ),
  reads(
    'devices',
    'the machine’s memory, its log, its disks',
    ['/dev/mem', '/dev/kmsg', '/dev/sda', '/dev/tty', '/dev/stdin', '/dev/fd/3', '/dev/shm'],
    same(7),
  ),
  reads(
    'NUL bytes',
    'a name that is checked whole and opened up to its NUL',
    ['/data/a.txt\u0000/../../outside/secret', '/etc/passwd\u0000/data/a.txt', '\u0000'],
    same(3, 'EINVAL'),
  ),
  reads(
    'other writings of dots and slashes',
    'a path that is decoded after it was checked',
    [
      '/data/%2e%2e/outside/secret',
      '/data/..%2foutside/secret',
      '/data/\u2025/outside/secret',
      '/data/\uff0e\uff0e/outside/secret',
      '/data/..\\outside\\secret',
      '/data/\u002e\u2024/outside/secret',
      '/data/\ud800../outside/secret',
      '/data/..;/outside/secret',
    ],
    same(8, 'ENOENT'),
  ),
  reads(
    'addresses',
    'what fs takes besides paths',
    ['file:///etc/passwd', 'file:/etc/passwd', 'data:,x', 'http://127.0.0.1/', 'C:\\x'],
    same(5),
  ),
  reads(
    'links that lead out',
    'the file behind a link somebody made in a granted folder',
    [
      '/data/link/secret',
      '/data/direct',
      '/data/etc',
      '/data/proc/environ',
      '/data/fd/3',
      '/data/far',
    ],
    [EACCES, EACCES, EACCES, EACCES, 'ENOENT', EACCES],
  ),
  reads(
    'links without end, pipes, sockets, folders',
    'a thread of the host that waits for ever: four of them, and no module reads a file',
    ['/data/loop', '/data/pipe', '/data', '/data/zero'],
    ['ELOOP', 'EINVAL', 'EISDIR', EACCES],
  ),
  {
    name: 'lists of folders that are not its own',
    gains: 'names of files and modules on the device',
    code: `const paths = ['/', '/data/..', '/theirs', '/proc', '/proc/self/fd', '/data/link', '/data/etc', '/data/proc', '/dev'];
      return Promise.all(paths.map((path) => file('readDir', path)));`,
    gets: same(9),
  },
  {
    name: 'writes to what is granted for reading',
    gains: 'a change of another’s files',
    code: `const paths = ['/data/a.txt', '/data/new', '/out/../data/a.txt', '/out/to-data/a.txt'];
      return Promise.all(paths.map((path) => file('writeFile', path, 'polluted')));`,
    gets: ['EROFS', 'EROFS', 'EROFS', EACCES],
  },
  {
    name: 'writes through links',
    gains: 'a file of the runtime replaced: code that runs at the next start',
    code: `const paths = ['/out/secret', '/out/fresh', '/out/folder/x', '/out/theirs/secret', '/out/fd/4'];
      return Promise.all(paths.map((path) => file('writeFile', path, 'polluted')));`,
    // The second leads to a file that is not there, which must not be made either.
    gets: [EACCES, 'ELOOP', EACCES, EACCES, EACCES],
  },
  {
    name: 'writes elsewhere',
    gains: 'the same without a link',
    code: `const paths = ['/theirs/secret', '/tmp/polluted', '/proc/self/oom_score_adj', '/proc/self/fd/4', '/dev/shm/polluted', '/out/../outside/secret', '/out', '/out/', '/out/.', ''];
      return Promise.all(paths.map((path) => file('writeFile', path, 'polluted')));`,
    gets: [...same(6), ...same(3, 'EISDIR'), EACCES],
  },
  {
    name: 'a path longer than any',
    gains: 'a buffer in native code, or a message full of it',
    code: `return Promise.all(['/data/' + 'x'.repeat(4000), '/data/' + '../'.repeat(1300) + 'etc/passwd', '/data/' + 'a/'.repeat(2000)].map((path) => file('readFile', path)));`,
    gets: ['ENAMETOOLONG', EACCES, 'ENOENT'],
  },
  {
    name: 'answers of others',
    gains: 'the content of a file another module asked for, by its call number',
    code: `const seen = []; isolet.onHost((one) => seen.push(one));
      isolet.host([{ t: 'readDir', call: 7, path: '/data' }]);
      await new Promise((resolve) => isolet.after(100, resolve));
      return [seen.length, seen[0].call];`,
    gets: [1, 7],
  },
  {
    name: 'a number for an answer that is used twice',
    gains: 'an answer that overtakes another, so that one file passes for the other',
    code: `const seen = []; isolet.onHost((one) => seen.push(one.error?.code ?? one.value));
      isolet.host([{ t: 'readFile', call: 1, path: '/data/a.txt' }, { t: 'readFile', call: 1, path: '/theirs/secret' }]);
      await new Promise((resolve) => isolet.after(100, resolve));
      return seen.sort();`,
    gets: [EACCES, 'granted'],
  },
];

/** Links, pipes and devices, made where a clumsy or hostile neighbour of the device could make them. */
function setTraps({ folder }: Ground): void {
  const at = (...names: string[]): string => join(folder, ...names);
  const links: readonly (readonly [string, string])[] = [
    ['data/link', at('outside')],
    ['data/direct', at('outside/secret')],
    ['data/etc', '/etc'],
    ['data/proc', '/proc/self'],
    ['data/fd', '/proc/self/fd'],
    ['data/far', '../theirs/secret'],
    ['data/loop', 'loop'],
    ['data/zero', '/dev/zero'],
    ['out/to-data', at('data')],
    ['out/secret', at('outside/secret')],
    ['out/fresh', at('outside/fresh')],
    ['out/folder', at('outside')],
    ['out/theirs', at('theirs')],
    ['out/fd', '/proc/self/fd'],
  ];
  for (const [name, target] of links) symlinkSync(target, at(name));
  execFileSync('mkfifo', [at('data/pipe')]);
}

const test = tryAll('files', 'raw', raw);
test.before(setTraps);

test('nothing outside was written', ({ folder }) => {
  const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
  assert.is(read('outside/secret'), canaries.outside);
  assert.is(read('theirs/secret'), canaries.file);
  assert.is(read('data/a.txt'), 'granted');
  for (const name of ['outside/fresh', 'outside/x', 'data/new'])
    assert.not.ok(existsSync(join(folder, name)), name);
});

// Would have gained: a path that is good when it is checked and leads out when it is opened.
test('a folder and a file swapped for links in between', async (ground) => {
  const { host, folder } = ground;
  mkdirSync(join(folder, 'data/turn'));
  writeFileSync(join(folder, 'data/turn/secret'), 'granted');
  writeFileSync(join(folder, 'data/swap'), 'granted');
  symlinkSync(join(folder, 'outside'), join(folder, 'data/turned'));
  symlinkSync(join(folder, 'outside/secret'), join(folder, 'data/swapped'));
  const told = startNoting(host, {
    module: 'spy',
    grants: grantsIn(folder),
    code: `
      const counts = {}; let call = 0, open = 0;
      const ask = () => {
        if (call > 3000) return open === 0 && isolet.request([{ t: 'log', level: 'info', text: JSON.stringify(counts) }]);
        const batch = Array.from({ length: 20 }, () => ({ t: 'readFile', call: ++call, path: call % 2 ? '/data/turn/secret' : '/data/swap' }));
        open += batch.length; isolet.host(batch);
      };
      isolet.onHost(({ value, error }) => {
        const key = error?.code ?? value; counts[key] = (counts[key] ?? 0) + 1;
        if (--open === 0) ask();
      });
      ask();`,
  });
  const swap = (one: string, other: string): void => {
    const [a, b, spare] = [one, other, `${one}-spare`].map((name) => join(folder, 'data', name));
    renameSync(a as string, spare as string);
    renameSync(b as string, a as string);
    renameSync(spare as string, b as string);
  };
  await until(60_000, 'all are read', () => {
    for (let i = 0; i < 50; i++) {
      swap('turn', 'turned');
      swap('swap', 'swapped');
    }
    return told.requests.length > 0 || told.endings.length > 0;
  });
  assert.equal(told.endings, []);
  const [said] = told.requests;
  const counts = JSON.parse(said?.t === 'log' ? said.text : '') as Record<string, number>;
  assert.ok((counts['granted'] ?? 0) > 0, 'it read what is granted');
  assert.is(secretIn(told), undefined);
  await told.running.stop();
  await stillEchoes(ground);
});

// Not an escape, but good to know: a hard link *is* the file. No module can make one.
test('a hard link made by somebody else is the file itself; a module cannot make links', async ({
  host,
  folder,
}) => {
  linkSync(join(folder, 'outside/secret'), join(folder, 'data/hard'));
  const told = startNoting(host, {
    module: 'spy',
    grants: grantsIn(folder),
    code: `isolet.onHost(({ value, error }) => isolet.request([{ t: 'log', level: 'info', text: error?.code ?? value }]));
      isolet.host([{ t: 'readFile', call: 1, path: '/data/hard' }]);`,
  });
  await until(10_000, 'it has read', () => told.requests.length > 0);
  assert.is(secretIn(told), canaries.outside);
  await told.running.stop();
  unlinkSync(join(folder, 'data/hard'));
});

test.run();
