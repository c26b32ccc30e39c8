/** `fs/promises` of a module, from an isolate through the host's service to a real folder, against Node's own. */
import fs from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { format } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { noGrants } from '../../src/core/ports.ts';
import { createDeviceServices } from '../../src/host/device-services.ts';
import { createFileService } from '../../src/host/file-service.ts';
import { defaultHostSettings } from '../../src/host/host-settings.ts';
import { until } from '../fakes/within.ts';
import { withBuilt } from '../guest/built-box.ts';

type Context = { folder: string };
const test = suite<Context>('file service');
const AsyncFunction = (async () => {}).constructor as FunctionConstructor;

test.before.each(async (context) => {
  context.folder = await fs.mkdtemp(join(tmpdir(), 'isolet-service-'));
  for (const side of ['node', 'guest', 'secret', 'read'])
    await fs.mkdir(join(context.folder, side));
  await fs.writeFile(join(context.folder, 'secret/s.txt'), 'secret');
  await fs.writeFile(join(context.folder, 'read/r.txt'), 'read');
  for (const side of ['node', 'guest']) {
    await fs.symlink('/etc/hostname', join(context.folder, side, 'out'));
    await fs.symlink('../secret', join(context.folder, side, 'neighbour'));
  }
});
test.after.each(({ folder }) => fs.rm(folder, { recursive: true }));

const prepare = `const fs = require('fs/promises');
  const told = async (promise) => { try { const value = await promise; return value === undefined ? 'fine' : value; } catch (error) { return [error.code, error.message, error.syscall, error.path]; } };`;

async function inNode(root: string, source: string): Promise<string[]> {
  const lines: string[] = [];
  const log = (...values: unknown[]): void => void lines.push(format(...values));
  const run = new AsyncFunction('require', 'console', 'root', prepare + source) as unknown as (
    ...args: unknown[]
  ) => Promise<void>;
  await run(createRequire(import.meta.url), { log }, root);
  return lines.map((line) => line.replaceAll(root, '/data'));
}

async function inGuest(folder: string, source: string): Promise<string[]> {
  const binds = [
    { source: join(folder, 'guest'), target: '/data', writable: true },
    { source: join(folder, 'read'), target: '/read', writable: false },
  ];
  let lines: string[] = [];
  const main = `const root = '/data'; ${prepare} (async () => { ${source} })().catch((error) => console.log(error.stack)).then(() => console.log('(end)'));`;
  await withBuilt({ 'main.js': main }, async (box) => {
    const services = createDeviceServices(
      { files: async () => createFileService },
      {
        grants: { ...noGrants, binds },
        settings: { ...defaultHostSettings, openFilesMax: 2 },
        note: () => {},
      },
      () => true,
    );
    let served = 0;
    const isOver = (): boolean => box.logs().includes('(end)');
    while (!isOver()) {
      await until(5_000, 'a call, or the end', () => box.hostCalls().length > served || isOver());
      const calls = box.hostCalls().slice(served);
      served += calls.length;
      const done = await Promise.all(
        calls.flatMap((call) => (call.t === 'ask' ? [services.ask(call)] : [])),
      );
      await box.hostPost(done);
    }
    services.close();
    lines = box.logs().slice(0, -1);
  });
  return lines;
}

const same = (name: string, source: string): void =>
  test(name, async ({ folder }) => {
    assert.equal(await inGuest(folder, source), await inNode(join(folder, 'node'), source));
  });

