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

function run(...args: readonly string[]) {
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const told = { out: '', err: '' };
  child.stdout.on('data', (chunk: Buffer) => (told.out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (told.err += chunk.toString()));
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  return { child, told, ended: within(30_000, 'the end', ended) };
}

/** Starts it with --json and waits for the line. */
async function serve(folder: string) {
  const process = run('--data', folder, '--port', '0', '--json');
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

test.run();
