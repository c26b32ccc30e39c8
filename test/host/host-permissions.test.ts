/** The rights of a host process, tried from inside a process that has them and nothing more. */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { DeviceGrant } from '../../src/core/device-grant.ts';
import { covers, permissionFlags } from '../../src/host/host-permissions.ts';
import { deviceGrant, granting } from '../contracts/module-host.ts';

const test = suite<{ folder: string }>('host permissions');
test.before((context) => {
  const folder = mkdtempSync(join(tmpdir(), 'isolet-rights-'));
  chmodSync(folder, 0o755);
  context.folder = folder;
  for (const name of ['data/sub', 'data-secret', 'data2', 'real', 'other']) {
    mkdirSync(join(folder, name), { recursive: true });
    writeFileSync(join(folder, name, 'a'), name);
  }
  symlinkSync('real', join(folder, 'link'));
});
test.after(({ folder }) => rmSync(folder, { recursive: true }));

/** What a process with these rights answers to `code`, an expression. */
function inHost(flags: readonly string[], code: string): unknown {
  const program = `const fs = require('node:fs');
    const tried = (run) => { try { run(); return 'ok'; } catch (cause) { return cause.code; } };
    process.stdout.write(JSON.stringify(${code}));`;
  const child = spawnSync(process.execPath, [...flags, '-e', program], {
    env: {},
    timeout: 20_000,
  });
  assert.is(child.status, 0, String(child.stderr));
  return JSON.parse(String(child.stdout));
}

/** Those of the paths that are not allowed; and those that are. */
const has = (flags: readonly string[], scope: string, paths: readonly string[]) =>
  inHost(
    flags,
    `${JSON.stringify(paths)}.filter((path) => !process.permission.has('fs.${scope}', path))`,
  ) as string[];
const hasNot = (flags: readonly string[], scope: string, paths: readonly string[]) =>
  inHost(
    flags,
    `${JSON.stringify(paths)}.filter((path) => process.permission.has('fs.${scope}', path))`,
  ) as string[];

test('binds of any shape are allowed, with all below them, and nothing beside them', ({
  folder,
}) => {
  const at = (path: string) => join(folder, path);
  const sources = ['data2', 'data/sub', 'data', 'link', 'late', 'data-secret/a'].map(at);
  for (const order of [sources, sources.toReversed(), sources.toSorted()]) {
    const binds = order.map((source) => ({
      source,
      target: source,
      writable: source === at('data'),
    }));
    const flags = permissionFlags(join(folder, 'host.mjs'), [granting({ binds })]);
    const inside = [
      'data',
      'data/a',
      'data/sub',
      'data/sub/a',
      'data2',
      'data2/a',
      'data-secret/a',
    ];
    const also = ['link', 'link/a', 'real', 'real/a', 'late', 'late/x/y'];
    assert.equal(has(flags, 'read', [...inside, ...also].map(at)), []);
    assert.equal(has(flags, 'write', ['data', 'data/a', 'data/sub/a', 'data/new'].map(at)), []);
    const outside = ['', 'other', 'other/a', 'dat', 'linked'].map(at);
    assert.equal(hasNot(flags, 'read', [...outside, '/', '/etc/passwd', '/proc/1/environ']), []);
    assert.equal(hasNot(flags, 'write', [...outside, ...['link/a', 'late'].map(at)]), []);
  }
});

