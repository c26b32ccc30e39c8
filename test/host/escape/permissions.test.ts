/**
 * What a module host may do once it is nobody’s prelude that runs there but the attacker: tried from inside
 * a process with exactly a host’s flags. Most is refused by Node’s permission model. What is not, is said at
 * the end of this file: there the user the hosts run as is the wall (docs/decisions/0007-rights-of-a-host.md).
 */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { permissionFlags } from '../../../src/host/host-permissions.ts';
import { hostUserHere } from '../../../src/host/host-user.ts';
import { granting } from '../../contracts/module-host.ts';

type Context = { readonly folder: string; readonly flags: readonly string[] };

const DENIED = 'ERR_ACCESS_DENIED';
const SECRET = 'canary-in-a-file-outside';

const test = suite<{ -readonly [Name in keyof Context]: Context[Name] }>(
  'escape: the rights of a host',
);
test.before((context) => {
  const folder = mkdtempSync(join(tmpdir(), 'isolet-rights-'));
  chmodSync(folder, 0o755);
  for (const name of ['data', 'out', 'outside']) mkdirSync(join(folder, name));
  writeFileSync(join(folder, 'outside/secret'), SECRET);
  writeFileSync(join(folder, 'data/a'), 'granted');
  symlinkSync(join(folder, 'outside/secret'), join(folder, 'data/link'));
  context.folder = folder;
  context.flags = permissionFlags(join(import.meta.dirname, '../../../src/host/main.ts'), [
    granting({
      binds: [
        { source: join(folder, 'data'), target: '/data', writable: false },
        { source: join(folder, 'out'), target: '/out', writable: true },
      ],
    }),
  ]);
});
test.after(({ folder }) => rmSync(folder, { recursive: true }));

/** What the tries, expressions by name, come to in a host: `done`, the error’s code, or text. */
function inHost(
  { flags, folder }: Context,
  tries: Readonly<Record<string, string>>,
  user?: { readonly uid: number; readonly gid: number },
): Record<string, string> {
  const program = `
    const fs = require('node:fs'), folder = ${JSON.stringify(folder)};
    const tries = { ${Object.entries(tries)
      .map(([name, code]) => `${JSON.stringify(name)}: async () => (${code})`)
      .join(',\n')} };
    (async () => {
      const got = {};
      for (const [name, run] of Object.entries(tries)) {
        try { const value = await run(); got[name] = typeof value === 'string' ? value : 'done'; }
        catch (cause) { got[name] = cause.code ?? cause.name + ': ' + cause.message; }
      }
      fs.writeSync(1, JSON.stringify(got));
      process.exit();
    })();`;
  const child = spawnSync(process.execPath, [...flags, '-e', program], {
    env: {},
    cwd: '/',
    timeout: 30_000,
    ...user,
  });
  assert.is(child.status, 0, String(child.stderr));
  return JSON.parse(String(child.stdout)) as Record<string, string>;
}

