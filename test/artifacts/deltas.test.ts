/** Bundles that come as what they differ by from the last one, through a real docker-registry, and everything that can be wrong with that. */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { constants, zstdCompressSync } from 'node:zlib';
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { digestOf, packBundle } from '../../src/artifacts/bundle-archive.ts';
import { applyDelta, makeDelta } from '../../src/artifacts/bundle-delta.ts';
import { createBundles } from '../../src/artifacts/bundles.ts';
import { bundleManifest, type Delta } from '../../src/core/bundle-artifact.ts';
import { TREATY_VERSION } from '../../src/core/guest-protocol.ts';
import type { Bundles } from '../../src/core/ports.ts';
import { haveRegistry, startDockerRegistry } from '../fakes/docker-registry.ts';
import { createFakeLog } from '../fakes/log.ts';
import { got } from '../fakes/pushed-bundles.ts';

type Context = { dir: string };
const test = suite<Context>('deltas');
const root = join(import.meta.dirname, '../..');

/** A megabyte that no compression makes smaller, and a line. */
const ASSET = randomBytes(1_048_576);
function make(line: string): Uint8Array {
  const manifest = { name: 'insight', version: '1.0.0', entry: 'main.js', treaty: TREATY_VERSION };
  const code = `console.log(${JSON.stringify(line)});`;
  return packBundle({ manifest, code, sourceMap: '', assets: { 'model.bin': ASSET } }).bytes;
}
const hexOf = (bytes: Uint8Array): string => digestOf(bytes).slice('sha256:'.length);

test.before.each((context) => {
  context.dir = mkdtempSync(join(tmpdir(), 'isolet-deltas-'));
});
test.after.each(({ dir }) => rmSync(dir, { recursive: true }));

const [old, next] = [make('old'), make('next')];

test('a delta gives the very archive back, from its base alone', async () => {
  const delta = await makeDelta(old, next);
  assert.ok(delta.byteLength < 1_000, `${delta.byteLength} bytes`);
  const again = await applyDelta(old, delta, hexOf(next));
  assert.is(again && digestOf(again), digestOf(next));
  assert.is(await applyDelta(next, delta, hexOf(next)), undefined, 'another base');
  assert.is(await applyDelta(old, delta, hexOf(old)), undefined, 'for another archive');
});

test('whatever lies there instead of a delta gives nothing, and ends', async () => {
  const small = packBundle({
    manifest: { name: 'a', version: '1', entry: 'main.js', treaty: TREATY_VERSION },
    code: 'let it = "be";',
    sourceMap: '',
  }).bytes;
  const good = await makeDelta(small, small);
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ minLength: 1, maxLength: 50 }),
      fc.nat(),
      async (noise, at) => {
        const bad = Uint8Array.from(good);
        bad.set(noise.subarray(0, Math.max(0, bad.length - (at % bad.length))), at % bad.length);
        const result = await applyDelta(small, bad, hexOf(small));
        assert.ok(result === undefined || digestOf(result) === digestOf(small));
        assert.is(await applyDelta(small, noise, hexOf(small)), undefined);
      },
    ),
  );
  const bomb = zstdCompressSync(new Uint8Array(200 * 1_048_576), {
    params: { [constants.ZSTD_c_compressionLevel]: 3 },
  });
  assert.ok(bomb.byteLength < 100_000);
  assert.is(await applyDelta(small, bomb, hexOf(small)), undefined);
});

/** A registry with one manifest; counts what it sends. */
async function serve(
  deltas: readonly Delta[],
  blobs: ReadonlyMap<string, Uint8Array>,
): Promise<{ readonly server: Server; readonly image: string; sent(): string[] }> {
  const asked: string[] = [];
  const manifest = bundleManifest({ sha256: hexOf(next), bytes: next.byteLength }, {}, deltas);
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    if (path.includes('/manifests/')) return void response.end(JSON.stringify(manifest));
    const hex = path.slice(path.indexOf('sha256:') + 'sha256:'.length);
    asked.push(hex === hexOf(next) ? 'whole' : 'delta');
    const blob = blobs.get(hex);
    response.statusCode = blob === undefined ? 404 : 200;
    response.end(blob);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { server, image: `127.0.0.1:${port}/insight:2`, sent: () => asked };
}

