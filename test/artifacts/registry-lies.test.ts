/** A registry of our own that lies, hangs, sends elsewhere: whatever it does is bounded and said. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { digestOf } from '../../src/artifacts/bundle-archive.ts';
import { createBundles } from '../../src/artifacts/bundles.ts';
import { writeTar } from '../../src/artifacts/tar.ts';
import { bundleManifest } from '../../src/core/bundle-artifact.ts';
import type { Bundles } from '../../src/core/ports.ts';
import { createFakeLog } from '../fakes/log.ts';
import { got, make, refused } from '../fakes/pushed-bundles.ts';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;
type Context = {
  dir: string;
  server: Server;
  manifest: Answer;
  blob: Answer;
  image: string;
  bundles: Bundles;
};

const bytes = make('1.0');
const layer = { sha256: digestOf(bytes).slice('sha256:'.length), bytes: bytes.byteLength };
const say =
  (value: unknown): Answer =>
  (_, response) =>
    response.end(JSON.stringify(value));

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const test = suite<Context>('a registry that cannot be trusted');

test.before.each(async (context) => {
  context.dir = mkdtempSync(join(tmpdir(), 'isolet-lies-'));
  context.manifest = say(bundleManifest(layer, {}));
  context.blob = (_, response) => response.end(bytes);
  context.server = createServer((request, response) => {
    const answer = /\/manifests\//.test(request.url ?? '') ? context.manifest : context.blob;
    answer(request, response);
  });
  context.image = `${await listen(context.server)}/insight:1`;
  context.bundles = createBundles({
    dir: join(context.dir, 'bundles'),
    log: createFakeLog(),
    fetchTimeoutMs: 2_000,
    stallTimeoutMs: 200,
  });
});

test.after.each(({ server, dir }) => {
  server.closeAllConnections();
  server.close();
  rmSync(dir, { recursive: true });
});

test('about the length: no byte more than promised is kept', async (context) => {
  const { image, bundles } = context;
  context.blob = (_, response) => response.end(Buffer.concat([bytes, bytes]));
  assert.match(await refused('DOWNLOAD_FAILED', bundles.fetch(image)), /another number of bytes/);
  context.blob = (_, response) => {
    response.write(bytes); // chunked: the length is not told before
    response.end(bytes);
  };
  assert.match(await refused('DOWNLOAD_FAILED', bundles.fetch(image)), /another number of bytes/);
  context.blob = (_, response) => {
    response.writeHead(200, { 'transfer-encoding': 'chunked' });
    response.end(bytes.subarray(0, 1_000));
  };
  assert.match(await refused('DOWNLOAD_FAILED', bundles.fetch(image)), /registry is damaged/);
  context.manifest = say(bundleManifest({ ...layer, bytes: 1e12 }, {}));
  assert.match(await refused('BUNDLE_INVALID', bundles.fetch(image)), /larger than the/);
  context.manifest = say(bundleManifest(layer, {}));
  context.blob = (_, response) => response.end(bytes);
  assert.is((await got(bundles.fetch(image))).version, '1.0');
});

test('about the digest, of the archive and of the manifest', async (context) => {
  const { image, bundles } = context;
  context.blob = (_, response) => response.end(Buffer.alloc(bytes.byteLength));
  assert.match(await refused('DOWNLOAD_FAILED', bundles.fetch(image)), /registry is damaged/);
  const host = image.slice(0, image.indexOf('/'));
  const sentence = await refused(
    'DOWNLOAD_FAILED',
    bundles.fetch(`${host}/insight@sha256:${'ab'.repeat(32)}`),
  );
  assert.match(sentence, /answered the manifest sha256:.* the registry is damaged, or lies/);
});

test('manifests of every wrong shape', async (context) => {
  const { image, bundles } = context;
  const good = bundleManifest(layer, {});
  const entry = { digest: `sha256:${layer.sha256}`, size: 3 };
  for (const [manifest, sentence] of [
    [null, /not a JSON object/],
    [[], /not a JSON object/],
    [{}, /schema version null/],
    [{ schemaVersion: 1, fsLayers: [] }, /schema version 1/],
    [{ ...good, layers: [] }, /does not name one layer/],
    [{ ...good, layers: [entry, entry] }, /does not name one layer/],
    [{ ...good, layers: [{ digest: 'sha256:../../x', size: 1 }] }, /does not name one layer/],
    [{ ...good, layers: [{ ...entry, size: -1 }] }, /does not name one layer/],
    [{ ...good, artifactType: 'a/helm', config: {} }, /an image of type a\/helm, not a bundle/],
    [{ schemaVersion: 2, manifests: [] }, /a list of 0 images/],
    [{ schemaVersion: 2, manifests: [entry, entry] }, /a list of 2 images, of which 0/],
  ] as const) {
    context.manifest = say(manifest);
    assert.match(await refused('BUNDLE_INVALID', bundles.fetch(image)), sentence);
  }
  context.manifest = (_, response) => response.end(Buffer.alloc(5_000_000, 0x20));
  assert.match(await refused('DOWNLOAD_FAILED', bundles.fetch(image)), /answered more than/);
});

test('a list with one bundle in it leads there', async (context) => {
  const good = JSON.stringify(bundleManifest(layer, {}));
  const digest = digestOf(Buffer.from(good));
  const type = 'application/vnd.isolet.bundle.v1';
  const other = { digest: `sha256:${'0'.repeat(64)}`, size: 1, artifactType: 'a/other' };
  const list = { schemaVersion: 2, manifests: [other, { digest, size: 1, artifactType: type }] };
  context.manifest = (request, response) =>
    response.end(request.url?.endsWith(digest) ? good : JSON.stringify(list));
  assert.is((await got(context.bundles.fetch(context.image))).version, '1.0');
});

test('one that hangs is left, whatever it was about to say', async (context) => {
  const { image, bundles } = context;
  context.blob = (_, response) => {
    response.writeHead(200, { 'content-length': bytes.byteLength });
    response.write(bytes.subarray(0, 1_000));
  };
  assert.match(await refused('DOWNLOAD_FAILED', bundles.fetch(image)), /sent nothing for 200 ms/);
  context.manifest = () => {};
  assert.match(await refused('DOWNLOAD_FAILED', bundles.fetch(image)), /sent nothing for 200 ms/);
});

test('a bundle that leads out of its folder, and one that swells', async (context) => {
  const { image, bundles } = context;
  for (const [archive, sentence] of [
    [
      gzipSync(writeTar([{ name: '../evil', data: Buffer.from('x') }])),
      /"\.\.\/evil" has an empty/,
    ],
    [gzipSync(Buffer.alloc(80_000_000)), /more than the 67108864 bytes/],
  ] as const) {
    const blob = { sha256: digestOf(archive).slice('sha256:'.length), bytes: archive.byteLength };
    context.manifest = say(bundleManifest(blob, {}));
    context.blob = (_, response) => response.end(archive);
    assert.match(await refused('BUNDLE_INVALID', bundles.fetch(image)), sentence);
    assert.is(await bundles.find(image), undefined);
  }
});

test('a password goes to the registry, not to where it sends us', async (context) => {
  const seen: (string | undefined)[] = [];
  const elsewhere = createServer((request, response) => {
    seen.push(request.headers.authorization);
    response.end(bytes);
  });
  const there = await listen(elsewhere);
  const manifest = context.manifest;
  context.manifest = (request, response) => {
    seen.push(request.headers.authorization);
    if (request.headers.authorization !== undefined) return manifest(request, response);
    response.writeHead(401, { 'www-authenticate': 'Basic realm="a"' }).end();
  };
  context.blob = (request, response) => {
    seen.push(request.headers.authorization);
    response.writeHead(307, { location: `http://${there}/bytes` }).end();
  };
  const host = context.image.slice(0, context.image.indexOf('/'));
  const login = { username: 'me', password: 's3cret' };
  await got(context.bundles.fetch(context.image, new Map([[host, login]])));
  const basic = `Basic ${Buffer.from('me:s3cret').toString('base64')}`;
  assert.equal(seen, [undefined, basic, basic, undefined]);
  elsewhere.closeAllConnections();
  elsewhere.close();
});

test('no password for a token over plain HTTP to another machine', async (context) => {
  context.manifest = (_, response) =>
    response
      .writeHead(401, { 'www-authenticate': 'Bearer realm="http://tokens.invalid/",service="a"' })
      .end();
  const host = context.image.slice(0, context.image.indexOf('/'));
  const login = { username: 'me', password: 's3cret' };
  const sentence = await refused(
    'DOWNLOAD_FAILED',
    context.bundles.fetch(context.image, new Map([[host, login]])),
  );
  assert.match(sentence, /would give the password away: it must be https/);
});

test.run();
