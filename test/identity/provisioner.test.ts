/** The device's side of DPS against an emulated service: asked once, remembered, asked again when it must. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Fault } from '../../src/core/fault.ts';
import type { JsonObject } from '../../src/core/json.ts';
import type { Clock } from '../../src/core/ports.ts';
import type { DpsLogin } from '../../src/identity/dps-registration.ts';
import { createHubIdentities } from '../../src/identity/hub-identities.ts';
import { type Provisioner, provision } from '../../src/identity/provisioner.ts';
import { systemClock } from '../../src/lib/system-clock.ts';
import { newAuthority } from '../emulator/certificates.ts';
import { rest, startHub } from '../emulator/hub-kit.ts';
import { createFakeLog } from '../fakes/log.ts';
import { until, within } from '../fakes/within.ts';

type Hub = Awaited<ReturnType<typeof startHub>>;
const test = suite('provisioner');
const KEY = randomBytes(32).toString('base64');
const LIMIT_MS = 20_000;
/** Waits a twentieth of what it is told; the time of day is the real one. */
const hasty: Clock = { ...systemClock, after: (ms, run) => systemClock.after(ms / 20, run) };

const enrol = (hub: Hub, id: string, more: JsonObject = {}, primaryKey = KEY) =>
  rest(hub, 'PUT', `/enrollments/${id}`, {
    body: {
      attestation: { type: 'symmetricKey', symmetricKey: { primaryKey, secondaryKey: '' } },
      capabilities: { iotEdge: true },
      ...more,
    },
    headers: more['etag'] === undefined ? {} : { 'if-match': '*' },
  });

type Options = {
  readonly always?: boolean;
  readonly dataDir?: string;
  readonly key?: string;
  readonly login?: Partial<DpsLogin>;
};

function world(hub: Hub) {
  const dataDir = mkdtempSync(join(tmpdir(), 'isolet-provisioner-'));
  const log = createFakeLog();
  const stopping = new AbortController();
  const ca = readFileSync(hub.caFile, 'utf8');
  const shared = { ca, clock: hasty, log, dataDir };
  return {
    dataDir,
    log,
    stop: () => stopping.abort(),
    faults: (): string[] =>
      log.entries.flatMap(({ fields }) => (fields['cause'] as Fault | undefined)?.code ?? []),
    open: ({ always = false, key = KEY, login = {} }: Options = {}): Promise<Provisioner> =>
      provision({
        ...shared,
        timeoutMs: 100_000,
        signal: stopping.signal,
        random: Math.random,
        always,
        retry: { firstMs: 500, mostMs: 5_000 },
        login: {
          endpoint: hub.hostName,
          idScope: hub.idScope,
          registrationId: 'board-1',
          proof: { kind: 'key', key },
          payload: undefined,
          ...login,
        },
      }),
    identities: (provisioner: Provisioner) =>
      createHubIdentities({
        ...shared,
        device: provisioner.device,
        refused: provisioner.refused,
        settings: { callMs: 100_000 },
      }),
    end() {
      stopping.abort();
      rmSync(dataDir, { recursive: true });
    },
  };
}

async function using(run: (hub: Hub, here: ReturnType<typeof world>) => Promise<void>) {
  const hub = await startHub({ settings: { dpsAssignMs: 30 } });
  const here = world(hub);
  try {
    await within(LIMIT_MS, 'the test', run(hub, here));
  } finally {
    here.end();
    await hub.forget();
  }
}

test('asked once, and remembered for starts without a network', () =>
  using(async (hub, here) => {
    await enrol(hub, 'board-1', { deviceId: 'edge-7' });
    const { device } = await here.open();
    const proof = { kind: 'key', key: KEY };
    assert.equal(device, { hostName: hub.hostName, deviceId: 'edge-7', proof });
    const file = join(here.dataDir, 'assignment.json');
    assert.is(statSync(file).mode & 0o777, 0o600);
    assert.not.match(readFileSync(file, 'utf8'), KEY);
    await hub.close();
    assert.equal((await here.open()).device, device);
    assert.equal((await here.open({ always: true })).device, device, 'better than nobody');
    here.stop();
    const moved = here.open({ login: { registrationId: 'board-2' } });
    assert.is(((await moved.catch((cause: Fault) => cause)) as Fault).code, 'UPSTREAM_AWAY');
  }));

