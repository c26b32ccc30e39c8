/** `isolet push` and `isolet inspect` with a real docker-registry that knows its users. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { packBundle } from '../../src/artifacts/bundle-archive.ts';
import { TREATY_VERSION } from '../../src/core/guest-protocol.ts';
import { haveRegistry, startDockerRegistry } from '../fakes/docker-registry.ts';
import { within } from '../fakes/within.ts';

const program = join(import.meta.dirname, '../../src/registry-commands.ts');

type Ran = { readonly code: number | null; readonly out: string; readonly err: string };

function isolet(words: readonly string[], home: string, input = ''): Promise<Ran> {
  const child = spawn(process.execPath, [program, ...words], {
    env: { ...process.env, HOME: home },
  });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk) => {
    out += String(chunk);
  });
  child.stderr.on('data', (chunk) => {
    err += String(chunk);
  });
  child.stdin.end(input);
  const ended = new Promise<Ran>((resolve) => {
    child.on('close', (code) => resolve({ code, out, err }));
  });
  return within(30_000, words.join(' '), ended);
}

if (haveRegistry('htpasswd')) {
  test('push, then inspect, by password and by what docker keeps', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'isolet-push-'));
    const { stdout } = spawnSync('htpasswd', ['-nbB', 'me', 's3cret'], { encoding: 'utf8' });
    const registry = await startDockerRegistry('  htpasswd: { realm: a, path: DIR/htpasswd }', {
      htpasswd: stdout,
    });
    const manifest = {
      name: 'insight',
      version: '1.2.0',
      entry: 'main.js',
      treaty: TREATY_VERSION,
      capabilities: { devices: ['i2c'] },
    };
    const { bytes, digest } = packBundle({ manifest, code: '', sourceMap: '' });
    const file = join(dir, 'insight.tgz');
    writeFileSync(file, bytes);
    const image = `${registry.host}/line/insight:1.2`;

    const nobody = await isolet(['push', file, image], dir);
    assert.is(nobody.code, 1);
    assert.match(nobody.err, /wants to know who pushes line\/insight: give --username/);
    const wrong = await isolet(
      ['push', file, image, '--username', 'me', '--password-stdin'],
      dir,
      'wr0ng\n',
    );
    assert.match(wrong.err, /refused the user "me"/);
    assert.not.match(wrong.err, /wr0ng/);
    const pushed = await isolet(
      ['push', file, image, '--username', 'me', '--password-stdin', '--json'],
      dir,
      's3cret\n',
    );
    assert.is(pushed.err, '');
    const { image: byDigest } = JSON.parse(pushed.out) as { image: string };
    assert.match(byDigest, /^127\.0\.0\.1:\d+\/line\/insight@sha256:[0-9a-f]{64}$/);

    const auth = Buffer.from('me:s3cret').toString('base64');
    mkdirSync(join(dir, '.docker'));
    writeFileSync(
      join(dir, '.docker', 'config.json'),
      JSON.stringify({ auths: { [`http://${registry.host}/`]: { auth } } }),
    );
    for (const what of [image, byDigest, file]) {
      const { out, err } = await isolet(['inspect', what, '--json'], dir);
      assert.is(err, '', what);
      const { module, version, digest: found, asks } = JSON.parse(out) as Record<string, unknown>;
      assert.equal([module, version, found], ['insight', '1.2.0', digest]);
      assert.equal((asks as { devices: unknown }).devices, ['i2c']);
    }
    await registry.stop();
    rmSync(dir, { recursive: true });
  });
}

test('mistakes have their sentences', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'isolet-push-'));
  const file = join(dir, 'no.tgz');
  writeFileSync(file, 'no bundle');
  for (const [words, sentence] of [
    [['push', file], /usage: isolet push BUNDLE.tgz IMAGE/],
    [['push', join(dir, 'none.tgz'), 'localhost/a'], /cannot be read \(ENOENT\)/],
    [['push', file, 'localhost/a'], /is not a gzip file/],
    [['push', file, 'localhost/A'], /capital letters/],
    [['push', file, `localhost/a@sha256:${'a'.repeat(64)}`], /push to a tag/],
    [['inspect', 'https://host/a'], /has no digest/],
    [['inspect', 'localhost:1/a'], /localhost:1/],
    [['inspect', 'localhost/a', '--username', 'me'], /go together/],
  ] as const) {
    const { code, err } = await isolet(words, dir);
    assert.is(code, 1);
    assert.match(err, sentence);
    assert.not.match(err, /\n\s+at /);
  }
  rmSync(dir, { recursive: true });
});

test.run();
