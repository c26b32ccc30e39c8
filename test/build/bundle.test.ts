/** The bundler: reproducible, in terms of a module's world, and helpful when it cannot. */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { askedText, templateModules } from '../../build/asked-text.ts';
import { BundleError, bundleModule } from '../../build/bundle.ts';
import { fillTemplate } from '../../build/deployment-template.ts';
import { unpackBundle } from '../../src/artifacts/bundle-archive.ts';
import { parseImageReference } from '../../src/artifacts/image-reference.ts';
import { TREATY_VERSION } from '../../src/core/guest-protocol.ts';
import type { Bundle } from '../../src/core/ports.ts';

const root = join(import.meta.dirname, '..', '..');
const test = suite<{ dir: string; outDir: string }>('bundle');

test.before.each((context) => {
  context.dir = mkdtempSync(join(tmpdir(), 'isolet-bundle-'));
  context.outDir = join(context.dir, 'out');
});
test.after.each(({ dir }) => rmSync(dir, { recursive: true }));

function write(folder: string, files: Readonly<Record<string, string>>): string {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

const packageJson = (more: object = {}): string =>
  JSON.stringify({ name: 'try', version: '1.0.0', ...more });

async function bundled(folder: string, outDir: string): Promise<Bundle> {
  const { file } = await bundleModule(folder, { outDir });
  return unpackBundle(readFileSync(file));
}

async function refusal(folder: string, outDir: string): Promise<string> {
  try {
    await bundleModule(folder, { outDir });
  } catch (cause) {
    assert.instance(cause, BundleError, String(cause));
    return (cause as BundleError).message;
  }
  throw new Error('expected a refusal');
}

test('what comes out is a bundle, named by an image reference', async ({ outDir }) => {
  const folder = join(root, 'modules', 'temperature-filter');
  const { name, version, file, digest, image, bytes } = await bundleModule(folder, { outDir });
  const archive = readFileSync(file);
  assert.is(archive.byteLength, bytes);
  const bundle = await unpackBundle(archive);
  assert.equal(
    [bundle.name, bundle.version, bundle.treaty, bundle.digest],
    [name, version, TREATY_VERSION, digest],
  );
  const reference = parseImageReference(image);
  assert.equal(reference.kind === 'file' && [reference.path, `sha256:${reference.sha256}`], [
    file,
    digest,
  ]);
  assert.not.match(bundle.code, /^\s*import[\s{]/m, 'nothing is left to import');
  assert.is(Buffer.byteLength(bundle.code), bundle.code.length, 'pure ASCII');
});

test('the same source gives the same bundle, wherever it lies', async ({ dir, outDir }) => {
  const folder = join(root, 'modules', 'system-monitor');
  const copy = join(dir, 'somewhere', 'else');
  cpSync(folder, copy, { recursive: true });
  symlinkSync(copy, join(dir, 'link'));
  const here = await bundleModule(folder, { outDir });
  const there = await bundleModule(copy, { outDir: join(dir, 'out2') });
  const linked = await bundleModule(join(dir, 'link'), { outDir: join(dir, 'out3') });
  assert.is(there.digest, here.digest);
  assert.is(linked.digest, here.digest);
  const { code, sourceMap } = await unpackBundle(readFileSync(here.file));
  for (const text of [code, sourceMap]) {
    assert.not.ok(text.includes(root), 'no path of this machine');
  }
  const { sources } = JSON.parse(sourceMap) as { sources: readonly string[] };
  assert.ok(sources.includes('src/main.ts'));
  assert.ok(
    sources.every((source) => /^(isolet:)?src\//.test(source)),
    sources.join(),
  );
});

test('nor does it matter who builds it, when, where, and in which order the files came', ({
  dir,
}) => {
  const folder = join(root, 'modules', 'system-monitor');
  const build = (name: string, umask: string, env: NodeJS.ProcessEnv): string => {
    const out = join(dir, name);
    const command = `umask ${umask}; exec "$0" build/bundle.ts "$1" --out "$2" --json`;
    const { stdout, stderr } = spawnSync(
      'sh',
      ['-c', command, process.execPath, name === 'copy' ? copy : folder, out],
      { cwd: root, env, encoding: 'utf8' },
    );
    assert.match(stdout, /^\{/, stderr);
    return (JSON.parse(stdout) as { digest: string }).digest;
  };
  const copy = join(dir, 'copied');
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => relative(folder, join(parentPath, name)));
  for (const file of files.reverse()) {
    mkdirSync(dirname(join(copy, file)), { recursive: true, mode: 0o700 });
    copyFileSync(join(folder, file), join(copy, file));
    utimesSync(join(copy, file), 1, 86_400 * files.indexOf(file));
    chmodSync(join(copy, file), 0o700);
  }
  const { PATH } = process.env;
  const here = build('here', '022', { PATH, TZ: 'UTC', LANG: 'C', HOME: dir, USER: 'one' });
  const elsewhere = { PATH, TZ: 'Pacific/Kiritimati', LANG: 'tr_TR.UTF-8', LC_ALL: 'tr_TR.UTF-8' };
  assert.is(build('again', '077', { ...elsewhere, HOME: '/', USER: 'two' }), here);
  assert.is(build('copy', '000', { ...elsewhere, SOURCE_DATE_EPOCH: '1' }), here);
});

test('CommonJS, packages and their own imports all mean the guest’s', async ({ dir, outDir }) => {
  const folder = write(join(dir, 'module'), {
    'package.json': packageJson({ name: '@acme/try', main: 'app.js' }),
    'app.js': `
      const { ModuleClient } = require('azure-iot-device');
      const Transport = require('azure-iot-device-mqtt').Mqtt;
      class Pump extends require('events') {}
      const { hostname } = require('old-package');
      const path = require('new-package');
      let fs; try { fs = require('fs'); } catch { fs = 'none'; }
      console.log(typeof ModuleClient, typeof Transport, new Pump(), hostname, path, fs);`,
    'node_modules/old-package/package.json': '{"name":"old-package","main":"lib"}',
    'node_modules/old-package/lib/index.js': `exports.hostname = require('os').hostname;`,
    'node_modules/new-package/package.json':
      '{"name":"new-package","type":"module","exports":{"node":"./node.js","default":"./plain.js"}}',
    'node_modules/new-package/node.js': `import 'node:net';`,
    'node_modules/new-package/plain.js': `export { join } from 'node:path';`,
  });
  const { code, name } = await bundled(folder, outDir);
  assert.is(name, 'try');
  assert.match(code, /isolet:src\/guest\/sdk\/module-client\.ts/);
  assert.match(code, /isolet:src\/guest\/node\/os\.ts/);
  assert.match(code, /isolet:src\/guest\/node\/path\.ts/);
  assert.match(code, /isolet:src\/guest\/node\/events\.cts/);
  assert.not.match(code, /node:net/);
});

test('an import that leads nowhere is told with its place and the alternatives', async (context) => {
  const folder = write(join(context.dir, 'module'), {
    'package.json': packageJson(),
    'main.js': `import fs from 'node:fs';\nimport net from 'net';\nimport 'leftpad';\nimport './gone.js';\n`,
  });
  const message = await refusal(folder, context.outDir);
  assert.match(message, /Node's "node:fs" does not exist in a module/);
  assert.match(message, new RegExp(`${folder}/main\\.js:1:15`));
  assert.match(message, /Node's "net" does not exist in a module/);
  assert.match(
    message,
    /Node's own modules assert, .* events, fs\/promises, .* and azure-iot-common/,
  );
  assert.match(message, /The package "leftpad" is not installed/);
  assert.match(message, /Could not resolve "\.\/gone\.js"/);
  assert.not.ok(existsSync(context.outDir));
});

test('a folder that is no module is told what it lacks, all at once', async ({ dir, outDir }) => {
  assert.match(await refusal(dir, outDir), /is no module: it has no package\.json/);
  const wrong = write(join(dir, 'wrong'), { 'package.json': '{"name":"a b","main":"gone.js"}' });
  const message = await refusal(wrong, outDir);
  assert.match(message, /"name" must have/);
  assert.match(message, /"version" must be/);
  assert.match(message, /there is no gone\.js here/);
  const broken = write(join(dir, 'broken'), { 'package.json': '{' });
  assert.match(await refusal(broken, outDir), /package\.json: it is not JSON/);
  const away = write(join(dir, 'away'), {
    'package.json': packageJson({ version: '../../1', main: 'a.js' }),
    'a.js': '',
  });
  assert.match(await refusal(away, outDir), /"version" must be/);
});

test('placeholders become images, unknown ones are told', () => {
  const images = new Map([['filter', 'file:///a.tgz#sha256=ab']]);
  const problems: string[] = [];
  const template = '{"a":"${MODULES.filter}","b":"${MODULES.filter.arm64v8}","c":"${OTHER}"}';
  assert.equal(JSON.parse(fillTemplate(template, images, problems)), {
    a: 'file:///a.tgz#sha256=ab',
    b: 'file:///a.tgz#sha256=ab',
    c: '${OTHER}',
  });
  assert.equal(problems, []);
  fillTemplate('{"a":"${MODULES.fliter}"', images, problems);
  assert.match(problems[0] as string, /\$\{MODULES\.fliter\} names no module.*there are filter/);
  assert.match(problems[1] as string, /it is not JSON/);
});

test('as a command', ({ dir, outDir }) => {
  const run = (cwd: string, ...args: string[]) =>
    spawnSync(process.execPath, [join(root, 'build', 'bundle.ts'), ...args], {
      cwd,
      encoding: 'utf8',
      timeout: 30_000,
    });
  const all = run(root, '--json', '--out', outDir);
  assert.is(all.status, 0, all.stderr);
  const modules = all.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.equal(
    modules.map(({ name }) => name),
    ['simulated-temperature-sensor', 'system-monitor', 'temperature-filter'],
  );
  const deployment = readFileSync(join(dir, 'deployment.json'), 'utf8');
  for (const { image } of modules) assert.ok(deployment.includes(image));
  assert.not.match(deployment, /\$\{/);

  const failed = run(dir, dir);
  assert.is(failed.status, 1);
  assert.match(failed.stderr, /^\S+ is no module: .*\n$/);
  assert.is(run(dir).status, 1);
  assert.is(run(dir, '--nonsense').status, 1);
  assert.match(run(dir, '--help').stdout, /^Bundles edge modules\./);
});

test('what a module asks for is kept in its bundle, and nonsense in it is refused at once', async ({
  dir,
  outDir,
}) => {
  const asking = (capabilities: unknown): string =>
    write(dir, {
      'package.json': packageJson({ isolet: { capabilities } }),
      'main.js': 'console.log(1);',
    });
  const good = {
    files: ['/data:ro'],
    devices: ['i2c'],
    network: ['API.example.com:443'],
    ports: [8080],
    memoryMb: 64,
  };
  assert.equal((await bundled(asking(good), outDir)).asked, {
    files: [{ path: '/data', writable: false }],
    devices: ['i2c'],
    network: [{ host: 'api.example.com', firstPort: 443, lastPort: 443 }],
    ports: [8080],
    memoryMb: 64,
  });
  assert.is(
    (await bundled(write(dir, { 'package.json': packageJson() }), outDir)).asked,
    undefined,
  );
  const bad = {
    file: ['/data'],
    files: ['data'],
    devices: ['/etc/passwd'],
    network: ['https://api.example.com', 'api.example.com'],
    ports: ['8080'],
    memoryMb: 1,
  };
  const told = await refusal(asking(bad), outDir);
  for (const sentence of [
    'isolet.capabilities.file is not known: did you mean files?',
    'isolet.capabilities.files[0] must be',
    'isolet.capabilities.devices[0] must be',
    'isolet.capabilities.network[0]: "https://api.example.com" is a URL',
    'isolet.capabilities.network[1]: "api.example.com" needs a port',
    'isolet.capabilities.ports must be an array',
    'isolet.capabilities.memoryMb must be',
  ]) {
    assert.match(told, sentence);
  }
  assert.match(await refusal(asking('all'), outDir), 'isolet.capabilities must be an object');
  const misspelt = write(dir, { 'package.json': packageJson({ isolet: { capability: {} } }) });
  assert.match(await refusal(misspelt, outDir), 'isolet.capability is not known');
});

test('the build shows what a bundle asks for beside what the template grants', ({ dir }) => {
  const createOptions = {
    HostConfig: { Binds: ['/srv/site:/data'] },
    Labels: { 'isolet.network': 'a.example.com:443, b.example.com:443' },
  };
  const module = {
    type: 'docker',
    status: 'running',
    settings: { image: '${MODULES.try.arm64v8}', createOptions: JSON.stringify(createOptions) },
  };
  const agent = {
    schemaVersion: '1.1',
    runtime: { type: 'docker' },
    systemModules: {},
    modules: { reader: module },
  };
  const template = templateModules(
    JSON.stringify({ modulesContent: { $edgeAgent: { 'properties.desired': agent } } }),
  );
  const asks = { files: ['/data:ro'], network: ['*.example.com:443'], ports: [80] };
  assert.is(
    askedText('try', asks, template),
    [
      '  capability  bundle asks        createOptions of reader grant',
      '  files       /data:ro           /srv/site:/data',
      '  network     *.example.com:443  a.example.com:443',
      '                                 b.example.com:443',
      '  ports       80                 -',
      '',
    ].join('\n'),
  );
  assert.is(
    askedText('try', { ports: [80] }, undefined),
    '  capability  bundle asks\n  ports       80\n',
  );
  assert.is(askedText('try', {}, template), '');
  assert.is(askedText('try', undefined, template), '');
  assert.is(templateModules('{').length, 0);
  const folder = write(dir, {
    'package.json': packageJson({ isolet: { capabilities: asks } }),
    'main.js': 'console.log(1);',
  });
  const { stdout } = spawnSync(
    process.execPath,
    [join(root, 'build/bundle.ts'), folder, '--out', join(dir, 'out')],
    { encoding: 'utf8' },
  );
  assert.match(stdout, /files +\/data:ro/);
});

test("of 'isolet' a bundle holds what its module names", async ({ dir, outDir }) => {
  const marks = {
    kv: /transaction/i,
    schedule: /CronPattern/,
    openGpio: /"line"/,
    metrics: /_bucket|buckets/,
  };
  const names = Object.keys(marks) as (keyof typeof marks)[];
  for (const name of names) {
    const folder = write(join(dir, name), {
      'package.json': packageJson(),
      'src/main.js': `import { ${name} } from 'isolet'; globalThis.it = ${name};`,
    });
    const { code } = await bundled(folder, join(outDir, name));
    const found = names.filter((other) => marks[other].test(code));
    assert.equal(found, [name], `${code.length} characters`);
  }
});

test.run();