async function deviceWithOld(dir: string): Promise<Bundles> {
  const file = join(dir, 'old.tgz');
  writeFileSync(file, old);
  const bundles = createBundles({ dir: join(dir, 'device'), log: createFakeLog() });
  await got(bundles.fetch(`file://${file}#sha256=${hexOf(old)}`));
  return bundles;
}

test('what is wrong with a delta costs the whole download, and nothing else', async ({ dir }) => {
  const good = await makeDelta(old, next);
  const flipped = Uint8Array.from(good);
  flipped[20] = (flipped[20] as number) ^ 1;
  const forOther = await makeDelta(old, make('other'));
  const entry = (bytes: Uint8Array, from = hexOf(old), size = bytes.byteLength): Delta => ({
    sha256: hexOf(bytes),
    bytes: size,
    from,
  });
  const cases: readonly (readonly [string, Delta, Uint8Array | undefined, readonly string[]])[] = [
    ['used', entry(good), good, ['delta']],
    ['from what is not here', entry(good, hexOf(next)), good, ['whole']],
    ['gone', entry(good), undefined, ['delta', 'whole']],
    ['not its digest', entry(good), flipped, ['delta', 'whole']],
    ['longer than it says', entry(good, hexOf(old), 10), good, ['delta', 'whole']],
    ['damaged before its digest was taken', entry(flipped), flipped, ['delta', 'whole']],
    ['for another archive', entry(forOther), forOther, ['delta', 'whole']],
    ['larger than any bundle', entry(good, hexOf(old), 2 ** 40), good, ['whole']],
  ];
  for (const [what, delta, bytes, wanted] of cases) {
    const blobs = new Map([[hexOf(next), next]]);
    if (bytes !== undefined) blobs.set(delta.sha256, bytes);
    const { server, image, sent } = await serve([delta], blobs);
    const folder = mkdtempSync(join(dir, 'case-'));
    try {
      const bundles = await deviceWithOld(folder);
      const bundle = await got(bundles.fetch(image));
      assert.is(bundle.digest, digestOf(next), what);
      assert.equal(sent(), wanted, what);
      const later = createBundles({ dir: join(folder, 'device'), log: createFakeLog() });
      assert.is((await later.find(image))?.digest, digestOf(next), `${what}: without the registry`);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  }
});

if (haveRegistry()) {
  test('pushed with --delta-from, looked at, and pulled as a few hundred bytes of a megabyte', async ({
    dir,
  }) => {
    const registry = await startDockerRegistry();
    const run = (...argv: readonly string[]): Record<string, unknown> => {
      const program = join(root, 'src/registry-commands.ts');
      const done = spawnSync(process.execPath, [program, ...argv, '--json'], { encoding: 'utf8' });
      assert.is(done.status, 0, done.stderr);
      return JSON.parse(done.stdout) as Record<string, unknown>;
    };
    try {
      const image = (tag: number): string => `${registry.host}/insight:${tag}`;
      for (const [index, bytes] of [old, next].entries()) {
        writeFileSync(join(dir, `${index}.tgz`), bytes);
      }
      run('push', join(dir, '0.tgz'), image(1));
      const [size] = run('push', join(dir, '1.tgz'), image(2), '--delta-from', image(1))[
        'deltas'
      ] as [number];
      assert.ok(size < next.byteLength / 20, `${size} bytes of ${next.byteLength}`);
      assert.equal(run('inspect', image(2))['deltas'], [`${size} bytes from ${digestOf(old)}`]);
      const log = createFakeLog();
      const bundles = createBundles({ dir: join(dir, 'device'), log });
      await got(bundles.fetch(image(1)));
      assert.is((await got(bundles.fetch(image(2)))).digest, digestOf(next));
      const made = log.entries.find(({ message }) => message === 'bundle made from a delta');
      assert.is(made?.fields?.['bytes'], size);
    } finally {
      await registry.stop();
    }
  });
}

test.run();
