/** `isolet check` as a person types it: a program of its own, told in text, JSON and an exit code. */
import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openApiSocket } from '../../src/api/api-socket.ts';
import { programCommand } from '../../src/cli/program-files.ts';
import type { JsonObject } from '../../src/core/json.ts';
import { bundleSource, deployment, spec } from '../e2e/device.ts';
import { within } from '../fakes/within.ts';

const LIMIT_MS = 30_000;
const test = suite<{ dir: string }>('isolet check');

test.before.each((context) => {
  context.dir = mkdtempSync(join(tmpdir(), 'isolet-check-'));
});
test.after.each(({ dir }) => rmSync(dir, { recursive: true }));

type Run = { readonly code: number | null; readonly text: string; readonly errors: string };

async function check(...args: readonly string[]): Promise<Run> {
  const { argv, env } = programCommand('check');
  const child = spawn(process.execPath, [...argv, ...args], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  let errors = '';
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString();
  });
  const code = await within(
    LIMIT_MS,
    `check ${args.join(' ')}`,
    new Promise<number | null>((resolve) => child.on('close', resolve)),
  );
  return { code, text, errors };
}

function write(dir: string, name: string, content: string | JsonObject): string {
  const file = join(dir, name);
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
}

const config = (dir: string, more = ''): string =>
  write(
    dir,
    'config.toml',
    `[provisioning]\nsource = "none"\n[isolet]\ndata_dir = "data"\n${more}`,
  );

const manifest = (modules: JsonObject, routes: JsonObject = {}): JsonObject => ({
  modulesContent: {
    $edgeAgent: { 'properties.desired': deployment(modules) },
    $edgeHub: { 'properties.desired': { schemaVersion: '1.1', routes } },
  },
});

const line = (text: string, what: string): string =>
  text.split('\n').find((one) => new RegExp(`^(ok|warn|fail) +${what} +—`).test(one)) ?? '';

test('an installation that is sound: a line for each thing, and exit code 0', async ({ dir }) => {
  mkdirSync(join(dir, 'data'));
  const { code, text, errors } = await check('--config', config(dir));
  assert.is(code, 0, errors + text);
  for (const what of [
    'config',
    'host user',
    'isolated-vm',
    'better-sqlite3',
    'data folder',
    'store',
    'clock',
  ]) {
    assert.match(line(text, what), /^(ok|warn)/, what);
  }
  assert.match(line(text, 'supervisor'), /^warn .* it does not run .*isolet run/);
  assert.match(line(text, 'host memory'), /^ok .*(looked at every 100 ms|the kernel can hold)/);
  assert.is(line(text, 'hub'), '', 'there is none');
});

test('every mistake of a config is told, and the rest that can be looked at', async ({ dir }) => {
  const file = config(dir, 'data_dri = "x"\n[isolet.policy]\nnetwork = ["a"]\nports = ["0"]\n');
  const { code, text } = await check('--config', file);
  assert.is(code, 1);
  assert.match(text, 'did you mean data_dir?');
  assert.match(text, 'isolet.policy.network[0] must be');
  assert.match(text, 'isolet.policy.ports[0] must be');
  assert.match(line(text, 'isolated-vm'), /^ok/);
  const absent = await check('--config', join(dir, 'absent.toml'), '--json');
  assert.is(absent.code, 1);
  const { ok, findings } = JSON.parse(absent.text) as {
    ok: boolean;
    findings: { state: string; what: string }[];
  };
  assert.is(ok, false);
  assert.equal(findings.find(({ what }) => what === 'config')?.state, 'fail');
});

test('a hub that is not there, and a store that is none', async ({ dir }) => {
  mkdirSync(join(dir, 'data'));
  write(dir, 'data/isolet.db', 'this was a database once'.repeat(100));
  const closed = await listening();
  const { port } = closed.address() as { port: number };
  await new Promise((resolve) => closed.close(resolve));
  const file = write(
    dir,
    'config.toml',
    `[provisioning]\nsource = "manual"\nconnection_string = "HostName=127.0.0.1:${port};DeviceId=d;SharedAccessKey=c2VjcmV0a2V5"\n[isolet]\ndata_dir = "data"\n`,
  );
  const { code, text } = await check('--config', file);
  assert.is(code, 1);
  assert.match(line(text, 'hub'), /^fail .*ECONNREFUSED.*fire wall/);
  assert.match(line(text, 'store'), /^fail .*damaged/);
  assert.not.match(text, 'c2VjcmV0a2V5');
});

