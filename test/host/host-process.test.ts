/** The host as a process: killed from outside, forging frames, silent, orphaned, at rest. */
import { spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createModuleHost } from '../../src/host/module-host.ts';
import { systemClock } from '../../src/lib/system-clock.ts';
import {
  deviceGrant,
  endOf,
  granting,
  input,
  startNoting,
  startOf,
  type Told,
} from '../contracts/module-host.ts';
import { until, within } from '../fakes/within.ts';
import { guestPrograms } from './contract-programs.ts';
import { createTestHost } from './real-host.ts';
import { tinyPrelude } from './tiny-prelude.ts';

const LIMIT_MS = 10_000;
const silent = { debug() {}, info() {}, warn() {}, error() {} };

const test = suite<{ folder: string }>('host process');
test.before((context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'isolet-host-'));
});
test.after(({ folder }) => rmSync(folder, { recursive: true }));

test('a host killed from outside loses all its modules, and the next start makes a new one', async () => {
  const host = createTestHost();
  const modules = ['a', 'b', 'c'].map((module) =>
    startNoting(host, { module, code: guestPrograms.echo }),
  );
  const alone = startNoting(host, { module: 'd', code: guestPrograms.echo, group: 'alone' });
  for (const told of [...modules, alone]) await startOf(told);
  const pid = host.processes()['shared'] as number;
  process.kill(pid, 'SIGKILL');
  for (const told of modules) {
    const ending = await endOf(told);
    assert.equal([ending.cause, ending.exitCode, ending.tookHost], ['host lost', 137, undefined]);
    assert.match(ending.reason, /SIGKILL/);
  }
  assert.is(alone.endings.length, 0, 'another group is not touched');
  const again = startNoting(host, { module: 'a', code: guestPrograms.echo });
  await startOf(again);
  assert.is.not(host.processes()['shared'], pid);
  await host.stop();
  assert.equal([again.endings[0]?.cause, alone.endings[0]?.cause], ['stopped', 'stopped']);
});

test('two hosts killed at once lose their own modules, a third goes on', async () => {
  const host = createTestHost();
  const [one, two, third] = ['one', 'two', 'third'].map((group) =>
    startNoting(host, { module: group, code: guestPrograms.echo, group }),
  ) as [Told, Told, Told];
  for (const told of [one, two, third]) await startOf(told);
  const before = host.processes();
  for (const group of ['one', 'two']) process.kill(before[group] as number, 'SIGKILL');
  for (const told of [one, two]) assert.is((await endOf(told)).cause, 'host lost');
  const again = startNoting(host, { module: 'one', code: guestPrograms.echo, group: 'one' });
  await startOf(again);
  third.running.post([input(1, 'still here')], [undefined]);
  await until(LIMIT_MS, 'the third answers', () => third.requests.some(({ t }) => t === 'ack'));
  assert.is(third.endings.length, 0);
  assert.is(host.processes()['third'], before['third']);
  await host.stop();
});

test('a host without modules ends after its rest', async () => {
  const host = createTestHost({ idleMs: 50 });
  const told = startNoting(host, { module: 'a', code: guestPrograms.echo });
  const pid = host.processes()['shared'] as number;
  await told.running.stop();
  await until(LIMIT_MS, 'the host leaves', () => !alive(pid));
  assert.equal(host.processes(), {});
  await host.stop();
});

test('a host has its own session, nothing of our environment and a high place on the kernel’s list', async () => {
  const host = createTestHost();
  await startOf(startNoting(host, { module: 'a', code: guestPrograms.echo }));
  const pid = host.processes()['shared'] as number;
  const session = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[3];
  assert.is(Number(session), pid);
  // Node itself hands NODE_V8_COVERAGE on to its children when coverage is measured.
  const environ = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
  const ours = environ.filter((line) => line !== '' && !line.startsWith('NODE_V8_COVERAGE='));
  for (const line of ours) assert.match(line, /^MALLOC_\w+=\d+$/);
  assert.is(readFileSync(`/proc/${pid}/oom_score_adj`, 'utf8').trim(), '900');
  process.kill(pid, 'SIGTERM');
  process.kill(pid, 'SIGINT');
  const told = startNoting(host, { module: 'b', code: guestPrograms.echo });
  await startOf(told);
  assert.is(host.processes()['shared'], pid, 'a service manager’s signal does not end it');
  await host.stop();
});