same(
  'texts and bytes are written and read',
  `const file = root + '/a.txt';
  console.log(await told(fs.writeFile(file, 'grüße')), await told(fs.readFile(file, 'utf8')), await told(fs.readFile(file)));
  console.log(await told(fs.appendFile(file, Buffer.from([0, 255, 128]))), await told(fs.readFile(file, 'hex')), await told(fs.readFile(file, { encoding: 'latin1' })));
  console.log(await told(fs.writeFile(file, new Uint16Array([1, 2]))), await told(fs.readFile(file)), await told(fs.writeFile(file, 'YWJj', 'base64')), await told(fs.readFile(file, 'utf8')));
  console.log(await told(fs.writeFile(file, 'x', { flag: 'wx' })), await told(fs.writeFile(root + '/n', 'x', { flag: 'wx', flush: true })), await told(fs.writeFile(file, '!', { flag: 'a' })), await told(fs.readFile(file, 'utf8')));
  console.log(await told(fs.writeFile(file, (function* () { yield 'a'; yield Buffer.from('b'); })())), await told(fs.readFile(file, 'ascii')), await told(fs.readFile(root + '/none')), await told(fs.readFile(root)));
  console.log(await told(fs.readFile(file, { signal: AbortSignal.abort() }).catch((error) => error.name)), (await told(fs.readFile(file, 'none such')))[0], (await told((async () => fs.readFile(1.5))()))[0] !== 'fine');
  console.log(await told(fs.writeFile(file, 'lone \\ud800')), await told(fs.readFile(file, 'utf8')));`,
);

same(
  'folders are made, listed and removed',
  `console.log(await told(fs.mkdir(root + '/d/e/f', { recursive: true })), await told(fs.mkdir(root + '/d/e', { recursive: true })), await told(fs.mkdir(root + '/d')), await told(fs.mkdir(root + '/x/y')));
  await fs.writeFile(root + '/d/file', '1'); await fs.writeFile(root + '/d/e/g', '2');
  const show = (entries) => JSON.stringify(entries.map((entry) => [entry.name, entry.parentPath, entry.isFile(), entry.isDirectory(), entry.isSymbolicLink()]).sort());
  console.log((await fs.readdir(root + '/d')).sort(), (await fs.readdir(root + '/d', { recursive: true })).sort(), show(await fs.readdir(root, { withFileTypes: true })), show(await fs.readdir(root + '/d', { withFileTypes: true, recursive: true })));
  console.log(await told(fs.readdir(root + '/none')), await told(fs.rmdir(root + '/d')).then(([code]) => code), await told(fs.unlink(root + '/d/file')), await told(fs.unlink(root + '/none')), await told(fs.rmdir(root + '/d/e/f')));
  console.log((await told(fs.rm(root + '/d')))[0] !== 'fine', await told(fs.rm(root + '/d', { recursive: true })), await told(fs.rm(root + '/d', { force: true })), (await told(fs.rm(root + '/d')))[0], await told(fs.rm(root + '/q/r', { force: true })));
  const made = await fs.mkdtemp(root + '/tmp-'); console.log(/\\/tmp-.{6}$/.test(made), (await fs.stat(made)).isDirectory());`,
);

same(
  'files are looked at, moved and copied',
  `await fs.writeFile(root + '/a', 'abc'); const stat = await fs.stat(root + '/a');
  console.log(stat.size, stat.isFile(), stat.isDirectory(), stat.mtime instanceof Date, Math.abs(stat.mtimeMs - Date.now()) < 60000, (stat.mode & 0o170000).toString(8), Object.keys(stat).length > 10);
  console.log((await fs.lstat(root + '/out')).isSymbolicLink(), await told(fs.stat(root + '/none')), await told(fs.access(root + '/a', fs.constants.R_OK | fs.constants.W_OK)), await told(fs.access(root + '/none')));
  console.log(await told(fs.rename(root + '/a', root + '/b')), await told(fs.rename(root + '/a', root + '/b')).then(([code]) => code), await told(fs.copyFile(root + '/b', root + '/c')), (await told(fs.copyFile(root + '/b', root + '/c', fs.constants.COPYFILE_EXCL)))[0], await fs.readFile(root + '/c', 'utf8'));
  await fs.mkdir(root + '/d'); console.log(await told(fs.rename(root + '/c', root + '/d/c')), await told(fs.truncate(root + '/b', 1)), await fs.readFile(root + '/b', 'utf8'), await fs.realpath(root + '/d/../b'));`,
);

