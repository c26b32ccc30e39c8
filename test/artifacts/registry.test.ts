/** Bundles pushed to and pulled from a real docker-registry, with its bad days. */
import { spawnSync } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type BundlesOptions, createBundles } from '../../src/artifacts/bundles.ts';
import { TREATY_VERSION } from '../../src/core/guest-protocol.ts';
import type { Bundles } from '../../src/core/ports.ts';
import type { RegistryCredentials, RegistryLogin } from '../../src/core/registry-credentials.ts';
import {
  type DockerRegistry,
  haveRegistry,
  startDockerRegistry,
} from '../fakes/docker-registry.ts';
import { createFakeLog } from '../fakes/log.ts';
import { got, make, push, refused } from '../fakes/pushed-bundles.ts';
import { startTokenServer } from '../fakes/token-server.ts';
import { until } from '../fakes/within.ts';

type Context = {
  dir: string;
  registry: DockerRegistry;
  log: ReturnType<typeof createFakeLog>;
  bundles: (options?: Partial<BundlesOptions>) => Bundles;
};

const asked = new WeakMap<Server, string[]>();

/** Passes bytes on to a registry; one connection breaks off after so many bytes, when they have `arrived`. */
async function startCutter(
  host: string,
  cutAfter: number,
  arrived: () => boolean,
): Promise<Server> {
  const port = Number(host.split(':')[1]);
  let left = 1;
  const server = createServer((near: Socket) => {
    const far = connect(port, '127.0.0.1');
    let passed = 0;
    far.on('data', (chunk: Buffer) => {
      passed += chunk.length;
      if (passed > cutAfter && left > 0) {
        left -= 1;
        far.removeAllListeners('data').removeAllListeners('end').resume();
        near.write(chunk.subarray(0, Math.max(0, chunk.length - (passed - cutAfter))));
        void until(10_000, 'the first half', arrived).then(() => near.destroy());
        return;
      }
      near.write(chunk);
    });
    near.on('data', (chunk) => {
      asked.get(server)?.push(String(chunk));
      far.write(chunk);
    });
    near.on('error', () => {}).on('close', () => far.destroy());
    far.on('error', () => {});
    far.on('end', () => near.end());
  });
  asked.set(server, []);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

const test = suite<Context>('bundles of a docker-registry');

if (haveRegistry('htpasswd')) {
  test.before(async (context) => {
    context.registry = await startDockerRegistry();
  });
  test.after(async ({ registry }) => registry.stop());
  test.before.each((context) => {
    context.dir = mkdtempSync(join(tmpdir(), 'isolet-pull-'));
    context.log = createFakeLog();
    context.bundles = (options = {}) =>
      createBundles({ dir: join(context.dir, 'bundles'), log: context.log, ...options });
  });
  test.after.each(({ dir }) => rmSync(dir, { recursive: true }));

  test('what is pushed is pulled, by tag and by digest', async ({ registry, bundles }) => {
    const image = `${registry.host}/line/insight:1.0`;
    const digest = await push(image, make('1.0'));
    const device = bundles();
    assert.is(await device.find(image), undefined);
    assert.is((await got(device.fetch(image))).version, '1.0');
    assert.is((await device.find(image))?.version, '1.0');
    const byDigest = `${registry.host}/line/insight@${digest}`;
    assert.is((await got(device.fetch(byDigest))).version, '1.0');
    assert.is(await push(image, make('1.0')), digest, 'the same bundle, the same manifest');
  });

  test('a tag that moves does not move the device, with or without a network', async (context) => {
    const { registry, bundles } = context;
    const image = `${registry.host}/moves:1`;
    await push(image, make('1.0'));
    await got(bundles().fetch(image));
    await push(image, make('2.0'));
    assert.is((await bundles().find(image))?.version, '1.0');
    // The card lost a byte: the same bundle comes again, not what the tag says now.
    for (const file of globSync(join(context.dir, 'bundles/sha256/*'))) damage(file);
    assert.is(await bundles().find(image), undefined);
    assert.is((await got(bundles().fetch(image))).version, '1.0');
    // Out of the deployment and in again is a new image.
    await bundles().collect([`${registry.host}/other`]);
    assert.is(await bundles().find(image), undefined);
    assert.is((await got(bundles().fetch(image))).version, '2.0');
    await bundles().collect([image]);
    assert.is((await bundles().find(image))?.version, '2.0');
  });

  test('a missing tag or image is said, and may come later', async ({ registry, bundles }) => {
    const image = `${registry.host}/later:1.0`;
    assert.match(await refused('DOWNLOAD_FAILED', bundles().fetch(image)), /not in its registry/);
    await push(`${registry.host}/later:0.9`, make('0.9'));
    assert.match(await refused('DOWNLOAD_FAILED', bundles().fetch(image)), /not in its registry/);
    await push(image, make('1.0'));
    assert.is((await got(bundles().fetch(image))).version, '1.0');
  });

  test('a flipped byte in the registry never runs', async ({ registry, bundles }) => {
    const image = `${registry.host}/flipped:1`;
    const bytes = make('flipped');
    await push(image, bytes);
    const blob = globSync(join(registry.storage, '**/blobs/sha256/*/*/data')).find((file) =>
      readFileSync(file).equals(bytes),
    );
    damage(blob as string);
    const sentence = await refused('DOWNLOAD_FAILED', bundles().fetch(image));
    assert.match(sentence, /the registry is damaged, push the bundle again/);
    assert.is(await bundles().find(image), undefined);
    writeFileSync(blob as string, bytes);
    assert.is((await got(bundles().fetch(image))).version, 'flipped');
  });

  test('a connection cut at half goes on where it was', async ({ dir, registry, bundles }) => {
    const bytes = make('cut');
    const half = Math.floor(bytes.byteLength / 2);
    await push(`${registry.host}/cut:1`, bytes);
    const cutter = await startCutter(registry.host, half, () =>
      globSync(join(dir, 'bundles/partial/*')).some((file) => statSync(file).size > 0),
    );
    const image = `127.0.0.1:${(cutter.address() as AddressInfo).port}/cut:1`;
    await refused('DOWNLOAD_FAILED', bundles().fetch(image));
    const [partial = ''] = globSync(join(dir, 'bundles/partial/*'));
    const arrived = statSync(partial).size;
    assert.ok(arrived > 0 && arrived < bytes.byteLength, `${arrived} of ${bytes.byteLength}`);
    await got(bundles().fetch(image));
    assert.is((await bundles().find(image))?.version, 'cut');
    const sent = asked.get(cutter) ?? [];
    assert.match(sent.at(-1) ?? '', new RegExp(`range: bytes=${arrived}-`), sent.join('\n'));
    cutter.close();
  });

  test('an image of a container, a bundle of tomorrow', async ({ registry, bundles }) => {
    const { host } = registry;
    await pushContainer(host, 'container', '1');
    assert.match(
      await refused('BUNDLE_INVALID', bundles().fetch(`${host}/container:1`)),
      /is an image of a container, not a bundle: build the module with "isolet build"/,
    );
    await push(`${host}/tomorrow:1`, make('1', TREATY_VERSION + 1));
    assert.match(await refused('BUNDLE_INVALID', bundles().fetch(`${host}/tomorrow:1`)), /treaty/);
    assert.is(await bundles().find(`${host}/tomorrow:1`), undefined);
  });

  test('a registry that knows its users', async ({ bundles, log }) => {
    const { stdout } = spawnSync('htpasswd', ['-nbB', 'board', 's3cret'], { encoding: 'utf8' });
    const locked = await startDockerRegistry('  htpasswd: { realm: line, path: DIR/htpasswd }', {
      htpasswd: stdout,
    });
    const image = `${locked.host}/insight:1`;
    const login = { username: 'board', password: 's3cret' };
    const as = (one: RegistryLogin): RegistryCredentials => new Map([[locked.host, one]]);
    assert.match(
      await refused('DOWNLOAD_FAILED', push(image, make('1'))),
      /wants to know who pushes/,
    );
    await push(image, make('1'), login);
    assert.match(
      await refused('DOWNLOAD_FAILED', bundles().fetch(image)),
      /gives .* to nobody it does not know/,
    );
    const wrong = await refused(
      'DOWNLOAD_FAILED',
      bundles().fetch(image, as({ ...login, password: 'wr0ng' })),
    );
    assert.match(wrong, /refused the user "board"/);
    assert.not.match(wrong, /wr0ng/);
    assert.is((await got(bundles().fetch(image, as(login)))).version, '1');
    assert.not.match(JSON.stringify(log.entries), /s3cret|wr0ng/);
    await locked.stop();
  });

  test('a registry whose tokens another server sells', async ({ bundles, log }) => {
    const tokens = await startTokenServer({ username: 'board', password: 's3cret' });
    const locked = await startDockerRegistry(
      `  token: { realm: "${tokens.realm}", service: line, issuer: us, rootcertbundle: DIR/root.pem }`,
      { 'root.pem': tokens.certificate },
    );
    const image = `${locked.host}/insight:1`;
    const login = { username: 'board', password: 's3cret' };
    const as = (one: RegistryLogin): RegistryCredentials => new Map([[locked.host, one]]);
    await push(image, make('1'), login);
    assert.match(await refused('DOWNLOAD_FAILED', bundles().fetch(image)), /to nobody it does not/);
    assert.match(
      await refused('DOWNLOAD_FAILED', bundles().fetch(image, as({ ...login, password: 'no' }))),
      /refused the user "board"/,
    );
    assert.is((await got(bundles().fetch(image, as(login)))).version, '1');
    assert.not.match(JSON.stringify(log.entries), /s3cret|eyJ/);
    await locked.stop();
    await tokens.stop();
  });
}

function damage(file: string): void {
  const bytes = readFileSync(file);
  bytes[100] = (bytes[100] as number) ^ 1;
  writeFileSync(file, bytes);
}

/** As a container's builder would: a manifest of docker's with a config of docker's. */
async function pushContainer(host: string, repository: string, tag: string): Promise<void> {
  const empty = 'sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a';
  await push(`${host}/${repository}:bundle`, make('1')); // brings the config's blob
  const type = 'application/vnd.docker.distribution.manifest.v2+json';
  const body = JSON.stringify({
    schemaVersion: 2,
    mediaType: type,
    config: {
      mediaType: 'application/vnd.docker.container.image.v1+json',
      digest: empty,
      size: 2,
    },
    layers: [],
  });
  const { ok, status } = await fetch(`http://${host}/v2/${repository}/manifests/${tag}`, {
    method: 'PUT',
    headers: { 'content-type': type },
    body,
  });
  assert.ok(ok, String(status));
}

test.run();