test('a host has the rights of its group; a module that needs more goes to a new one', async ({
  folder,
}) => {
  const host = createTestHost();
  const bind = { source: folder, target: '/data', writable: false };
  const rest = { code: guestPrograms.echo, groupGrants: [granting({ binds: [bind] })] };
  const first = startNoting(host, { module: 'first', ...rest });
  const granted = startNoting(host, {
    module: 'granted',
    ...rest,
    grants: granting({ binds: [bind] }),
  });
  for (const told of [first, granted]) await startOf(told);
  const before = host.processes();
  assert.equal(Object.keys(before), ['shared'], 'rights known beforehand cost no second host');
  const writes = { ...bind, writable: true };
  const more = startNoting(host, {
    module: 'more',
    ...rest,
    grants: granting({ binds: [writes] }),
  });
  await startOf(more);
  assert.is(Object.keys(host.processes()).length, 2);
  assert.is.not(host.processes()['shared'], before['shared']);
  assert.ok(Object.values(host.processes()).includes(before['shared'] as number));
  assert.is(first.endings.length + granted.endings.length, 0, 'the others run on');
  assert.ok(host.metrics('first') !== undefined && host.metrics('more') !== undefined);
  const last = startNoting(host, { module: 'last', ...rest, grants: granting({ binds: [bind] }) });
  await startOf(last);
  assert.is(Object.keys(host.processes()).length, 2, 'who needs less is at home there, too');
  await host.stop();
});

test('a bind that is not there refuses its module, and its neighbour runs', async ({ folder }) => {
  const host = createTestHost();
  const neighbour = startNoting(host, { module: 'neighbour', code: guestPrograms.echo });
  const absent = ['one', 'two'].map((name) => ({
    source: join(folder, 'absent', name),
    target: `/${name}`,
    writable: false,
  }));
  const told = startNoting(host, {
    module: 'm',
    code: guestPrograms.echo,
    grants: granting({ binds: absent }),
  });
  const ending = await endOf(told);
  assert.equal([ending.cause, ending.exitCode, told.calls], ['refused', 125, ['ended']]);
  for (const name of ['one', 'two']) assert.match(ending.reason, `absent/${name} is not on this`);
  await startOf(neighbour);
  await host.stop();
});

test('memory no device has, a device that is not there, our own files: refused, all at once', async ({
  folder,
}) => {
  const own = join(folder, 'own');
  mkdirSync(join(own, 'sub'), { recursive: true });
  symlinkSync(own, join(folder, 'alias'));
  const host = createModuleHost({
    hostMain: fileURLToPath(new URL('../../src/host/main.ts', import.meta.url)),
    prelude: tinyPrelude,
    clock: systemClock,
    log: silent,
    keepOut: [own],
  });
  const neighbour = startNoting(host, { module: 'neighbour', code: guestPrograms.echo });
  const sources = [folder, own, join(own, 'sub'), join(folder, 'alias')];
  const told = startNoting(host, {
    module: 'm',
    code: guestPrograms.echo,
    limits: { heapMb: 1_048_576, startMs: 5_000, turnMs: 2_000 },
    grants: granting({
      binds: sources.map((source, index) => ({ source, target: `/${index}`, writable: false })),
      devices: [deviceGrant('/dev/i2c-99')],
    }),
  });
  const ending = await endOf(told);
  assert.equal([ending.cause, told.calls], ['refused', ['ended']]);
  assert.match(ending.reason, /HostConfig\.Memory asks for 1048576 MB, .*ask for less/);
  assert.match(ending.reason, /HostConfig\.Devices\[0\]: \/dev\/i2c-99 is not on this device/);
  assert.is(ending.reason.split("isolet's own files").length, sources.length + 1);
  await startOf(neighbour);
  assert.is(Object.keys(host.processes()).length, 1);
  await host.stop();
});

test('a module that cannot be stopped is stopped with its host', async () => {
  const host = createTestHost();
  const neighbour = startNoting(host, { module: 'neighbour', code: guestPrograms.echo });
  const told = startNoting(host, {
    module: 'stuck',
    code: `isolet.on(() => { isolet.rawOutbox('[{"t":"twin","call":1}]', undefined, '', -1); new Array(2 ** 32 - 1).indexOf(5); });`,
    limits: { heapMb: 32, startMs: 5_000, turnMs: 60_000 },
  });
  await startOf(neighbour);
  told.running.post([{ t: 'desired', patch: {} }], [undefined]);
  await until(LIMIT_MS, 'it is at it', () => told.requests.length > 0);
  await within(LIMIT_MS, 'stop', told.running.stop());
  assert.equal([told.endings[0]?.cause, told.endings[0]?.tookHost], ['wedged', true]);
  assert.is((await endOf(neighbour)).cause, 'host lost');
  await host.stop();
});

