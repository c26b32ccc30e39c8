/** Whom the hosts run as; and, where the tests are root, that they do. */
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { chooseHostUser, closedTo, hostUserHere } from '../../src/host/host-user.ts';
import { deviceGrant, endOf, granting, startNoting, startOf } from '../contracts/module-host.ts';
import { until } from '../fakes/within.ts';
import { openPseudoTerminal } from './pseudo-terminal.ts';
import { createTestHost } from './real-host.ts';

const passwd = `root:x:0:0:root:/root:/bin/sh
nobody:x:65534:65533:nobody:/:/usr/sbin/nologin
not a line
pi:x:1000:1000:,,,:/home/pi:/bin/bash
`;
const nobody = { name: 'nobody', uid: 65_534, gid: 65_533 };

const test = suite('host user');

test('root gives its hosts to isolet, else nobody, else a stranger', () => {
  const isolet = { name: 'isolet', uid: 990, gid: 991 };
  const both = `${passwd}isolet:x:990:991::/:/bin/false\n`;
  assert.equal(chooseHostUser(undefined, 0, both), { ok: true, user: isolet });
  assert.equal(chooseHostUser(undefined, 0, passwd), { ok: true, user: nobody });
  const stranger = { name: 'nobody', uid: 65_534, gid: 65_534 };
  assert.equal(chooseHostUser(undefined, 0, ''), { ok: true, user: stranger });
});

test('who is named is taken; root must be asked for by name', () => {
  const pi = { name: 'pi', uid: 1_000, gid: 1_000 };
  assert.equal(chooseHostUser('pi', 0, passwd), { ok: true, user: pi });
  assert.equal(chooseHostUser('root', 0, passwd), { ok: true, user: undefined });
  const unknown = chooseHostUser('gone', 0, passwd);
  assert.match(unknown.ok ? '' : unknown.problem, /host_user is "gone".*useradd --system gone/);
});

test('who is not root cannot choose, but may name himself', () => {
  assert.equal(chooseHostUser(undefined, 1_000, passwd), { ok: true, user: undefined });
  assert.equal(chooseHostUser('pi', 1_000, passwd), { ok: true, user: undefined });
  const other = chooseHostUser('nobody', 1_000, passwd);
  assert.match(other.ok ? '' : other.problem, /only root can/);
});

test('what is closed to a user is found by name', () => {
  const folder = mkdtempSync(join(tmpdir(), 'isolet-closed-'));
  const stranger = { name: 'x', uid: 4_242, gid: 4_242 };
  const self = { name: 'self', uid: process.getuid?.() ?? 0, gid: 4_242 };
  const inner = join(folder, 'inner');
  const file = join(inner, 'file');
  mkdirSync(inner, { mode: 0o755 });
  writeFileSync(file, '', { mode: 0o600 });
  assert.is(closedTo(stranger, [file]), file);
  chmodSync(file, 0o644);
  assert.is(closedTo(stranger, [process.execPath, file]), folder, 'mkdtemp makes it 0700');
  assert.is(closedTo(self, [file]), undefined);
  chmodSync(folder, 0o711);
  assert.is(closedTo(stranger, [file]), undefined);
  rmSync(folder, { recursive: true });
});

const asRoot = process.getuid?.() === 0 ? test : test.skip;

