/** The one call a host keeps into the C library, and that it keeps no other: in a process with a host's flags. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ALLOW_FFI, permissionFlags } from '../../src/host/host-permissions.ts';
import { KEEPS_FFI } from '../../src/host/last-call.ts';

const LIMIT_MS = 20_000;
const room = join(import.meta.dirname, '../../src/host');

const test = suite('last call');

/** What a host with these words in its command line answers to `code`, an expression. */
function inHost(words: readonly string[], code: string): unknown {
  const program = `
    const tried = (run) => { try { run(); return 'ok'; } catch (cause) { return cause.code; } };
    const { takeLastCall } = await import(${JSON.stringify(pathToFileURL(join(room, 'last-call.ts')).href)});
    const trim = takeLastCall(${JSON.stringify(words)});
    const ffi = process.getBuiltinModule('node:ffi');
    const residentMb = () => process.memoryUsage.rss() / 1048576;
    process.stdout.write(JSON.stringify(${code}));`;
  const flags = [...permissionFlags(join(room, 'main.ts'), []), ALLOW_FFI];
  const child = spawnSync(
    process.execPath,
    [...flags, '--expose-gc', '--input-type=module', '-e', program],
    { env: {}, timeout: LIMIT_MS },
  );
  assert.is(child.status, 0, String(child.stderr));
  assert.is(String(child.stderr), '', 'nothing in the log');
  return JSON.parse(String(child.stdout));
}

test('a host gives up FFI at its start, all of it and for good', () => {
  const tries = `[
    process.permission.has('ffi'),
    tried(() => ffi.dlopen(null, {})),
    tried(() => new ffi.DynamicLibrary(null)),
    tried(() => ffi.toBuffer(1n, 1)),
    tried(() => ffi.getInt32(1n)),
    tried(() => trim()),
  ]`;
  const denied = Array.from({ length: 4 }, () => 'ERR_ACCESS_DENIED');
  assert.equal(inHost([], tries), [false, ...denied, 'ok']);
  assert.equal(inHost([KEEPS_FFI], `[process.permission.has('ffi'), tried(() => trim())]`), [
    true,
    'ok',
  ]);
});

test('what was freed between what is still used goes back', () => {
  const [beforeMb, afterMb] = inHost(
    [],
    `(() => {
      // Too small for a mapping of its own, and every tenth stays.
      let all = Array.from({ length: 4000 }, () => Buffer.alloc(20000, 1));
      globalThis.kept = all.filter((_, at) => at % 10 === 0);
      all = undefined;
      return new Promise((done) => setTimeout(() => {
        gc();
        setTimeout(() => {
          const before = residentMb();
          trim();
          done([before, residentMb()]);
        }, 500);
      }, 1));
    })()`.replace(/^/, 'await '),
  ) as [number, number];
  assert.ok(beforeMb - afterMb > 30, `${beforeMb} MB before, ${afterMb} MB after`);
});

test.run();