/** Name → what it would have gained and the try. All are refused by name. */
const refused: Readonly<Record<string, readonly [gains: string, code: string]>> = {
  'read a file': ['any file', `fs.readFileSync(folder + '/outside/secret', 'utf8')`],
  'read it by promises': ['the same', `fs.promises.readFile(folder + '/outside/secret', 'utf8')`],
  'read it by a stream': [
    'the same',
    `new Promise((resolve, reject) => fs.createReadStream(folder + '/outside/secret').on('error', reject).on('data', (one) => resolve(String(one))))`,
  ],
  'read it by a Buffer path': [
    'a path that is not looked at',
    `fs.readFileSync(Buffer.from(folder + '/outside/secret'), 'utf8')`,
  ],
  'read it by a URL': [
    'the same',
    `fs.readFileSync(new URL('file://' + folder + '/outside/secret'), 'utf8')`,
  ],
  'read it from below a granted folder': [
    'a path that is compared as text',
    `fs.readFileSync(folder + '/data/../outside/secret', 'utf8')`,
  ],
  'read it by a crooked URL': [
    'the same',
    `fs.readFileSync(new URL('file://' + folder + '/data/%2e%2e/outside/secret'), 'utf8')`,
  ],
  'read it by plain bytes as a path': [
    'a path that is not looked at',
    `fs.readFileSync(new Uint8Array(Buffer.from(folder + '/outside/secret')), 'utf8')`,
  ],
  'read it through a link that was there': [
    'a granted name that leads out: for the model it is granted (file-access.ts holds)',
    `fs.readlinkSync(folder + '/outside/secret')`,
  ],
  'read it as a Blob': [
    'a file by another door',
    `fs.openAsBlob(folder + '/outside/secret').then((one) => one.text())`,
  ],
  'read it as a module': ['files as code', `require(folder + '/outside/secret')`],
  'copy it': [
    'a file by way of another',
    `fs.cpSync(folder + '/outside/secret', folder + '/out/copy')`,
  ],
  'copy it by copyFile': [
    'the same',
    `fs.copyFileSync(folder + '/outside/secret', folder + '/out/copy')`,
  ],
  'list a folder': ['names', `fs.readdirSync(folder + '/outside')`],
  'watch a folder': ['names as they come', `fs.watch(folder + '/outside')`],
  'open a folder': ['the same', `fs.opendirSync('/')`],
  'know that a file is there': ['names, one by one', `fs.accessSync('/etc/passwd')`],
  'hard-link it into a granted folder': [
    'the file under a granted name',
    `fs.linkSync(folder + '/outside/secret', folder + '/out/hard')`,
  ],
  'make a symbolic link': [
    'a granted name that leads out',
    `fs.symlinkSync(folder + '/outside/secret', folder + '/out/soft')`,
  ],
  'make a relative symbolic link': [
    'the same',
    `fs.symlinkSync('../outside/secret', folder + '/out/soft')`,
  ],
  'rename it': [
    'the same, and it is gone where it was',
    `fs.renameSync(folder + '/outside/secret', folder + '/out/moved')`,
  ],
  'write to what is granted for reading': [
    'another module’s data',
    `fs.writeFileSync(folder + '/data/a', 'x')`,
  ],
  'truncate it': ['the same', `fs.truncateSync(folder + '/data/a')`],
  'remove it': ['the same', `fs.rmSync(folder + '/data/a')`],
  'change its mode': ['a way in for later', `fs.chmodSync(folder + '/data/a', 0o777)`],
  'change its times': ['a trace', `fs.utimesSync(folder + '/data/a', 0, 0)`],
  'change its owner': ['the file', `fs.chownSync(folder + '/data/a', 0, 0)`],
  'a folder for temporary files': ['a place to put a program', `fs.mkdtempSync('/tmp/x')`],
  'the own environment': [
    'what was there at the start',
    `fs.readFileSync('/proc/self/environ', 'utf8')`,
  ],
  'the environment of the supervisor': [
    'its configuration',
    `fs.readFileSync('/proc/' + process.ppid + '/environ', 'utf8')`,
  ],
  'the memory of the supervisor': ['its keys', `fs.openSync('/proc/' + process.ppid + '/mem')`],
  'the open files of the supervisor': [
    'its database and sockets',
    `fs.readdirSync('/proc/' + process.ppid + '/fd')`,
  ],
  'the own program': ['what runs at the next start', `fs.writeFileSync(process.execPath, '')`],
  'a child process': [
    'everything the user may',
    `require('node:child_process').spawnSync('/bin/true').error ? (() => { throw require('node:child_process').spawnSync('/bin/true').error; })() : 'done'`,
  ],
  'a fork': ['the same', `require('node:child_process').fork('/x')`],
  'another program in its place': ['the same', `process.execve('/bin/true', ['true'], {})`],
  'a worker': [
    'a thread without these rights',
    `new (require('node:worker_threads').Worker)('0', { eval: true })`,
  ],
  'an inspector': ['a door for others', `require('node:inspector').open(0)`],
  WASI: [
    'files by another door',
    `new (require('node:wasi').WASI)({ version: 'preview1', preopens: { '/': '/' } })`,
  ],
  'a connection': [
    'the network',
    `new Promise((resolve, reject) => require('node:net').connect(1, '127.0.0.1').on('error', reject).on('connect', resolve))`,
  ],
  'a server': [
    'a door for others',
    `new Promise((resolve, reject) => (process.once('uncaughtException', reject), require('node:net').createServer().on('error', reject).listen(0, '127.0.0.1', resolve)))`,
  ],
  'a Unix socket': [
    'the supervisor’s own API',
    `new Promise((resolve, reject) => require('node:net').connect('/run/isolet/isolet.sock').on('error', reject).on('connect', resolve))`,
  ],
  'a datagram': [
    'the network',
    `new Promise((resolve, reject) => { const socket = require('node:dgram').createSocket('udp4'); socket.on('error', reject); socket.bind(0, '127.0.0.1', resolve); })`,
  ],
  'a name': ['a little data out, by DNS', `require('node:dns/promises').lookup('localhost')`],
  'a name from a server': ['the same', `require('node:dns/promises').resolve4('localhost')`],
  fetch: [
    'the network',
    `fetch('http://127.0.0.1:8099/').catch((error) => { throw error.cause ?? error; })`,
  ],
  SQLite: [
    'any database, our own too: the permissions do not hold for it, so it must not be there',
    `require('node:sqlite')`,
  ],
  'SQLite by the other way': [
    'the same',
    `process.getBuiltinModule('node:sqlite') ?? import('node:sqlite')`,
  ],
  bindings: ['what the modules of Node are made of, without their checks', `process.binding('fs')`],
  'an inspector of its own': [
    'code in Node’s own scope',
    `new (require('node:inspector').Session)().connect()`,
  ],
  'another folder to be in': ['relative paths that lead elsewhere', `process.chdir('/tmp')`],
  'a trace of events': [
    'files written by V8',
    `require('node:trace_events').createTracing({ categories: ['v8'] }).enable()`,
  ],
  FFI: ['libc', `require('node:ffi').dlopen(null)`],
  'a report': [
    'the environment and more, in a file',
    `process.report.writeReport('/tmp/isolet-report.json')`,
  ],
  'a heap snapshot': [
    'memory in a file',
    `require('node:v8').writeHeapSnapshot('/tmp/isolet-heap')`,
  ],
  'an .env file': ['a file as variables', `process.loadEnvFile(folder + '/outside/secret')`],
  'more rights': [
    'all of it',
    `process.permission.grant?.('fs.read') ?? (() => { throw Object.assign(new Error(), { code: 'none' }); })()`,
  ],
};