same(
  'a file can be held open',
  `const file = await fs.open(root + '/log', 'w+'); console.log(typeof file.fd, (await file.write('line 1\\nline 2\\n')).bytesWritten, (await file.write(Buffer.from('xline 3x'), 1, 6)).bytesWritten);
  const { bytesRead, buffer } = await file.read(Buffer.alloc(4), 0, 4, 5); console.log(bytesRead, buffer.toString(), (await file.stat()).size);
  await file.sync(); await file.datasync(); await file.truncate(13); await file.close(); console.log((await told(file.stat()))[0], file.fd);
  const again = await fs.open(root + '/log'); const lines = []; for await (const line of again.readLines()) lines.push(line); console.log(lines); await again.close().catch(() => {});
  { await using held = await fs.open(root + '/log', 'a+'); await held.appendFile('more'); console.log(await fs.readFile(root + '/log', 'utf8')); }
  const reader = await fs.open(root + '/log', 'r'); console.log((await reader.readFile('utf8')).length, (await told(reader.write('x')))[0]); await reader.close(); await reader.close();
  console.log((await told(fs.open(root + '/none')))[0], (await told(fs.open(root + '/log', 'wx')))[0]);`,
);

test('nothing beside what was granted', async ({ folder }) => {
  const lines = await inGuest(
    folder,
    `const codes = []; const code = async (promise) => codes.push(((await told(promise)) ?? [])[0]);
    await code(fs.readFile('/etc/hostname')); await code(fs.readFile('/data/../etc/hostname')); await code(fs.readFile('/data/out')); await code(fs.readFile('/data/neighbour/s.txt'));
    await code(fs.writeFile('/data/neighbour/n', '1')); await code(fs.unlink('/data/neighbour/s.txt')); await code(fs.rm('/data/neighbour/s.txt', { force: true })); await code(fs.mkdir('/data/neighbour/d', { recursive: true })); await code(fs.rename('/data/neighbour/s.txt', '/data/s'));
    await code(fs.copyFile('/data/neighbour/s.txt', '/data/s')); await code(fs.readdir('/data/neighbour')); await code(fs.stat('/data/out')); await code(fs.mkdtemp('/data/neighbour/x')); await code(fs.open('/data/out'));
    console.log(codes.join()); codes.length = 0;
    await code(fs.rename('/data/out', '/data/moved')); await code(fs.writeFile('/read/n', '1')); await code(fs.unlink('/read/r.txt')); await code(fs.access('/read/r.txt', fs.constants.W_OK)); await code(fs.rm('/data', { recursive: true })); await code(fs.rename('/data', '/data/x'));
    await code(fs.copyFile('/read/r.txt', '/data/r')); await code(fs.copyFile('/data/r', '/read/x')); await code(fs.mkdir('/read/d')); await code(fs.open('/read/r.txt', 'r+')); await code(fs.truncate('/read/r.txt')); await code(fs.readFile('/data/a\\0'));
    console.log(codes.join()); codes.length = 0;
    await code(fs.writeFile('/data/big', 'x'.repeat(1048577))); const one = await fs.open('/data/r'); const two = await fs.open('/data/r'); await code(fs.open('/data/r')); await one.close(); await two.close();
    await fs.writeFile('/data/grow', 'x'.repeat(1048576)); await fs.appendFile('/data/grow', 'x'); await code(fs.readFile('/data/grow'));
    const grow = await fs.open('/data/grow', 'r+'); await code(grow.write('x', 64 * 1048576)); await code(grow.truncate(65 * 1048576)); await grow.close(); console.log(codes.join());
    await fs.rm('/data/out'); console.log(await fs.readFile('/read/r.txt', 'utf8'));`,
  );
  assert.equal(lines, [
    'EACCES,EACCES,EACCES,EACCES,EACCES,EACCES,EACCES,EACCES,EACCES,EACCES,EACCES,EACCES,EACCES,EACCES',
    'EPERM,EROFS,EROFS,EROFS,EBUSY,EBUSY,f,EROFS,EROFS,EROFS,EROFS,EINVAL',
    'EFBIG,EMFILE,EFBIG,EFBIG,EFBIG',
    'read',
  ]);
  assert.is(await fs.readFile(join(folder, 'secret/s.txt'), 'utf8'), 'secret');
  assert.equal(await fs.readdir(join(folder, 'secret')), ['s.txt']);
});

test.run();
