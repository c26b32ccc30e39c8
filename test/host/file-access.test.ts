/** Files for modules: what was granted, and nothing beside it. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createFileAccess, type FileAccess } from '../../src/host/file-access.ts';
import { within } from '../fakes/within.ts';

type Context = { root: string; files: FileAccess };
const test = suite<Context>('file access');

test.before((context) => {
  const root = mkdtempSync(join(tmpdir(), 'isolet-files-'));
  for (const folder of ['data/sub', 'config', 'data-secret']) {
    mkdirSync(join(root, folder), { recursive: true });
  }
  writeFileSync(join(root, 'data/a.txt'), 'grüße');
  writeFileSync(join(root, 'data/sub/b.txt'), 'b');
  writeFileSync(join(root, 'data/large.txt'), 'x'.repeat(2_001));
  writeFileSync(join(root, 'config/c.txt'), 'c');
  writeFileSync(join(root, 'data-secret/s.txt'), 'secret');
  symlinkSync('/etc/passwd', join(root, 'data/out'));
  symlinkSync('a.txt', join(root, 'data/in'));
  symlinkSync('../data-secret', join(root, 'data/neighbour'));
  symlinkSync(join(root, 'data-secret/new.txt'), join(root, 'data/dangling'));
  execFileSync('/usr/bin/env', ['mkfifo', join(root, 'data/fifo')]);
  const binds = [
    { source: join(root, 'data'), target: '/data', writable: true },
    { source: join(root, 'config'), target: '/data/config', writable: false },
    { source: join(root, 'config/c.txt'), target: '/one/file.txt', writable: false },
    { source: join(root, 'gone'), target: '/gone', writable: false },
    { source: '/proc', target: '/kernel', writable: false },
  ];
  Object.assign(context, { root, files: createFileAccess(binds, 2_000) });
});
test.after(({ root }) => rmSync(root, { recursive: true }));

const read = (files: FileAccess, path: string) =>
  within(5_000, path, files({ t: 'readFile', call: 1, path }));
const write = (files: FileAccess, path: string, text: string) =>
  within(5_000, path, files({ t: 'writeFile', call: 1, path, text }));

test('reads below what was granted, by any spelling', async ({ files }) => {
  for (const path of [
    '/data/a.txt',
    '/data//./a.txt',
    '/data/sub/../a.txt',
    '/data/in',
    'data/a.txt',
  ]) {
    assert.equal(await read(files, path), { t: 'done', call: 1, value: 'grüße' }, path);
  }
});

test('the longest target wins, and a single file can be granted', async ({ files }) => {
  assert.equal(await read(files, '/data/config/c.txt'), { t: 'done', call: 1, value: 'c' });
  assert.equal(await read(files, '/one/file.txt'), { t: 'done', call: 1, value: 'c' });
});

test('a kernel’s file without a size is read', async ({ files }) => {
  const done = await read(files, '/kernel/sys/kernel/ostype');
  assert.equal(done, { t: 'done', call: 1, value: 'Linux\n' });
});

const refused: readonly (readonly [string, string])[] = [
  ['/etc/passwd', 'EACCES'],
  ['/data/../etc/passwd', 'EACCES'],
  ['/data/out', 'EACCES'],
  ['/data/neighbour/s.txt', 'EACCES'],
  ['/data-secret/s.txt', 'EACCES'],
  ['/data/none.txt', 'ENOENT'],
  ['/data/a.txt/x', 'ENOTDIR'],
  ['/data/sub', 'EISDIR'],
  ['/data/fifo', 'EINVAL'],
  ['/data/large.txt', 'EFBIG'],
  ['/data/a.txt\0', 'EINVAL'],
  ['/gone/x', 'ENOENT'],
  ['', 'EACCES'],
  ['/one/file.txt/../../data-secret/s.txt', 'EACCES'],
];

for (const [path, code] of refused) {
  test(`reading ${JSON.stringify(path)} is ${code}`, async ({ files, root }) => {
    const done = await read(files, path);
    assert.ok('error' in done, JSON.stringify(done));
    assert.is(done.error.code, code);
    assert.ok(done.error.message.startsWith(`${code}: `), done.error.message);
    assert.not(done.error.message.includes(root), 'a path of the device');
  });
}

test('lists', async ({ files }) => {
  const done = await files({ t: 'readDir', call: 2, path: '/data/sub' });
  assert.equal(done, { t: 'done', call: 2, value: ['b.txt'] });
  const not = await files({ t: 'readDir', call: 3, path: '/data/a.txt' });
  assert.is('error' in not && not.error.code, 'ENOTDIR');
});

test('writes where it may, whole and shorter than before', async ({ files, root }) => {
  assert.equal(await write(files, '/data/new.txt', 'long text'), {
    t: 'done',
    call: 1,
    value: null,
  });
  await write(files, '/data/new.txt', 'short');
  assert.is(readFileSync(join(root, 'data/new.txt'), 'utf8'), 'short');
});

for (const [path, code] of [
  ['/data/config/c.txt', 'EROFS'],
  ['/data/out', 'EACCES'],
  ['/data/neighbour/new.txt', 'EACCES'],
  ['/data/sub', 'EISDIR'],
  ['/data/none/x.txt', 'ENOENT'],
  ['/elsewhere', 'EACCES'],
] as const) {
  test(`writing ${path} is ${code}`, async ({ files }) => {
    const done = await write(files, path, 'x');
    assert.ok('error' in done, JSON.stringify(done));
    assert.is(done.error.code, code);
  });
}

test('a link to nowhere is not written through', async ({ files, root }) => {
  const done = await write(files, '/data/dangling', 'x');
  assert.ok('error' in done);
  assert.throws(() => readFileSync(join(root, 'data-secret/new.txt')), /ENOENT/);
});

test('too much is refused before anything is lost', async ({ files, root }) => {
  const done = await write(files, '/data/a.txt', 'x'.repeat(2_001));
  assert.is('error' in done && done.error.code, 'EFBIG');
  assert.is(readFileSync(join(root, 'data/a.txt'), 'utf8'), 'grüße');
});

test.run();
