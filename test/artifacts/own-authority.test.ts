/** Bundles from web servers and registries whose certificates come from an authority of the device's config. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createPlainServer } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { digestOf } from '../../src/artifacts/bundle-archive.ts';
import { createBundles } from '../../src/artifacts/bundles.ts';
import { bundleManifest } from '../../src/core/bundle-artifact.ts';
import type { Bundles } from '../../src/core/ports.ts';
import { ensureCertificate } from '../../src/emulator/certificate.ts';
import { systemClock } from '../../src/lib/system-clock.ts';
import { createFakeLog } from '../fakes/log.ts';
import { got, make, refused } from '../fakes/pushed-bundles.ts';

type Context = { dir: string; ca: string; server: Server; port: number; asked: string[] };

const bytes = make('1.0');
const sha256 = digestOf(bytes).slice('sha256:'.length);
const test = suite<Context>('bundles under an authority of our own');

test.before(async (context) => {
  context.dir = mkdtempSync(join(tmpdir(), 'isolet-authority-'));
  context.asked = [];
  const made = await ensureCertificate(context.dir, ['localhost'], systemClock, createFakeLog());
  context.ca = readFileSync(made.caFile, 'utf8');
  context.server = createServer(
    { cert: made.certificatePem, key: made.keyPem },
    (request, response) => {
      const path = request.url ?? '';
      context.asked.push(path);
      response.end(path.startsWith('/token') ? '{"token":"t0ken"}' : bytes);
    },
  );
  context.server.on('tlsClientError', () => {}); // whoever does not trust us hangs up
  await new Promise<void>((resolve) => context.server.listen(0, '127.0.0.1', resolve));
  context.port = (context.server.address() as AddressInfo).port;
});

test.before.each(({ asked }) => {
  asked.length = 0;
});

test.after(({ dir, server }) => {
  server.closeAllConnections();
  server.close();
  rmSync(dir, { recursive: true });
});

function device(dir: string, ca?: string): Bundles {
  const own = mkdtempSync(join(dir, 'device-'));
  return createBundles({ dir: own, log: createFakeLog(), ...(ca && { ca }) });
}

test('a web server is trusted with the authority, and refused without', async (context) => {
  const { dir, ca, port, asked } = context;
  const image = `https://localhost:${port}/insight.tgz#sha256=${sha256}`;
  const sentence = await refused('DOWNLOAD_FAILED', device(dir).fetch(image));
  assert.match(sentence, /localhost:\d+\/insight\.tgz broke off: .*certificate/);
  assert.equal(asked, [], 'not a word was said to it');
  assert.is((await got(device(dir, ca).fetch(image))).version, '1.0');
});

test('the authority is no pass: its certificate is for one name', async ({ dir, ca, port }) => {
  const image = `https://127.0.0.1:${port}/insight.tgz#sha256=${sha256}`;
  assert.match(await refused('DOWNLOAD_FAILED', device(dir, ca).fetch(image)), /does not match/);
});

test('a registry’s tokens, and blobs it keeps elsewhere, come from there as well', async (context) => {
  const { dir, ca, port, asked } = context;
  const manifest = JSON.stringify(bundleManifest({ sha256, bytes: bytes.byteLength }, {}));
  const registry = createPlainServer((request, response) => {
    if (request.headers.authorization !== 'Bearer t0ken') {
      const challenge = `Bearer realm="https://localhost:${port}/token",service="us"`;
      response.writeHead(401, { 'www-authenticate': challenge }).end();
    } else if (request.url?.includes('/manifests/')) response.end(manifest);
    else response.writeHead(307, { location: `https://localhost:${port}/blob` }).end();
  });
  await new Promise<void>((resolve) => registry.listen(0, '127.0.0.1', resolve));
  try {
    const image = `127.0.0.1:${(registry.address() as AddressInfo).port}/line/insight:1.0`;
    await refused('DOWNLOAD_FAILED', device(dir).fetch(image));
    assert.equal(asked, []);
    assert.is((await got(device(dir, ca).fetch(image))).version, '1.0');
    assert.ok(asked[0]?.startsWith('/token'), asked.join());
    assert.is(asked.at(-1), '/blob');
  } finally {
    registry.closeAllConnections();
    registry.close();
  }
});

test.run();