test('a device brings its own path and FFI; a simulated one, and none, bring neither', ({
  folder,
}) => {
  const flagsFor = (devices: readonly DeviceGrant[]): readonly string[] =>
    permissionFlags(join(folder, 'host.mjs'), [granting({ devices })]);
  const ffi = `tried(() => require('node:ffi').dlopen(null, {}))`;
  const terminal = deviceGrant('/dev/tty', { kind: 'serial' });
  const flags = flagsFor([terminal]);
  assert.equal(has(flags, 'read', ['/dev/tty']), []);
  assert.equal(has(flags, 'write', ['/dev/tty']), []);
  const beside = ['/dev/tty1', '/dev/null', '/dev', '/dev/mem'];
  assert.equal([...hasNot(flags, 'read', beside), ...hasNot(flags, 'write', beside)], []);
  assert.is(inHost(flags, ffi), 'ok');
  const simulated = deviceGrant('/dev/tty', { kind: 'serial', simulated: { kind: 'serial' } });
  const useless = deviceGrant('/dev/null');
  for (const none of [flagsFor([simulated]), flagsFor([useless]), flagsFor([])]) {
    assert.equal(hasNot(none, 'read', ['/dev/tty', '/dev/null']), []);
    assert.is(inHost(none, ffi), 'ERR_ACCESS_DENIED');
  }
});

test('a lone folder’s neighbours are not allowed, whatever their names', ({ folder }) => {
  const source = join(folder, 'data');
  const flags = permissionFlags(join(folder, 'host.mjs'), [
    granting({ binds: [{ source, target: '/data', writable: true }] }),
  ]);
  const beside = ['data2', 'data2/a', 'data-secret', 'data-secret/a'].map((path) =>
    join(folder, path),
  );
  assert.equal([...hasNot(flags, 'read', beside), ...hasNot(flags, 'write', beside)], []);
  assert.equal([...has(flags, 'read', [source]), ...has(flags, 'write', [source])], []);
});

test('a host without binds has its program and nothing else', () => {
  const hostMain = fileURLToPath(new URL('../../src/host/main.ts', import.meta.url));
  const flags = permissionFlags(hostMain, []);
  const beyond = ['/etc/passwd', '/proc/self/environ', '/tmp', '/', '/var/lib/isolet', '/home'];
  assert.equal(
    inHost(
      flags,
      `[
      tried(() => require('node:child_process').execFileSync('/bin/true')),
      tried(() => new (require('node:worker_threads').Worker)('0', { eval: true })),
      tried(() => require('node:inspector').open(0)),
      ...${JSON.stringify(beyond)}.map((path) => tried(() => fs.statSync(path))),
      tried(() => fs.writeFileSync(${JSON.stringify(hostMain)}, '')),
      process.permission.has('net'),
      process.permission.has('ffi'),
      process.permission.has('wasi'),
    ]`,
    ),
    [...Array.from({ length: 10 }, () => 'ERR_ACCESS_DENIED'), false, false, false],
  );
  // The same without the flags: the tries themselves are good ones.
  assert.is(inHost([], `tried(() => fs.statSync('/etc/passwd'))`), 'ok');
  assert.is(execFileSync('/bin/true').length, 0);
});

test('rights for one are rights for another when each file is among them, as writable as it must be', () => {
  const binds = (...sources: readonly string[]) =>
    granting({
      binds: sources.map((text) => {
        const [source = '', mode] = text.split(':');
        return { source, target: '/x', writable: mode === 'rw' };
      }),
    });
  assert.ok(covers([], binds()));
  assert.ok(covers([binds('/a:rw', '/b')], binds('/a', '/b')));
  assert.ok(covers([binds('/a:rw'), binds('/b')], binds('/a', '/b')), 'one each');
  assert.not.ok(covers([binds('/a')], binds('/a:rw')));
  assert.not.ok(covers([binds('/a')], binds('/b')));
});

test('the network is a right of hosts whose modules serve a port, and of no others', () => {
  const ports = (count: number) =>
    granting({
      ports: [{ port: 80, published: Array(count).fill({ ip: '', port: 0, at: '' }) }],
    });
  const flags = (count: number) => permissionFlags('/host.mjs', [granting({}), ports(count)]);
  assert.not(flags(0).includes('--allow-net'), 'who is published nowhere opens nothing');
  assert.ok(flags(1).includes('--allow-net'));
  assert.not(covers([ports(0)], ports(1)));
  assert.ok(covers([granting({}), ports(1)], ports(2)));
  assert.ok(covers([granting({})], ports(0)));
});

test.run();