asRoot('a host runs as another user, without groups, and cannot read what is root’s', async () => {
  const choice = hostUserHere(undefined);
  const user = choice.ok ? choice.user : undefined;
  const host = createTestHost({}, undefined, user);
  const folder = mkdtempSync(join(tmpdir(), 'isolet-user-'));
  try {
    writeFileSync(join(folder, 'a'), 'a');
    const grants = (writable: boolean) =>
      granting({ binds: [{ source: folder, target: '/data', writable }] });
    const code = `
      isolet.onHost(({ value }) => isolet.request([{ t: 'log', level: 'info', text: value }]));
      isolet.host([{ t: 'readFile', call: 1, path: '/data/a' }]);`;
    const refused = startNoting(host, { module: 'refused', code: '', grants: grants(false) });
    const ending = await endOf(refused);
    assert.equal([ending.cause, ending.exitCode], ['refused', 125]);
    assert.match(ending.reason, /may not be read by the user .*chown/);
    const status = readFileSync(`/proc/${host.processes()['shared']}/status`, 'utf8');
    assert.match(status, new RegExp(`^Uid:\\s+${user?.uid}(\\s+${user?.uid}){3}$`, 'm'));
    assert.match(status, /^Groups:\s*$/m);
    assert.match(status, /^CapEff:\s+0+$/m);
    chmodSync(folder, 0o755);
    chmodSync(join(folder, 'a'), 0o644);
    const noWrite = startNoting(host, { module: 'no write', code: '', grants: grants(true) });
    assert.match((await endOf(noWrite)).reason, /read and written .*":ro"/);
    const reads = startNoting(host, { module: 'reads', code, grants: grants(false) });
    await startOf(reads);
    await until(10_000, 'it has read', () => reads.requests.length > 0);
    assert.equal(reads.requests, [{ t: 'log', level: 'info', text: 'a' }]);
  } finally {
    await host.stop();
    rmSync(folder, { recursive: true });
  }
});

asRoot('a host keeps the group of its devices, and nothing else of root', async () => {
  const choice = hostUserHere(undefined);
  const user = choice.ok ? choice.user : undefined;
  const group = 4_242;
  const terminal = await openPseudoTerminal();
  const host = createTestHost({}, undefined, user);
  try {
    const closed = startNoting(host, {
      module: 'closed',
      code: '',
      grants: granting({ devices: [deviceGrant(terminal.path, { kind: 'serial' })] }),
    });
    assert.match((await endOf(closed)).reason, /may not be used by the user .*EACCES.*udev rule/);
    // As udev gives serial ports to dialout.
    chownSync(terminal.path, 0, group);
    chmodSync(terminal.path, 0o660);
    const code = `
      isolet.onHost((event) => isolet.request([{ t: 'log', level: 'info', text: JSON.stringify(event) }]));
      const args = { kind: 'serial', path: '${terminal.path}' };
      isolet.host([{ t: 'ask', call: 1, service: 'devices', what: 'open', args }]);`;
    const opens = startNoting(host, {
      module: 'opens',
      code,
      grants: granting({ devices: [deviceGrant(terminal.path, { kind: 'serial' })] }),
    });
    await startOf(opens);
    await until(10_000, 'it has opened', () => opens.requests.length > 0);
    assert.match(JSON.stringify(opens.requests), /\\"value\\":1/);
    const status = readFileSync(`/proc/${host.processes()['shared']}/status`, 'utf8');
    assert.match(status, new RegExp(`^Uid:\\s+${user?.uid}(\\s+${user?.uid}){3}$`, 'm'));
    assert.match(status, new RegExp(`^Gid:\\s+${user?.gid}(\\s+${user?.gid}){3}$`, 'm'));
    assert.match(status, new RegExp(`^Groups:\\s*${group}\\s*$`, 'm'));
    for (const set of ['CapEff', 'CapPrm', 'CapInh', 'CapAmb']) {
      assert.match(status, new RegExp(`^${set}:\\s+0+$`, 'm'));
    }
  } finally {
    await host.stop();
    terminal.unplug();
  }
});

const lowest = Number(readFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'utf8'));
const asRootWithLowPorts = lowest > 1 ? asRoot : test.skip;

asRootWithLowPorts(
  'a port the hosts’ user may not open is refused with the two ways out',
  async () => {
    const choice = hostUserHere(undefined);
    const host = createTestHost({}, undefined, choice.ok ? choice.user : undefined);
    // Nothing serves on port 1 any more, and this test never gets to.
    const published = [{ ip: '', port: 1, at: 'o.HostConfig.PortBindings["80/tcp"][0]' }];
    const grants = granting({ ports: [{ port: 80, published }] });
    const { cause, reason } = await endOf(startNoting(host, { module: 'low', code: '', grants }));
    assert.is(cause, 'refused');
    assert.match(
      reason,
      /^o\.HostConfig\.PortBindings\["80\/tcp"\]\[0\]: port 1 may not be opened by the user .*from 1024 on, or set .*ip_unprivileged_port_start to 1\.$/,
    );
    await host.stop();
  },
);

test.run();
