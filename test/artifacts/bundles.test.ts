/** Bundles over a real folder and a real web server that has bad days. */
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { packBundle } from '../../src/artifacts/bundle-archive.ts';
import { type BundlesOptions, createBundles } from '../../src/artifacts/bundles.ts';
import { Fault, type FaultCode } from '../../src/core/fault.ts';
import { TREATY_VERSION } from '../../src/core/guest-protocol.ts';
import type { Bundle, Bundles } from '../../src/core/ports.ts';
import { until, within } from '../fakes/within.ts';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;
type Context = {
  dir: string;
  server: Server;
  handler: Handler;
  requests: IncomingMessage[];
  warnings: string[];
  url: (path: string, digest?: string) => string;
  make: (options?: Partial<BundlesOptions>) => Bundles;
};

/** Not compressible, so that parts of it are worth sending. */
const code = Array.from({ length: 4_000 }, (_, at) => (at * 2_654_435_761).toString(36)).join('\n');
const manifest = { name: 'filter', version: '1.0.0', entry: 'main.js', treaty: TREATY_VERSION };
const { bytes, digest } = packBundle({ manifest, code, sourceMap: '' });
const hex = digest.slice('sha256:'.length);
const half = Math.floor(bytes.byteLength / 2);

const test = suite<Context>('bundles');

test.before.each(async (context) => {
  context.dir = mkdtempSync(join(tmpdir(), 'isolet-bundles-'));
  context.requests = [];
  context.warnings = [];
  context.handler = (_, response) => response.end(bytes);
  context.server = createServer((request, response) => {
    context.requests.push(request);
    context.handler(request, response);
  });
  await new Promise<void>((resolve) => context.server.listen(0, '127.0.0.1', resolve));
  const { port } = context.server.address() as AddressInfo;
  context.url = (path, sha256 = hex) => `http://127.0.0.1:${port}/${path}#sha256=${sha256}`;
  const quiet = (): void => {};
  context.make = (options = {}) =>
    createBundles({
      dir: join(context.dir, 'bundles'),
      log: {
        debug: quiet,
        info: quiet,
        warn: (message) => context.warnings.push(message),
        error: quiet,
      },
      ...options,
    });
});

test.after.each((context) => {
  context.server.closeAllConnections();
  context.server.close();
  rmSync(context.dir, { recursive: true });
});

async function refused(code: FaultCode, promise: Promise<unknown>): Promise<string> {
  try {
    await within(10_000, 'the refusal', promise);
  } catch (cause) {
    assert.instance(cause, Fault, String(cause));
    assert.is((cause as Fault).code, code, String(cause));
    return (cause as Fault).message;
  }
  throw new Error(`expected ${code}`);
}

/** Sends the first bytes, and ends the connection when they have arrived on disk. */
function breakOffAfter({ dir }: Context, first: Uint8Array): Handler {
  const partial = join(dir, 'bundles', 'partial', hex);
  const arrived = (): boolean => existsSync(partial) && statSync(partial).size === first.byteLength;
  return (_, response) => {
    response.writeHead(200, { 'content-length': bytes.byteLength });
    response.write(first);
    void until(10_000, 'the first bytes', arrived).then(() => response.destroy());
  };
}

const got = (promise: Promise<Bundle>): Promise<Bundle> => within(10_000, 'the bundle', promise);

test('fetched once, found from then on, by another process too', async ({
  make,
  url,
  requests,
}) => {
  const bundles = make();
  assert.is(await bundles.find(url('a.tgz')), undefined);
  const [first, second] = await Promise.all([
    got(bundles.fetch(url('a.tgz'))),
    got(bundles.fetch(url('b.tgz'))),
  ]);
  assert.is(first.code, code);
  assert.is(second.digest, digest);
  assert.is(requests.length, 1, 'one digest, one download');
  assert.is((await make().find(url('anywhere.tgz')))?.code, code);
  assert.is(requests[0]?.headers['accept-encoding'], 'identity');
});

test('a file of the device is copied, and its original may go', async ({ dir, make }) => {
  const path = join(dir, 'a.tgz');
  const image = `file://${path}#sha256=${hex}`;
  const missing = await refused('DOWNLOAD_FAILED', make().fetch(image));
  assert.match(missing, /no such file/);
  writeFileSync(path, bytes);
  assert.is((await make().fetch(image)).code, code);
  rmSync(path);
  assert.is((await make().find(image))?.code, code);
  const relative = make({ baseDir: dir });
  assert.is((await relative.find(`file:a.tgz#sha256=${hex}`))?.code, code);
});

