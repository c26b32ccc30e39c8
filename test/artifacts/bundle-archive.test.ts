/** The bundle format: what is packed comes back, the same input gives the same bytes, all problems are told. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type BundleManifest,
  defaultBundleLimits,
  packBundle,
  unpackBundle,
} from '../../src/artifacts/bundle-archive.ts';
import { readTar, type TarFile, writeTar } from '../../src/artifacts/tar.ts';
import { Fault } from '../../src/core/fault.ts';
import { TREATY_VERSION } from '../../src/core/guest-protocol.ts';
import type { JsonObject } from '../../src/core/json.ts';

const manifest: BundleManifest = {
  name: 'filter',
  version: '1.2.0',
  entry: 'main.js',
  treaty: TREATY_VERSION,
};
const files = { manifest, code: 'export {};\n', sourceMap: '{"version":3}' };

async function problemOf(bytes: Uint8Array, limits = defaultBundleLimits): Promise<string> {
  try {
    await unpackBundle(bytes, limits);
  } catch (cause) {
    assert.instance(cause, Fault);
    assert.is((cause as Fault).code, 'BUNDLE_INVALID');
    return (cause as Fault).message;
  }
  return 'none';
}

const text = (value: string): Uint8Array => Buffer.from(value);
const archive = (entries: readonly TarFile[]): Uint8Array => gzipSync(writeTar(entries));

test('what is packed comes back', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        name: fc.stringMatching(/^[A-Za-z0-9._-]{1,80}$/),
        version: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }),
        code: fc.string({ unit: 'grapheme' }),
        sourceMap: fc.json(),
        assets: fc.dictionary(
          fc.stringMatching(/^[a-z0-9]{1,20}(\/[a-z0-9]{1,20}){0,2}$/),
          fc.uint8Array({ maxLength: 2_000 }),
        ),
      }),
      async ({ name, version, code, sourceMap, assets }) => {
        const { bytes, digest } = packBundle({
          manifest: { ...manifest, name, version },
          code,
          sourceMap,
          assets,
        });
        const treaty = TREATY_VERSION;
        const bundle = await unpackBundle(bytes);
        assert.equal(bundle, { digest, name, version, treaty, code, sourceMap });
        const problems: string[] = [];
        const inside = readTar(gunzipSync(bytes), problems);
        assert.equal(problems, []);
        for (const [path, data] of Object.entries(assets)) {
          const found = inside.find((file) => file.name === `assets/${path}`);
          assert.is(Buffer.compare(found?.data as Uint8Array, data), 0);
        }
      },
    ),
    { numRuns: 50 },
  );
});

test('the same input gives the same bytes, whatever the order of assets', () => {
  const a = packBundle({ ...files, assets: { b: text('2'), a: text('1') } });
  const b = packBundle({ ...files, assets: { a: text('1'), b: text('2') } });
  assert.is(a.digest, b.digest);
  assert.match(a.digest, /^sha256:[0-9a-f]{64}$/);
  assert.is(Buffer.from(a.bytes).readUInt32LE(4), 0, 'no time in the gzip header');
  assert.is(a.bytes[9], 255, 'no operating system in the gzip header');
});

test('the system’s tar reads ours, and we read what it writes', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'isolet-tar-'));
  try {
    const ours = join(dir, 'ours.tgz');
    writeFileSync(ours, packBundle({ ...files, assets: { 'empty.bin': text('') } }).bytes);
    const names = execFileSync('tar', ['tzf', ours], { encoding: 'utf8' });
    assert.is(names, 'bundle.json\nmain.js\nmain.js.map\nassets/empty.bin\n');
    execFileSync('tar', ['xzf', ours, '-C', dir]);
    const theirs = join(dir, 'theirs.tgz');
    const entries = ['bundle.json', 'main.js', 'main.js.map', 'assets'];
    execFileSync('tar', ['czf', theirs, '-C', dir, ...entries]);
    const bundle = await unpackBundle(execFileSync('cat', [theirs]));
    assert.is(bundle.code, files.code);
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test('all problems of a bundle are told at once', async () => {
  const json = JSON.stringify({ name: 'a b', entry: 'other.js', treaty: 99 });
  const problem = await problemOf(
    archive([
      { name: 'bundle.json', data: text(json) },
      { name: '../escape', data: text('') },
      { name: '/etc/passwd', data: text('') },
      { name: 'main.js.map', data: Buffer.from([0xff]) },
      { name: 'main.js.map', data: text('') },
    ]),
  );
  for (const part of [
    /name must have letters.*"a b"/,
    /version must be/,
    /entry must be "main.js"; it is "other.js"/,
    /made for treaty 99, this runtime speaks 1/,
    /"\.\.\/escape" has an empty, "\." or "\.\." part/,
    /"\/etc\/passwd" is an absolute path/,
    /"main.js.map" is there twice/,
    /main.js.map is not UTF-8 text/,
    /main.js is missing/,
  ]) {
    assert.match(problem, part);
  }
});

test('sizes and counts are limited before they are paid for', async () => {
  const { bytes } = packBundle({ ...files, code: ' '.repeat(1_000_000) });
  const small = { bytesMax: 100_000, unpackedBytesMax: 10_000, filesMax: 10 };
  assert.match(await problemOf(bytes, small), /unpacked it has more than the 10000 bytes/);
  assert.match(await problemOf(bytes, { ...small, bytesMax: 10 }), /at most 10 are taken/);
  const many = archive(Array.from({ length: 11 }, (_, at) => ({ name: `f${at}`, data: text('') })));
  assert.match(await problemOf(many, { ...small, unpackedBytesMax: 100_000 }), /it has 11 files/);
});

test('anything else is a fault with a sentence, never a crash', async () => {
  assert.match(await problemOf(text('hello')), /not a gzip file/);
  assert.match(await problemOf(new Uint8Array()), /not a gzip file|bundle.json is missing/);
  assert.match(await problemOf(archive([])), /bundle.json is missing.*main.js is missing/);
  const whole = Buffer.from(packBundle(files).bytes);
  assert.match(await problemOf(whole.subarray(0, -30)), /damaged/);
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.integer({ min: 1, max: 255 }), async (place, flip) => {
      const tar = gunzipSync(whole);
      const at = place % tar.length;
      tar[at] = (tar[at] as number) ^ flip;
      await problemOf(gzipSync(tar)); // a fault or none
    }),
    { numRuns: 200 },
  );
});

test('a link in an archive is refused', async () => {
  const tar = Buffer.from(writeTar([{ name: 'main.js', data: text('') }]));
  tar.write('2', 156);
  tar.write('\0'.repeat(8), 148);
  let sum = 8 * 0x20;
  for (const byte of tar.subarray(0, 512)) sum += byte;
  tar.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  assert.match(
    await problemOf(gzipSync(tar)),
    /tar entry of type "2"; a bundle holds plain files only/,
  );
});

test('what a bundle asks for is read, told from asking for nothing, and nonsense is refused', async () => {
  const asking = (capabilities: JsonObject) =>
    packBundle({ ...files, manifest: { ...manifest, capabilities } }).bytes;
  assert.is((await unpackBundle(packBundle(files).bytes)).asked, undefined);
  const nothing = { files: [], devices: [], network: [], ports: [], memoryMb: undefined };
  assert.equal((await unpackBundle(asking({}))).asked, nothing);
  assert.equal((await unpackBundle(asking({ files: ['/data:ro'] }))).asked, {
    ...nothing,
    files: [{ path: '/data', writable: false }],
  });
  assert.match(await problemOf(asking({ files: ['data'] })), /capabilities\.files\[0\] must be/);
});

test.run();