test('a hub that answers, and a supervisor that runs', async ({ dir }) => {
  mkdirSync(join(dir, 'data'));
  const server = await listening();
  const { port } = server.address() as { port: number };
  const api = await openApiSocket(join(dir, 'data/api.sock'), [
    {
      path: '/status',
      answer: () => ({
        kind: 'json',
        value: { version: '9.9', connected: true, hosts: { shared: process.pid } },
      }),
    },
  ]);
  try {
    const file = write(
      dir,
      'config.toml',
      `[provisioning]\nsource = "manual"\nconnection_string = "HostName=127.0.0.1:${port};DeviceId=d;SharedAccessKey=c2VjcmV0a2V5"\n[isolet]\ndata_dir = "data"\n`,
    );
    const { code, text } = await check('--config', file);
    assert.is(code, 0, text);
    assert.match(line(text, 'hub'), /^ok/);
    assert.match(line(text, 'supervisor'), /^ok .*Isolet 9\.9 answers, connected/);
    assert.match(line(text, 'store'), /^ok .*running Isolet has it open/);
  } finally {
    await api.close();
    server.close();
  }
});

function listening(): Promise<Server> {
  const server = createServer((socket) => socket.destroy());
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

const options = {
  HostConfig: {
    Binds: ['/srv/site:/data', '/etc/hosts:/hosts:ro'],
    PortBindings: { '8080/tcp': [{ HostIp: '127.0.0.1', HostPort: '8081' }] },
  },
  Labels: { 'isolet.network': 'api.example.com:443' },
  Cmd: ['run'],
};

test('a deployment: the sides in columns, notes below, and exit code 0 when nothing is refused', async ({
  dir,
}) => {
  const image = await bundleSource('reader', 'console.log(1);', {
    files: ['/data:ro'],
    network: ['*.example.com:443'],
    ports: [8080, 9090],
  });
  const file = write(
    dir,
    'deployment.json',
    manifest({
      reader: spec(image, { settings: { image, createOptions: JSON.stringify(options) } }),
      old: spec('mcr.microsoft.com/azureiotedge-simulated-temperature-sensor:1.0'),
      gone: spec(`file:///nowhere/x.tgz#sha256=${'0'.repeat(64)}`),
    }),
  );
  const { code, text, errors } = await check(
    file,
    '--config',
    config(dir, '[isolet.policy]\nbinds = ["/srv:ro"]\n'),
  );
  assert.is(code, 0, errors + text);
  const rows = text.split('\n').map((one) => one.trim().split(/ {2,}/));
  const row = (capability: string): readonly string[] =>
    rows.find(([first]) => first === capability)?.slice(1) ?? [];
  assert.equal(row('capability'), [
    'bundle asks',
    'createOptions grant',
    'device policy',
    'module gets',
  ]);
  assert.equal(row('files'), ['/data:ro', '/srv/site:/data', '/srv:ro', '/srv/site:/data:ro']);
  assert.equal(row('network'), [
    '*.example.com:443',
    'api.example.com:443',
    'all',
    'api.example.com:443',
  ]);
  assert.equal(row('ports'), ['8080', '127.0.0.1:8081 → 8080', 'all', '127.0.0.1:8081 → 8080']);
  assert.equal(row('memory'), ['-', '32 MB (default)', 'all', '32 MB']);
  assert.match(text, /note {2}modules\.reader\..*Binds\[1\]: the bundle does not ask for \/hosts/);
  assert.match(text, 'note  the bundle asks for port 9090, which is not granted');
  assert.match(text, 'note  Cmd is not honoured');
  assert.match(text, 'sensor:1.0 was not pulled to this device yet');
  assert.match(text, '/nowhere/x.tgz is not here');
  assert.not.match(text, 'fail');
});

test('all that is wrong is told at once, with its path, in text and JSON', async ({ dir }) => {
  const strict = config(
    dir,
    '[isolet.policy]\nbinds = []\nnetwork = ["*:80"]\nports = ["9000"]\nmemory_mb_max = 16\n',
  );
  const HostConfig = { ...options.HostConfig, Memory: 64 * 1_048_576, NanoCpus: 'all' };
  const image = 'registry.example.com/x:1';
  const file = write(
    dir,
    'deployment.json',
    manifest(
      {
        bad: spec(image, { settings: { image, createOptions: { ...options, HostConfig } } }),
        twin: spec(image, { restartPolicy: 'often', settings: { image, createOptions: options } }),
      },
      { up: 'FROM /messages/* INTO $upsream' },
    ),
  );
  const { code, text } = await check(file, '--config', strict, '--json');
  assert.is(code, 1);
  const result = JSON.parse(text) as {
    ok: boolean;
    problems: string[];
    modules: { name: string; problems: string[] }[];
  };
  assert.is(result.ok, false);
  assert.ok(result.problems.some((one) => /^\$edgeHub: route "up"/.test(one)));
  assert.ok(result.problems.some((one) => /^\$edgeAgent: modules\.twin\.restartPolicy/.test(one)));
  assert.ok(
    result.problems.some((one) => /port 8081 of the device is given to modules\.bad\./.test(one)),
  );
  const told = result.modules.find(({ name }) => name === 'bad')?.problems ?? [];
  for (const field of [
    'NanoCpus',
    'Binds[0]',
    'Binds[1]',
    'isolet.network',
    'PortBindings',
    'Memory',
  ]) {
    assert.ok(
      told.some(
        (one) => one.startsWith('modules.bad.settings.createOptions.') && one.includes(field),
      ),
      field,
    );
  }
  const shown = await check(file, '--config', strict);
  assert.is(shown.code, 1);
  assert.match(shown.text, /^fail {2}/m);
  assert.match(shown.text, 'Something is wrong');
});

test("$edgeAgent's part alone, a bundle that is not what its digest says, and what is no manifest", async ({
  dir,
}) => {
  const image = await bundleSource('whole', 'console.log(1);');
  const lying = `${image.slice(0, -64)}${'0'.repeat(64)}`;
  const policy = config(dir);
  const plain = await check(
    write(dir, 'plain.json', deployment({ whole: spec(image) })),
    '--config',
    policy,
  );
  assert.is(plain.code, 0, plain.text);
  assert.match(plain.text, 'whole 1.0.0, declares nothing');
  const wrong = await check(
    write(dir, 'lying.json', deployment({ whole: spec(lying) })),
    '--config',
    policy,
  );
  assert.is(wrong.code, 1);
  assert.match(wrong.text, 'not the digest the image says');
  for (const [content, sentence] of [
    ['{', 'is not JSON'],
    ['[]', 'must be a JSON object'],
    ['{}', 'must have "modulesContent"'],
    ['{"modulesContent":{"$edgeAgent":{}}}', 'modulesContent.$edgeAgent must hold'],
  ] as const) {
    const { code, text, errors } = await check(write(dir, 'm.json', content), '--config', policy);
    assert.is(code, 1, content);
    assert.match(text + errors, sentence);
  }
});

test('mistakes of whoever types it are told without a stack', async ({ dir }) => {
  for (const args of [['--nonsense'], ['a', 'b'], [join(dir, 'absent.json')]]) {
    const { code, text, errors } = await check(...args);
    assert.is(code, 1);
    assert.is(text, '');
    assert.match(errors, /^isolet check: /);
    assert.not.match(errors, '    at ');
  }
  const help = await check('--help');
  assert.is(help.code, 0);
  assert.match(help.text, 'isolet check [DEPLOYMENT.json]');
});

test('a data folder nobody can make is named, with the folder above it', async ({ dir }) => {
  if (process.getuid?.() === 0) return; // root can write anywhere
  mkdirSync(join(dir, 'shut'));
  const file = config(dir);
  writeFileSync(file, '[provisioning]\nsource = "none"\n[isolet]\ndata_dir = "shut/data"\n');
  chmodSync(join(dir, 'shut'), 0o500);
  const { code, text } = await check('--config', file);
  assert.is(code, 1);
  assert.match(line(text, 'data folder'), /^fail .*cannot be made in/);
});

test.run();