test('a damaged bundle is set aside and can be fetched again', async (context) => {
  const { dir, make, url, warnings } = context;
  await got(make().fetch(url('a.tgz')));
  const kept = join(dir, 'bundles', 'sha256', hex);
  writeFileSync(kept, readFileSync(kept).subarray(0, half));
  assert.is(await make().find(url('a.tgz')), undefined);
  assert.equal(warnings, ['bundle was damaged on disk and is set aside']);
  assert.ok(existsSync(join(dir, 'bundles', 'damaged', hex)));
  assert.is((await got(make().fetch(url('a.tgz')))).code, code);
});

test('an interrupted download goes on where it stopped, in a new process too', async (context) => {
  context.handler = breakOffAfter(context, bytes.subarray(0, half));
  const message = await refused(
    'DOWNLOAD_FAILED',
    context.make().fetch(context.url('a.tgz?sig=s3cret')),
  );
  assert.match(message, /the download from http:\/\/127\.0\.0\.1:\d+\/a\.tgz broke off/);
  assert.not.match(message, /s3cret/);
  context.handler = (request, response) => {
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1]);
    const range = `bytes ${from}-${bytes.byteLength - 1}/${bytes.byteLength}`;
    response.writeHead(206, { 'content-range': range }).end(bytes.subarray(from));
  };
  assert.is((await got(context.make().fetch(context.url('a.tgz')))).code, code);
  assert.is(context.requests[1]?.headers.range, `bytes=${half}-`);
  assert.equal(readdirSync(join(context.dir, 'bundles', 'partial')), []);
});

test('a server that cannot resume sends everything again', async (context) => {
  context.handler = breakOffAfter(context, bytes.subarray(0, half));
  await refused('DOWNLOAD_FAILED', context.make().fetch(context.url('a.tgz')));
  context.handler = (_, response) => response.end(bytes);
  assert.is((await got(context.make().fetch(context.url('a.tgz')))).code, code);
});

test('a part that no longer fits is thrown away, in the same fetch', async (context) => {
  context.handler = breakOffAfter(context, Buffer.alloc(half, 'x'));
  await refused('DOWNLOAD_FAILED', context.make().fetch(context.url('a.tgz')));
  context.handler = (request, response) => {
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    const range = `bytes ${from}-${bytes.byteLength - 1}/${bytes.byteLength}`;
    if (from > 0) response.writeHead(206, { 'content-range': range });
    response.end(bytes.subarray(from));
  };
  assert.is((await got(context.make().fetch(context.url('a.tgz')))).code, code);
  assert.is(context.requests.length, 3);
});

test('a range the server refuses is asked for from the start', async (context) => {
  context.handler = breakOffAfter(context, bytes.subarray(0, half));
  await refused('DOWNLOAD_FAILED', context.make().fetch(context.url('a.tgz')));
  context.handler = (request, response) => {
    if (request.headers.range === undefined) response.end(bytes);
    else response.writeHead(416).end();
  };
  assert.is((await got(context.make().fetch(context.url('a.tgz')))).code, code);
});

test('the wrong content is the operator’s fault, and is not kept', async (context) => {
  const other = 'cd'.repeat(32);
  const message = await refused(
    'BUNDLE_INVALID',
    context.make().fetch(context.url('a.tgz', other)),
  );
  assert.match(message, new RegExp(`is ${digest}, not sha256:${other}`));
  assert.equal(readdirSync(join(context.dir, 'bundles', 'partial')), []);
});

test('an end that may be early is tried again', async (context) => {
  context.handler = (request) => {
    request.socket.end(`HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nhalf`);
  };
  const message = await refused('DOWNLOAD_FAILED', context.make().fetch(context.url('a.tgz')));
  assert.match(message, /may have been cut short/);
});

test('what is no bundle is refused, also when its digest is right', async (context) => {
  const path = join(context.dir, 'a.tgz');
  writeFileSync(path, 'hello');
  const sha256 = '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824';
  const image = `file://${path}#sha256=${sha256}`;
  assert.match(await refused('BUNDLE_INVALID', context.make().fetch(image)), /not a gzip file/);
  assert.is(await context.make().find(image), undefined);
});

