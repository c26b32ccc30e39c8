/** What a person far away does with a module that misbehaves: through the hub, with the commands as they are typed. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Json, JsonObject } from '../../src/core/json.ts';
import type { LogLine, ModuleSummary, RuntimeSummary } from '../../src/core/summaries.ts';
import { type BlobServer, startBlobServer } from '../fakes/blob-server.ts';
import { filesOfZip } from '../fakes/unzip.ts';
import { until, within } from '../fakes/within.ts';
import { bundleSource, deployment, spec } from './device.ts';
import { build, newFolder, type Started, start } from './programs.ts';

const test = suite('methods of the agent, from the hub');

const LIMIT_MS = 30_000;
let folder: string;
let hub: Started;
let supervisor: Started;
let blobs: BlobServer;
let login: readonly string[];
let socket: readonly string[];
let config: string;

const TALKER = `
console.log('hello', process.env.WHO);
console.warn('getting warm');
console.error('too hot', process.env.SECRET);
setInterval(() => {}, 1000);
`;

async function run(...argv: readonly string[]) {
  const command = start('isolet', argv);
  const code = await within(LIMIT_MS, argv.join(' '), command.ended);
  return { code, text: command.lines.join('\n'), errors: command.errors() };
}

async function invoke(
  name: string,
  payload: Json = null,
): Promise<{ status: number; payload: Json }> {
  const method = ['--method-name', name, '--method-payload', JSON.stringify(payload)];
  const answer = await run('cloud', 'invoke-method', ...login, '-m', '$edgeAgent', ...method);
  assert.is(answer.code, 0, answer.errors);
  return JSON.parse(answer.text) as { status: number; payload: Json };
}

async function finished(started: { readonly payload: Json }): Promise<string> {
  const { correlationId } = started.payload as { correlationId: string };
  for (;;) {
    const request = { schemaVersion: '1.0', correlationId };
    const { payload } = await invoke('GetTaskStatus', request);
    const { status, message } = payload as { status: string; message: string };
    if (status !== 'Running' && status !== 'NotStarted') return `${status} ${message}`;
  }
}

const modules = async (): Promise<readonly ModuleSummary[]> =>
  JSON.parse((await run('list', '--json', ...socket)).text) as readonly ModuleSummary[];

async function startSupervisor(): Promise<void> {
  supervisor = start('supervisor', ['--config', config]);
  await until(LIMIT_MS, 'it runs', () =>
    supervisor.lines.some((line) => line.includes('isolet runs')),
  );
}

test.before(async () => {
  build();
  folder = newFolder();
  blobs = await startBlobServer();
  hub = start('emulator', ['--data', join(folder, 'hub'), '--port', '0', '--json']);
  const ready = JSON.parse(await until(LIMIT_MS, 'the hub', () => hub.lines[0])) as Record<
    'ownerConnectionString' | 'caFile',
    string
  >;
  login = ['--login', ready.ownerConnectionString, '--ca', ready.caFile, '-d', 'edge'];
  const { createServiceClient } = await import('../../src/cli/cloud/service-client.ts');
  const client = createServiceClient({
    connectionString: ready.ownerConnectionString,
    caFile: ready.caFile,
  });
  const device = (await client.call('PUT', '/devices/edge', {
    deviceId: 'edge',
    capabilities: { iotEdge: true },
  })) as { authentication: { symmetricKey: { primaryKey: string } } };
  const { primaryKey } = device.authentication.symmetricKey;
  mkdirSync(join(folder, 'device'));
  config = join(folder, 'device/config.toml');
  writeFileSync(
    config,
    [
      `trust_bundle_cert = ${JSON.stringify(ready.caFile)}`,
      '[provisioning]',
      'source = "manual"',
      `connection_string = "HostName=${client.hostName};DeviceId=edge;SharedAccessKey=${primaryKey}"`,
      '[isolet]',
      'data_dir = "."',
      '[isolet.logs]',
      'flush_ms = 200',
    ].join('\n'),
  );
  socket = ['--socket', join(folder, 'device/api.sock')];
  const image = await bundleSource('talker', TALKER);
  const env = { WHO: { value: 'world' }, SECRET: { value: 'env-secret' } };
  const content = join(folder, 'deployment.json');
  const modulesContent: JsonObject = {
    $edgeAgent: { 'properties.desired': deployment({ talker: spec(image, { env }) }) },
    $edgeHub: { 'properties.desired': { schemaVersion: '1.1', routes: {} } },
  };
  writeFileSync(content, JSON.stringify({ modulesContent }));
  const set = await run('cloud', 'set-modules', ...login, '--content', content);
  assert.is(set.code, 0, set.errors);
  await startSupervisor();
  await until(LIMIT_MS, 'it talks', () =>
    supervisor.lines.some((line) => line.includes('too hot')),
  );
});

test.after(async () => {
  supervisor?.child.kill('SIGKILL');
  hub?.child.kill('SIGKILL');
  await blobs?.close();
});

test('ping, and a command that is none', async () => {
  assert.equal(await invoke('ping'), { status: 200, payload: null });
  const none = await invoke('Reboot');
  assert.is(none.status, 400);
  assert.match((none.payload as { message: string }).message, /Command 'Reboot' not found/);
});

test('GetModuleLogs of a module and of the runtime', async () => {
  const request = {
    schemaVersion: '1.0',
    items: [{ id: 'talker', filter: { loglevel: 4 } }],
    contentType: 'json',
  };
  const { status, payload } = await invoke('GetModuleLogs', request);
  assert.is(status, 200);
  const [answer] = payload as [{ id: string; payload: string }];
  const lines = JSON.parse(answer.payload) as { text: string; device: string }[];
  assert.equal(
    lines.map(({ text, device }) => [device, text]),
    [
      ['edge', 'getting warm'],
      ['edge', 'too hot env-secret'],
    ],
  );
  const own = await invoke('GetModuleLogs', {
    schemaVersion: '1.0',
    items: [{ id: 'edgeAgent', filter: { regex: 'module starts' } }],
  });
  assert.match((own.payload as [{ payload: string }])[0].payload, /\[INF\] - module starts/);
});

test('RestartModule: at once, and not counted', async () => {
  const before = (await modules())[0] as ModuleSummary;
  const reply = await invoke('restartmodule', { schemaVersion: '1.0', id: 'talker' });
  assert.equal(reply, { status: 200, payload: null });
  let after = before;
  while (after.startedAt === before.startedAt || after.status !== 'running') {
    after = (await modules())[0] as ModuleSummary;
  }
  assert.is(after.restartCount, 0);
  const nobody = await invoke('RestartModule', { schemaVersion: '1.0', id: 'nobody' });
  assert.is(nobody.status, 500);
  const here = await run('restart', 'talker', ...socket);
  assert.is(here.code, 0, here.errors);
  assert.match((await run('restart', 'nobody', ...socket)).errors, /there is no module "nobody"/);
});

test('UploadModuleLogs into blobs; the token is nowhere', async () => {
  const items = [{ id: 'talker' }];
  const request = { schemaVersion: '1.0', sasUrl: blobs.sasUrl, items };
  const started = await invoke('UploadModuleLogs', request);
  assert.is((started.payload as { status: string }).status, 'Running');
  assert.is(await finished(started), 'Completed ');
  const zipped = { ...request, encoding: 'gzip', contentType: 'json' };
  assert.is(await finished(await invoke('UploadModuleLogs', zipped)), 'Completed ');
  const names = [...blobs.blobs.keys()];
  const pattern = /^[^/]+\/edge\/talker-\d{4}-\d\d-\d\d--\d\d-\d\d-\d\d\.(log|json\.gz)$/;
  for (const name of names) assert.match(name, pattern);
  const [text, json] = [...blobs.blobs.values()];
  assert.match(text?.content.toString() ?? '', /\[INF\] - hello world\n/);
  assert.is(text?.type, 'AppendBlob');
  const lines = JSON.parse(gunzipSync(json?.content as Buffer).toString()) as JsonObject[];
  assert.is(lines[0]?.['text'], 'hello world');

  const refused = blobs.sasUrl.replace('/logs?', '/elsewhere?');
  const failed = await finished(await invoke('UploadModuleLogs', { ...request, sasUrl: refused }));
  assert.match(failed, /^Failed Task upload logs failed because of error .*no such container/);
  const seen = [...supervisor.lines, supervisor.errors(), failed, logFiles()].join('\n');
  assert.not(seen.includes(blobs.token));
  assert.not(seen.includes(encodeURIComponent(blobs.token)));
});

const logFiles = (): string => {
  const logs = join(folder, 'device/logs');
  return readdirSync(logs, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.jsonl'))
    .map((name) => readFileSync(join(logs, name), 'utf8'))
    .join('');
};

test('logs are there after a kill', async () => {
  const logsOf = async (...argv: string[]): Promise<readonly LogLine[]> =>
    (await run('logs', ...argv, '--json', ...socket)).text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as LogLine);
  await until(LIMIT_MS, 'they are written', () => logFiles().split('too hot').length >= 4);
  supervisor.child.kill('SIGKILL');
  await supervisor.ended;
  await startSupervisor();
  const lines = await logsOf('talker', '--tail', 'all');
  assert.ok(lines.filter(({ text }) => text === 'hello world').length >= 3);
  const middle = lines[2] as LogLine;
  const since = new Date(middle.atMs).toISOString();
  assert.equal((await logsOf('talker', '--tail', 'all', '--since', since))[0]?.atMs, middle.atMs);
  assert.ok((await logsOf('edgeHub', '--tail', 'all')).length > 0);
  assert.match((await run('logs', 'talker', '--since', 'soon', ...socket)).errors, /since must be/);
});

/** What must be in none of them. */
function checkBundle(archive: Buffer): ReadonlyMap<string, Buffer> {
  const files = filesOfZip(archive);
  const key = /SharedAccessKey=([^"]+)/.exec(readFileSync(config, 'utf8'))?.[1] as string;
  for (const [name, content] of files) {
    assert.not(content.includes(key), name);
    assert.not(content.includes(blobs.token), name);
    // What a module prints is its own.
    if (name !== 'logs/talker_log.txt') assert.not(content.includes('env-secret'), name);
  }
  const check = JSON.parse(files.get('check.json')?.toString() ?? '') as { findings: Json[] };
  assert.ok(check.findings.length > 4);
  assert.match(files.get('config.toml')?.toString() ?? '', /connection_string = "…"/);
  return files;
}

test('UploadSupportBundle, and the same on the device, with and without a running Isolet', async () => {
  const started = await invoke('UploadSupportBundle', {
    schemaVersion: '1.0',
    sasUrl: blobs.sasUrl,
  });
  assert.is(await finished(started), 'Completed ');
  const [name, blob] = [...blobs.blobs].at(-1) as [string, { content: Buffer; type: string }];
  assert.match(name, /^[^/]+\/edge\/support-bundle-[0-9-]+\.zip$/);
  assert.is(blob.type, 'BlockBlob');
  const files = checkBundle(blob.content);
  for (const file of [
    'versions.json',
    'status.json',
    'modules.json',
    'inspect/talker.json',
    'twins/edgeAgent.json',
    'logs/edgeAgent_log.txt',
    'logs/edgeHub_log.txt',
    'logs/talker_log.txt',
  ]) {
    assert.ok((files.get(file)?.length ?? 0) > 10, file);
  }
  const output = join(folder, 'bundle.zip');
  const here = await run('support-bundle', '--config', config, '-o', output, '-e');
  assert.is(here.code, 0, here.errors);
  assert.match(here.text, /bundle\.zip: \d+ KB$/);
  assert.not([...checkBundle(readFileSync(output)).keys()].includes('logs/talker_log.txt'));

  supervisor.child.kill('SIGTERM');
  await within(LIMIT_MS, 'the stop', supervisor.ended);
  const without = await run('support-bundle', '--config', config, '-o', output);
  assert.is(without.code, 0, without.errors);
  assert.match(without.text, /does not run/);
  const less = checkBundle(readFileSync(output));
  assert.not(less.has('status.json'));
  assert.match(less.get('logs/talker_log.txt')?.toString() ?? '', 'hello world');
  assert.match((await run('support-bundle', '--since', 'soon')).errors, /--since must be/);
});

test('RestartModule of edgeAgent: the runtime begins anew, in the same process', async () => {
  await startSupervisor();
  for (let connected = false; !connected; ) {
    const { text } = await run('status', '--json', ...socket);
    ({ connected } = JSON.parse(text) as RuntimeSummary);
  }
  const reply = await invoke('RestartModule', { schemaVersion: '1.0', id: 'edgeAgent' });
  assert.equal(reply, { status: 200, payload: null });
  const runs = (): number => supervisor.lines.filter((line) => line.includes('isolet runs')).length;
  await until(LIMIT_MS, 'it runs again', () => runs() === 2);
  assert.is(supervisor.child.exitCode, null);
  assert.ok(existsSync(join(folder, 'device/api.sock')));
});

test.run();
