/** The emulator as a process: what it prints, how it stops, what it survives. */
import { spawn } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Emulator } from '../../src/emulator/emulator.ts';
import { until, within } from '../fakes/within.ts';
import { listEvents, newFolder, rest } from './hub-kit.ts';
import { connectRaw, endRawClients } from './raw-mqtt.ts';

const test = suite('emulator process');
const program = join(import.meta.dirname, '../../src/emulator/main.ts');

const run = (...args: readonly string[]) => runProgram(process.execPath, [program, ...args]);

function runProgram(name: string, args: readonly string[]) {
  const child = spawn(name, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const told = { out: '', err: '' };
  child.stdout.on('data', (chunk: Buffer) => (told.out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (told.err += chunk.toString()));
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  return { child, told, ended: within(30_000, 'the end', ended) };
}

/** Starts it with --json and waits for the line. */
async function serve(folder: string, ...more: readonly string[]) {
  const process = run('--data', folder, '--port', '0', '--json', ...more);
  await until(20_000, 'the line', () => process.told.out.includes('\n') || process.told.err !== '');
  const line = JSON.parse(process.told.out);
  const hub = {
    port: line.mqttPort,
    caFile: line.caFile,
    ownerConnectionString: line.ownerConnectionString,
  } as Emulator;
  return { ...process, line, hub };
}

test.after.each(endRawClients);

test('killed without mercy it keeps what it acknowledged; asked to stop it leaves with 0', async () => {
  const folder = newFolder();
  const first = await serve(folder);
  assert.equal(Object.keys(first.line), [
    'host',
    'mqttPort',
    'httpsPort',
    'dpsPort',
    'caFile',
    'ownerConnectionString',
    'devices',
    'idScope',
  ]);
  assert.equal(first.line.devices, {});
  const body = { deviceId: 'd1' };
  const { json } = await rest(first.hub, 'PUT', '/devices/d1', { body });
  const key = json.authentication.symmetricKey.primaryKey;
  const device = `HostName=localhost:${first.hub.port};DeviceId=d1;SharedAccessKey=${key}`;
  const { client } = await connectRaw(first.hub, device);
  await client.publishAsync('devices/d1/messages/events/', 'kept', { qos: 1 });
  first.child.kill('SIGKILL');
  await first.ended;

  const second = await serve(folder);
  assert.match(
    second.line.devices.d1,
    new RegExp(`^HostName=localhost:${second.hub.port};DeviceId=d1;`),
  );
  assert.is((await listEvents(second.hub))[0].body, 'kept');
  second.child.kill('SIGTERM');
  assert.is(await second.ended, 0);
  assert.is(second.told.err, '');
  rmSync(folder, { recursive: true });
});

test('without --json it greets; a second one on the same folder says why it cannot', async () => {
  const folder = newFolder();
  const first = run('--data', folder, '--port', '0');
  await until(20_000, 'a greeting', () => first.told.out.includes('no devices yet'));
  const second = run('--data', folder, '--port', '0');
  assert.is(await second.ended, 1);
  assert.match(second.told.err, /^the data folder .* is in use by another emulator: .*\n$/);
  first.child.kill('SIGINT');
  assert.is(await first.ended, 0);
  rmSync(folder, { recursive: true });
});

test('help, mistakes and damage are told in plain words', async () => {
  const folder = newFolder();
  writeFileSync(join(folder, 'hub.sqlite'), 'no database '.repeat(100));
  const [help, port, flag, damaged] = [
    run('--help'),
    run('--port', 'x'),
    run('--nonsense'),
    run('--data', folder, '--port', '0'),
  ];
  assert.is(await help.ended, 0);
  assert.match(help.told.out, /--data DIR/);
  for (const [process, words] of [
    [port, /^--port must be a number from 0 to 65535, it is "x"\n$/],
    [flag, /^Unknown option '--nonsense': see --help\n$/],
    [damaged, /^the emulator's state .* is damaged: .*\n$/],
  ] as const) {
    assert.is(await process.ended, 1);
    assert.match(process.told.err, words);
    assert.is(process.told.out, '');
  }
  rmSync(folder, { recursive: true });
});

test('a seed, a fault on demand, a reset', async () => {
  const folder = newFolder();
  const seed = join(import.meta.dirname, '../../docs/examples/hub.json');
  const first = await serve(folder, '--seed', seed);
  assert.equal(Object.keys(first.line.devices), ['sensor-1']);
  const { closed } = await connectRaw(first.hub, first.line.devices['sensor-1']);
  const fault = run('fault', '--data', folder, '--drop-acks', '0.1', '--disconnect', 'sensor-1');
  assert.is(await fault.ended, 0);
  assert.is(fault.told.out, '1 connection was cut.\n10 % of PUBACKs are dropped\n');
  await within(5_000, 'the end', closed);
  const clear = run('fault', '--data', folder, '--clear', '--json');
  assert.is(await clear.ended, 0);
  assert.is(JSON.parse(clear.told.out).dropAcks, 0);
  const inUse = run('--data', folder, '--port', '0', '--reset');
  assert.is(await inUse.ended, 1);
  assert.match(inUse.told.err, /in use by another emulator/);
  first.child.kill('SIGTERM');
  await first.ended;

  const second = await serve(folder, '--reset');
  assert.equal(second.line.devices, {});
  second.child.kill('SIGTERM');
  await second.ended;
  const wrong = run('--seed', join(folder, 'absent.json'), '--data', folder);
  assert.is(await wrong.ended, 1);
  assert.match(wrong.told.err, /^the seed .*absent\.json cannot be read as JSON: ENOENT\n$/);
  rmSync(folder, { recursive: true });
});

test('a full disk is a sentence: at the start the last one, later one in the log', async () => {
  const folder = newFolder();
  const onDisk = (size: string) =>
    runProgram('unshare', [
      '-Urm',
      'sh',
      '-c',
      'mount -t tmpfs -o size="$1" tmpfs "$2" && shift 2 && exec "$@"',
      'sh',
      size,
      folder,
      process.execPath,
      program,
      '--data',
      folder,
      '--port',
      '0',
      '--json',
    ]);
  const tiny = onDisk('64k');
  assert.is(await tiny.ended, 1);
  if (/unshare|mount/.test(tiny.told.err)) {
    console.log('a full disk: skipped: needs unshare and tmpfs');
    return;
  }
  assert.is(tiny.told.err, `the disk that holds ${folder} is full: make room on it\n`);

  const small = onDisk('1m');
  await until(20_000, 'the line', () => small.told.out.includes('\n') || small.told.err !== '');
  const line = JSON.parse(small.told.out);
  // It lies in a name space of its own; /proc shows it to us.
  const caFile = `/proc/${small.child.pid}/root${line.caFile}`;
  const hub = {
    port: line.mqttPort,
    caFile,
    ownerConnectionString: line.ownerConnectionString,
  } as Emulator;
  const { json } = await rest(hub, 'PUT', '/devices/d1', { body: { deviceId: 'd1' } });
  const key = json.authentication.symmetricKey.primaryKey;
  const login = `HostName=localhost:${hub.port};DeviceId=d1;SharedAccessKey=${key}`;
  const { client, closed } = await connectRaw(hub, login);
  const full = closed.then(() => true);
  for (let sent = 0; sent < 100; sent++) {
    const body = Buffer.alloc(50_000);
    const stored = client
      .publishAsync('devices/d1/messages/events/', body, { qos: 1 })
      .then(() => false);
    if (await within(10_000, 'an answer', Promise.race([stored, full]))) break;
    assert.ok(sent < 50, 'the disk must be full by now');
  }
  // It refuses what it cannot keep, goes on, and says why in lines of JSON.
  assert.is((await rest(hub, 'GET', '/devices/d1')).status, 200);
  const refused = await rest(hub, 'PUT', '/devices/d2', { body: { deviceId: 'd2' } });
  assert.ok(refused.status === 500 || refused.status === 200);
  small.child.kill('SIGTERM');
  assert.is(await small.ended, 0);
  const told = small.told.err
    .trim()
    .split('\n')
    .map((each) => JSON.parse(each) as { message: string });
  assert.ok(told.some(({ message }) => message === 'events could not be stored: look at the disk'));
  rmSync(folder, { recursive: true });
});

test.run();