test('a silent server and a slow one are given up', async (context) => {
  context.handler = () => {};
  const silent = context.make({ stallTimeoutMs: 50 }).fetch(context.url('a.tgz'));
  assert.match(await refused('DOWNLOAD_FAILED', silent), /sent nothing for 50 ms/);
  context.handler = (_, response) => {
    response.write(bytes.subarray(0, 10));
    const drip = setInterval(() => response.write('x'), 10);
    response.on('close', () => clearInterval(drip));
  };
  const slow = context.make({ fetchTimeoutMs: 100 }).fetch(context.url('a.tgz'));
  assert.match(await refused('DOWNLOAD_FAILED', slow), /was not complete after 100 ms/);
});

test('redirects are followed, five of them', async (context) => {
  context.handler = (request, response) => {
    if (request.url === '/a.tgz') response.writeHead(302, { location: '/b.tgz' }).end();
    else response.end(bytes);
  };
  assert.is((await got(context.make().fetch(context.url('a.tgz')))).code, code);
  const other = 'cd'.repeat(32);
  context.handler = (_, response) => response.writeHead(302, { location: '/loop' }).end();
  const loop = await refused('DOWNLOAD_FAILED', context.make().fetch(context.url('loop', other)));
  assert.match(loop, /redirects more than 5 times/);
  context.handler = (_, response) =>
    response.writeHead(302, { location: 'file:///etc/passwd' }).end();
  const astray = await refused('DOWNLOAD_FAILED', context.make().fetch(context.url('x', other)));
  assert.match(astray, /names no web address/);
});

test('too large is refused before and while it arrives', async (context) => {
  const bundles = context.make({ bytesMax: 1_000 });
  context.handler = (_, response) =>
    response.writeHead(200, { 'content-length': 1_001 }).end(bytes.subarray(0, 1_001));
  assert.match(
    await refused('BUNDLE_INVALID', bundles.fetch(context.url('a.tgz'))),
    /larger than the 1000 bytes/,
  );
  context.handler = (_, response) => response.end(bytes);
  assert.match(
    await refused('BUNDLE_INVALID', bundles.fetch(context.url('a.tgz'))),
    /larger than the 1000 bytes/,
  );
});

test('an unpublished bundle and an absent server are the world’s fault', async (context) => {
  context.handler = (_, response) => response.writeHead(404).end();
  assert.match(
    await refused('DOWNLOAD_FAILED', context.make().fetch(context.url('a.tgz'))),
    /answered 404 Not Found/,
  );
  const image = context.url('a.tgz');
  context.server.closeAllConnections();
  await new Promise((resolve) => context.server.close(resolve));
  assert.match(await refused('DOWNLOAD_FAILED', context.make().fetch(image)), /ECONNREFUSED/);
});

test('a full disk says so', (context) => {
  // A disk of 8 KB, in a mount namespace of its own.
  const rooms = new URL('../../src/', import.meta.url).href;
  const path = join(context.dir, 'a.tgz');
  writeFileSync(path, bytes);
  const script = `
    import { createBundles } from '${rooms}artifacts/bundles.ts';
    const quiet = () => {};
    const log = { debug: quiet, info: quiet, warn: quiet, error: quiet };
    const bundles = createBundles({ dir: '${context.dir}/small/bundles', log });
    await bundles.fetch('file://${path}#sha256=${hex}').catch((fault) => console.log(fault.code));`;
  const command = 'mount -t tmpfs -o size=8k tmpfs "$1" && exec "$2" --input-type=module -e "$3"';
  mkdirSync(join(context.dir, 'small'));
  const args = [
    '-Urm',
    'sh',
    '-c',
    command,
    'sh',
    join(context.dir, 'small'),
    process.execPath,
    script,
  ];
  const { status, stdout } = spawnSync('unshare', args, { encoding: 'utf8', timeout: 20_000 });
  if (status !== 0) console.log('a full disk: skipped: needs unshare and tmpfs');
  else assert.is(stdout, 'DISK_FULL\n');
});

test('references of other kinds are refused by find and by fetch', async ({ make }) => {
  await refused('IMAGE_INVALID', make().find('registry.example/Filter:1'));
  await refused('IMAGE_INVALID', make().fetch('https://host/a.tgz'));
});

test('collect drops what nobody names', async ({ dir, make, url }) => {
  const bundles = make();
  await bundles.collect([]);
  await got(bundles.fetch(url('a.tgz')));
  await bundles.collect([url('elsewhere.tgz'), 'registry.example/other:1']);
  assert.ok(await bundles.find(url('a.tgz')));
  await bundles.collect(['registry.example/other:1']);
  assert.is(await bundles.find(url('a.tgz')), undefined);
  assert.equal(readdirSync(join(dir, 'bundles', 'sha256')), []);
});

test.run();