/** Hosts that lie, by what they write when the first bytes arrive. */
const liars: Readonly<Record<string, string>> = {
  'a frame beyond all bounds': 'Buffer.from([255, 255, 255, 255, 1])',
  'a frame too short to be one': 'Buffer.from([1, 0, 0, 0, 1])',
  'JSON longer than its frame': 'frame(2, 1, "[]", 1000)',
  'a kind that is none': 'frame(77, 1, "")',
  'a module that is none': 'frame(1, 99, "")',
  'two starts': 'Buffer.concat([frame(1, 1, ""), frame(1, 1, "")])',
  'an ending that is none': 'frame(3, 1, JSON.stringify({ cause: "host lost" }))',
  'an ending that is no JSON': 'frame(3, 1, "{")',
  'a pulse that is none': 'frame(5, 0, JSON.stringify([{ handle: "x" }]))',
  'words after the end':
    'Buffer.concat([frame(3, 1, JSON.stringify({ cause: "stopped", exitCode: 0, reason: "" })), frame(1, 1, "")])',
};

for (const [what, bytes] of Object.entries(liars)) {
  test(`a host that sends ${what} is killed, and only it`, async ({ folder }) => {
    const hostMain = join(folder, 'liar.mjs');
    writeFileSync(
      hostMain,
      `import { Socket } from 'node:net';
       const frame = (kind, handle, json, claims = json.length) => {
         const data = Buffer.alloc(13 + json.length);
         data.writeUInt32LE(9 + json.length, 0); data[4] = kind;
         data.writeUInt32LE(handle, 5); data.writeUInt32LE(claims, 9); data.write(json, 13);
         return data;
       };
       const socket = new Socket({ fd: 3 });
       socket.once('data', () => socket.write(${bytes}));
       setInterval(() => {}, 1000);`,
    );
    const host = createModuleHost({ hostMain, prelude: '', clock: systemClock, log: silent });
    const told = startNoting(host, { module: 'a', code: '' });
    const pid = host.processes()['shared'] as number;
    const ending = await endOf(told);
    assert.ok(['host lost', 'stopped'].includes(ending.cause), ending.cause);
    await until(LIMIT_MS, 'it is dead', () => !alive(pid));
    assert.is(told.endings.length, 1);
    await host.stop();
  });
}

test('a silent host is killed', async ({ folder }) => {
  const hostMain = join(folder, 'silent.mjs');
  writeFileSync(hostMain, 'setInterval(() => {}, 1000);');
  const settings = { bootMs: 200, heartbeatMs: 100 };
  const host = createModuleHost({
    hostMain,
    prelude: '',
    clock: systemClock,
    log: silent,
    settings,
  });
  const ending = await endOf(startNoting(host, { module: 'a', code: '' }));
  assert.is(ending.cause, 'host lost');
  assert.match(ending.reason, /silent/);
  await host.stop();
});

test('a host that cannot be run is a lost host', async ({ folder }) => {
  const hostMain = join(folder, 'not-there.mjs');
  const host = createModuleHost({ hostMain, prelude: '', clock: systemClock, log: silent });
  const ending = await endOf(startNoting(host, { module: 'a', code: '' }));
  assert.is(ending.cause, 'host lost');
  await host.stop();
});

test('a supervisor that stood still does not take it for silence of the host', async () => {
  const host = createTestHost({ silenceMs: 300, heartbeatMs: 100 });
  const told = startNoting(host, { module: 'a', code: guestPrograms.echo });
  await startOf(told);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_000);
  const after = startNoting(host, { module: 'b', code: guestPrograms.echo });
  await startOf(after);
  assert.is(told.endings.length, 0);
  await host.stop();
});

test('no host outlives its supervisor, not even with a busy module', async () => {
  const parent = spawn(process.execPath, [
    fileURLToPath(new URL('orphan-parent.ts', import.meta.url)),
  ]);
  const [chunk] = await within(
    LIMIT_MS,
    'the parent names its host',
    new Promise<[Buffer]>((resolve) => parent.stdout.once('data', (data) => resolve([data]))),
  );
  const pid = Number(chunk.toString());
  assert.ok(alive(pid));
  parent.kill('SIGKILL');
  await until(LIMIT_MS, 'the host leaves', () => !alive(pid));
});

function alive(pid: number): boolean {
  if (!existsSync(`/proc/${pid}/stat`)) return false;
  // A zombie waits for its parent only; where nobody reaps orphans it waits for ever.
  return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.[0] !== 'Z';
}

test.run();
