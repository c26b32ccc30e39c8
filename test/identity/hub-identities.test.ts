/** Module identities at an emulated hub: made, taken over, remembered; and what is said when that fails. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Fault } from '../../src/core/fault.ts';
import type { JsonObject } from '../../src/core/json.ts';
import type { Identities } from '../../src/core/ports.ts';
import type { DeviceIdentity } from '../../src/identity/device-identity.ts';
import { createHubIdentities, type IdentitySettings } from '../../src/identity/hub-identities.ts';
import { systemClock } from '../../src/lib/system-clock.ts';
import { codeOf, LIMIT_MS } from '../contracts/upstream.ts';
import { selfSigned, type TestCertificate } from '../emulator/certificates.ts';
import { createFakeLog } from '../fakes/log.ts';
import { until, within } from '../fakes/within.ts';
import { DEVICE, type EmulatedHub, openEmulatedHub } from '../upstream/emulated-hub.ts';

const test = suite('hub identities');

async function using(run: (hub: EmulatedHub) => Promise<void>): Promise<void> {
  const hub = await openEmulatedHub();
  try {
    await hub.goOnline();
    await within(30_000, 'the test', run(hub));
  } finally {
    await within(LIMIT_MS, 'the end', hub.close());
  }
}

function open(
  hub: EmulatedHub,
  change: {
    dataDir?: string;
    key?: string;
    device?: string;
    settings?: Partial<IdentitySettings>;
  } = {},
): Identities {
  const { proof, deviceId } = hub.device;
  return createHubIdentities({
    device: {
      ...hub.device,
      proof: change.key === undefined ? proof : { kind: 'key', key: change.key },
      deviceId: change.device ?? deviceId,
    },
    dataDir: change.dataDir ?? hub.folder(),
    ca: hub.ca,
    clock: systemClock,
    log: createFakeLog(),
    settings: change.settings ?? {},
  });
}

test('a device that has a certificate proves itself with that', () =>
  using(async (hub) => {
    const [right, wrong] = [await selfSigned('board-9'), await selfSigned('board-9')];
    const x509Thumbprint = { primaryThumbprint: right.thumbprint };
    const authentication = { type: 'selfSigned', x509Thumbprint };
    await hub.service('PUT', '/devices/board-9', { deviceId: 'board-9', authentication });
    const device = ({ cert, key }: TestCertificate): DeviceIdentity => ({
      hostName: hub.device.hostName,
      deviceId: 'board-9',
      proof: { kind: 'certificate', certificate: cert, privateKey: key },
    });
    const shared = { ca: hub.ca, clock: systemClock, log: createFakeLog() };
    const open = (of: TestCertificate): Identities =>
      createHubIdentities({ device: device(of), dataDir: hub.folder(), ...shared });
    const { key } = await open(right).ensure('new');
    assert.is(hub.hub().connectionString('board-9', 'new')?.endsWith(key), true);
    const refused = await open(wrong)
      .ensure('other')
      .catch((cause: Fault) => cause);
    assert.is((refused as Fault).code, 'CREDENTIALS_REFUSED');
  }));

test('a new module is made, with our key; one request for all who ask', () =>
  using(async (hub) => {
    const identities = open(hub);
    const [one, two] = await Promise.all([identities.ensure('new'), identities.ensure('new')]);
    assert.is(one, two);
    const path = `/devices/${DEVICE}/modules/new`;
    const there = (await hub.service('GET', path)) as unknown as {
      managedBy: string;
      generationId: string;
      authentication: { symmetricKey: JsonObject };
    };
    assert.is(there.managedBy, 'IotEdge');
    assert.is(there.generationId, one.generationId);
    assert.equal(there.authentication.symmetricKey, {
      primaryKey: one.key,
      secondaryKey: one.key,
    });
    assert.is(hub.network.made(), 3, 'GET, PUT to create, PUT for the key');
  }));

test('one that is there is taken over, also the runtime’s own', () =>
  using(async (hub) => {
    const identities = open(hub);
    const agent = await identities.ensure('$edgeAgent');
    assert.is(hub.network.made(), 2, 'GET, PUT for the key');
    assert.is(hub.hub().connectionString(DEVICE, '$edgeAgent')?.endsWith(agent.key), true);
  }));

test('what is remembered needs no hub, also after a restart; forgotten it does', () =>
  using(async (hub) => {
    const dataDir = hub.folder();
    const before = await open(hub, { dataDir }).ensure('sensor');
    await hub.goOffline();
    const identities = open(hub, { dataDir });
    assert.equal(await within(200, 'memory', identities.ensure('sensor')), before);
    identities.forget('sensor');
    assert.is(await codeOf(identities.ensure('sensor')), 'UPSTREAM_AWAY');
    await hub.goOnline();
    assert.equal(await identities.ensure('sensor'), before);
  }));

test('many at once, but only a few on the wire', () =>
  using(async (hub) => {
    const identities = open(hub, { settings: { atOnceMax: 2 } });
    hub.network.stall(true);
    const all = Promise.all(['a', 'b', 'c', 'd', 'e'].map((name) => identities.ensure(name)));
    await until(LIMIT_MS, 'two connections', () => hub.network.made() === 2);
    hub.network.stall(false);
    hub.network.cut();
    assert.is(await codeOf(all), 'UPSTREAM_AWAY');
    await identities.stop();
    assert.ok(hub.network.made() <= 2 + 3 * 3);
  }));

test('a wrong key, an unknown device and a busy hub are told apart; no key is shown', () =>
  using(async (hub) => {
    const key = Buffer.alloc(32, 1).toString('base64');
    const words = await open(hub, { key })
      .ensure('sensor')
      .catch((cause: Error) => cause.message);
    assert.match(words as string, 'will not let device');
    assert.not.match(words as string, key);
    assert.is(await codeOf(open(hub, { key }).ensure('sensor')), 'CREDENTIALS_REFUSED');
    assert.is(await codeOf(open(hub, { device: 'ghost' }).ensure('sensor')), 'CREDENTIALS_REFUSED');
    hub.hub().faults.change({ throttle: true });
    assert.is(await codeOf(open(hub).ensure('sensor')), 'UPSTREAM_REFUSED');
  }));

test('a silent network ends by the limit, and at once when we stop', () =>
  using(async (hub) => {
    hub.network.stall(true);
    const hasty = open(hub, { settings: { callMs: 200 } });
    assert.is(await codeOf(hasty.ensure('sensor')), 'UPSTREAM_AWAY');
    const patient = open(hub);
    const asked = codeOf(patient.ensure('sensor'));
    await within(1_000, 'stop', patient.stop());
    assert.is(await asked, 'UPSTREAM_AWAY');
  }));

test.run();