/** Those that are not there at all, or have no such method. */
const absent: Readonly<Record<string, string>> = {
  SQLite: 'ERR_UNKNOWN_BUILTIN_MODULE',
  'SQLite by the other way': 'ERR_UNKNOWN_BUILTIN_MODULE',
  'more rights': 'none',
};

test('what the permission model refuses', (context) => {
  const tries = Object.entries(refused).map(([name, [, code]]) => [name, code]);
  const expected = Object.keys(refused).map((name) => [name, absent[name] ?? DENIED]);
  assert.equal(inHost(context, Object.fromEntries(tries)), Object.fromEntries(expected));
  for (const [file, text] of [
    ['outside/secret', SECRET],
    ['data/a', 'granted'],
  ] as const)
    assert.is(readFileSync(join(context.folder, file), 'utf8'), text);
});

test('without the flags the tries are good ones', ({ folder }) => {
  const { 'read a file': read, SQLite: database, 'a name': name } = refused;
  const tries = { read: read?.[1] ?? '', database: database?.[1] ?? '', name: name?.[1] ?? '' };
  const got = inHost({ folder, flags: [] }, tries);
  assert.equal(got, { read: SECRET, database: 'done', name: 'done' });
});

/** What the model says nothing of, as of Node 26.10. With it a host of our own user could do much. */
const allowed: Readonly<Record<string, readonly [gains: string, code: string, gets: string]>> = {
  'a signal to the supervisor': [
    'its death, again and again',
    `process.kill(process.ppid, 0)`,
    'done',
  ],
  'the priority of the supervisor': [
    'its time',
    `require('node:os').getPriority(process.ppid) + ''`,
    '0',
  ],
  'a native library': [
    'native code, which asks nobody: with a folder it may write, of its own making',
    `process.dlopen({ exports: {} }, folder + '/out/none.so')`,
    'ERR_DLOPEN_FAILED',
  ],
  'the name of the machine': ['a fact', `typeof require('node:os').hostname()`, 'string'],
  'the network’s interfaces': [
    'addresses',
    `typeof require('node:os').networkInterfaces()`,
    'object',
  ],
  'V8’s flags': [
    'natives, in its own process',
    `require('node:v8').setFlagsFromString('--allow-natives-syntax')`,
    'done',
  ],
};

test('what the permission model does not refuse', (context) => {
  const tries = Object.entries(allowed).map(([name, [, code]]) => [name, code]);
  const expected = Object.entries(allowed).map(([name, [, , gets]]) => [name, gets]);
  assert.equal(inHost(context, Object.fromEntries(tries)), Object.fromEntries(expected));
});

const asRoot = process.getuid?.() === 0 ? test : test.skip;

// No flags at all: so it is for native code, too.
asRoot('the user of the hosts is the wall behind: it holds without the model', ({ folder }) => {
  const choice = hostUserHere(undefined);
  const user = choice.ok ? choice.user : undefined;
  assert.ok(user !== undefined, 'root gives its hosts to somebody else');
  chmodSync(join(folder, 'outside/secret'), 0o600);
  const got = inHost(
    { folder, flags: [] },
    {
      signal: `process.kill(process.ppid, 0)`,
      priority: `require('node:os').setPriority(process.ppid, 19)`,
      environment: `fs.readFileSync('/proc/' + process.ppid + '/environ', 'utf8')`,
      memory: `fs.openSync('/proc/' + process.ppid + '/mem')`,
      files: `fs.readdirSync('/proc/' + process.ppid + '/fd')`,
      secret: `fs.readFileSync(folder + '/outside/secret', 'utf8')`,
      write: `fs.writeFileSync(folder + '/data/a', 'x')`,
      root: `process.setuid(0)`,
      groups: `process.setgroups([0])`,
      passwords: `fs.readFileSync('/etc/shadow', 'utf8')`,
      trace: `fs.writeFileSync('/proc/' + process.ppid + '/oom_score_adj', '1000')`,
    },
    { uid: user.uid, gid: user.gid },
  );
  assert.equal(got, {
    signal: 'EPERM',
    priority: 'ERR_SYSTEM_ERROR',
    environment: 'EACCES',
    memory: 'EACCES',
    files: 'EACCES',
    secret: 'EACCES',
    write: 'EACCES',
    root: 'EPERM',
    groups: 'EPERM',
    passwords: 'EACCES',
    trace: 'EACCES',
  });
});

test.run();
