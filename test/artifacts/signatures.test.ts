/** Bundles signed by the real command, and devices that demand it: from files, from a real registry, from their own disk. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { TrustSettings } from '../../src/artifacts/bundle-trust.ts';
import { createBundles } from '../../src/artifacts/bundles.ts';
import { readPublicKey } from '../../src/core/bundle-signature.ts';
import type { Bundles } from '../../src/core/ports.ts';
import { haveRegistry, startDockerRegistry } from '../fakes/docker-registry.ts';
import { createFakeLog } from '../fakes/log.ts';
import { got, make, refused } from '../fakes/pushed-bundles.ts';

type Context = { dir: string };
const test = suite<Context>('signatures');
const root = join(import.meta.dirname, '../..');

test.before.each((context) => {
  context.dir = mkdtempSync(join(tmpdir(), 'isolet-signatures-'));
});
test.after.each(({ dir }) => rmSync(dir, { recursive: true }));

function run(...argv: readonly string[]): Record<string, string> {
  const program = argv[0] === 'sign' ? 'sign-command' : 'registry-commands';
  const words = argv[0] === 'sign' ? argv.slice(1) : argv;
  const done = spawnSync(process.execPath, [join(root, `src/${program}.ts`), ...words, '--json'], {
    encoding: 'utf8',
  });
  if (done.status !== 0) throw new Error(done.stderr);
  return JSON.parse(done.stdout) as Record<string, string>;
}

/** A key by this name, and the line for a device's config. */
function newKey(dir: string, name: string): { readonly file: string; readonly line: string } {
  const file = join(dir, `${name}.pem`);
  const { trusted_keys: lines } = run('sign', '--new-key', file);
  return { file, line: (JSON.parse(lines as string) as string[])[0] as string };
}

const trusting = (...lines: readonly string[]): TrustSettings => ({
  required: true,
  keys: lines.flatMap((line) => readPublicKey(line) ?? []),
});

const device = (dir: string, trust?: TrustSettings): Bundles =>
  createBundles({ dir: join(dir, 'device'), log: createFakeLog(), ...(trust && { trust }) });

function bundle(dir: string, version: string): string {
  const file = join(dir, `insight-${version}.tgz`);
  writeFileSync(file, make(version));
  return file;
}

test('a bundle that a trusted key signed is taken, with the keys that come and go', async ({
  dir,
}) => {
  const [old, next] = [newKey(dir, 'old'), newKey(dir, 'next')];
  assert.is(statSync(old.file).mode & 0o777, 0o600);
  const file = bundle(dir, '1.0.0');
  run('sign', file, '--key', old.file);
  const { image = '' } = run('sign', file, '--key', next.file);
  assert.match(image, /^file:.*#sha256=[0-9a-f]{64}&sig=old:[\w-]{86}&sig=next:[\w-]{86}$/);
  const [unsigned = ''] = image.split('&sig=');
  for (const trust of [undefined, trusting(old.line), trusting(next.line, old.line)]) {
    assert.is((await got(device(dir, trust).fetch(image))).version, '1.0.0');
  }
  // What is on the disk is judged by the policy of the day.
  assert.is((await device(dir, trusting(next.line)).find(image))?.version, '1.0.0');
  assert.is((await device(dir).find(unsigned))?.version, '1.0.0');
  assert.match(
    await refused('BUNDLE_INVALID', device(dir, trusting(next.line)).find(unsigned)),
    /is not signed, and this device takes bundles signed by next/,
  );
});

test('who is not trusted, whose name another has, and a signature for something else are refused in words', async ({
  dir,
}) => {
  const key = newKey(dir, 'plant');
  const file = bundle(dir, '1.0.0');
  const { image = '' } = run('sign', file, '--key', key.file);
  const other = newKey(dir, 'other');
  const bundles = device(dir, trusting(key.line));
  const why = (wanted: string): Promise<string> => refused('BUNDLE_INVALID', bundles.fetch(wanted));

  const { image: byOther = '' } = run('sign', bundle(dir, '2.0.0'), '--key', other.file);
  assert.match(await why(byOther), /is signed by other, and this device takes .* by plant/);

  const at = image.length - 40;
  const flipped = `${image.slice(0, at)}${image[at] === 'A' ? 'B' : 'A'}${image.slice(at + 1)}`;
  assert.match(await why(flipped), /the signature of file:\S+ by plant is not right/);

  const signature = image.slice(image.indexOf('&sig='));
  const elsewhere = byOther.replace(/&sig=.*/, signature);
  assert.match(await why(elsewhere), /by plant is not right for what it names/);

  const namesake = trusting(other.line.replace('other:', 'plant:'));
  assert.match(
    await refused('BUNDLE_INVALID', device(dir, namesake).fetch(image)),
    /or is by another key of that name/,
  );
  assert.match(await why(`${image.split('&sig=')[0]}&sig=nonsense`), /is not signed/);
  assert.is((await got(bundles.fetch(image))).version, '1.0.0');
});

test('what cannot be signed, or signed with, is told', ({ dir }) => {
  const key = newKey(dir, 'plant');
  const before = readFileSync(key.file, 'utf8');
  assert.throws(() => run('sign', '--new-key', key.file), /plant.pem is there already/);
  assert.is(readFileSync(key.file, 'utf8'), before);
  assert.throws(() => run('sign', key.file, '--key', key.file), /bundle/);
  const file = bundle(dir, '1.0.0');
  assert.throws(() => run('sign', file, '--key', file), /holds no Ed25519 private key/);
  assert.throws(() => run('sign', file, '--key', join(dir, 'gone.pem')), /gone.pem cannot be read/);
  assert.throws(() => run('sign', '--new-key', join(dir, 'a b.pem')), /letters, digits/);
});

if (haveRegistry()) {
  test('through a registry: pushed with its signature, pulled, started without it; an unsigned one waits until it is signed', async ({
    dir,
  }) => {
    const registry = await startDockerRegistry();
    const key = newKey(dir, 'plant');
    const trust = trusting(key.line);
    const image = `${registry.host}/line/insight:1`;
    const file = bundle(dir, '1.0.0');
    try {
      run('push', file, image);
      assert.is(run('inspect', image)['signed'], 'by nobody');
      const why = await refused('DOWNLOAD_FAILED', device(dir, trust).fetch(image));
      assert.match(why, /is not signed, .*"isolet sign" and push it again/);
      // A device that took it before the policy asks its registry again, too.
      await got(device(dir).fetch(image));
      assert.is(await device(dir, trust).find(image), undefined);
      await refused('DOWNLOAD_FAILED', device(dir, trust).fetch(image));
      run('sign', file, '--key', key.file);
      run('push', file, image);
      assert.is(run('inspect', image)['signed'], 'by plant, as it says');
      assert.is((await got(device(dir, trust).fetch(image))).version, '1.0.0');
    } finally {
      await registry.stop();
    }
    assert.is((await device(dir, trust).find(image))?.version, '1.0.0');
    const stranger = trusting(newKey(dir, 'stranger').line);
    assert.is(await device(dir, stranger).find(image), undefined);
  });
}

test.run();