test('by certificate of a group, with what the allocation wants to know', () =>
  using(async (hub, here) => {
    const line = await newAuthority('line 3');
    const x509 = { signingCertificates: { primary: { certificate: line.cert } } };
    const body = { attestation: { type: 'x509', x509 } };
    await rest(hub, 'PUT', '/enrollmentGroups/line-3', { body });
    const { cert, key } = await line.issue('board-1');
    const proof = { kind: 'certificate' as const, certificate: cert, privateKey: key };
    const provisioner = await here.open({ login: { proof, payload: { model: 7 } } });
    assert.equal(provisioner.device, { hostName: hub.hostName, deviceId: 'board-1', proof });
    const { json } = await rest(hub, 'GET', '/registrations/board-1');
    assert.equal(json.payload, { model: 7 });
    // And the hub lets it make its modules.
    assert.ok((await here.identities(provisioner).ensure('filter')).key);
  }));

test('refused or out of reach it tries on, until somebody enrols it', () =>
  using(async (hub, here) => {
    const opening = here.open();
    await until(LIMIT_MS, 'two refusals', () => here.faults().length >= 2 || undefined);
    assert.equal([...new Set(here.faults())], ['CREDENTIALS_REFUSED']);
    await enrol(hub, 'board-1', { provisioningStatus: 'disabled' });
    const before = here.faults().length;
    await until(LIMIT_MS, 'another', () => here.faults().length > before + 1 || undefined);
    await enrol(hub, 'board-1', { provisioningStatus: 'enabled', etag: '*' });
    assert.is((await opening).device.deviceId, 'board-1');
    const told = JSON.stringify(here.log.entries, (_, value: unknown) =>
      value instanceof Error ? value.message : value,
    );
    assert.match(told, /see that there is an enrollment for it/);
    assert.not.match(told, KEY);
    assert.not.match(told, 'sig=');
  }));

test('a device the hub has lost comes back by itself', () =>
  using(async (hub, here) => {
    await enrol(hub, 'board-1');
    const provisioner = await here.open();
    const identities = here.identities(provisioner);
    await identities.ensure('one');
    await rest(hub, 'DELETE', '/devices/board-1', { headers: { 'if-match': '*' } });
    await Promise.all([identities.ensure('two'), identities.ensure('three')]);
    assert.ok(hub.connectionString('board-1', 'two'));
    assert.ok(hub.connectionString('board-1', 'three'));
    // Lost again at once, it is not asked for again at once.
    await rest(hub, 'DELETE', '/devices/board-1', { headers: { 'if-match': '*' } });
    const hasty = await identities.ensure('four').catch((cause: Fault) => cause);
    assert.is((hasty as Fault).code, 'CREDENTIALS_REFUSED');
    await identities.stop();
  }));

test('given another name, it says so', () =>
  using(async (hub, here) => {
    await enrol(hub, 'board-1');
    const provisioner = await here.open();
    await enrol(hub, 'board-1', { deviceId: 'edge-8', etag: '*' });
    assert.is(await provisioner.refused(), false);
    await provisioner.moved;
    const again = await here.open();
    assert.is(again.device.deviceId, 'edge-8', 'and the next start knows');
  }));

test('what was remembered for another registration is nothing', () =>
  using(async (hub, here) => {
    await enrol(hub, 'board-1');
    await enrol(hub, 'board-2');
    await here.open();
    const other = await here.open({ login: { registrationId: 'board-2' } });
    assert.is(other.device.deviceId, 'board-2');
  }));

test.run();
