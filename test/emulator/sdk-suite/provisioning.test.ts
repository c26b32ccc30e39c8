/** DPS as the unmodified provisioning SDK meets it: enrolments and groups, by key and by certificate. */
import { randomBytes } from 'node:crypto';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { JsonObject } from '../../../src/core/json.ts';
import { derivedKey } from '../../../src/emulator/registrations.ts';
import { newAuthority, selfSigned } from '../certificates.ts';
import { sdkClient } from '../hub-kit.ts';
import { openProvisioningTarget, type ProvisioningTarget } from './provisioning-target.ts';
import { rejection } from './target.ts';

const test = suite<{ target: ProvisioningTarget }>('provisioning SDK');
test.before(async (context) => {
  context.target = await openProvisioningTarget();
});
test.after(async ({ target }) => await target.close());

const newKey = (): string => randomBytes(32).toString('base64');
const byKey = (primaryKey: string): JsonObject => ({
  attestation: { type: 'symmetricKey', symmetricKey: { primaryKey, secondaryKey: newKey() } },
});

test('an individual enrolment by key: assigned, with its device at the hub', async ({ target }) => {
  const [id, deviceId, key] = [target.newId(), target.newId(), newKey()];
  await target.enrol('enrollments', id, {
    ...byKey(key),
    deviceId,
    capabilities: { iotEdge: true },
    initialTwin: { tags: { site: 'barn' }, properties: { desired: { level: 3 } } },
  });
  const result = await target.registerByKey(id, key, { model: 7 });
  assert.is(result.registrationId, id);
  assert.is(result.deviceId, deviceId);
  assert.is(result.status, 'assigned');
  const state = (await target.service.call('GET', `/registrations/${id}`)) as JsonObject;
  assert.is(state['status'], 'assigned');
  assert.is(state['deviceId'], deviceId);

  const { emulator } = target;
  if (emulator === undefined) return;
  assert.is(result.assignedHub, emulator.hostName);
  assert.equal(result.payload, { model: 7 });
  const twin = (await target.service.call('GET', `/twins/${deviceId}`)) as any;
  assert.equal(twin.tags, { site: 'barn' });
  assert.is(twin.properties.desired.level, 3);
  assert.is(twin.capabilities.iotEdge, true);
  const login = `HostName=${result.assignedHub};DeviceId=${deviceId};SharedAccessKey=${key}`;
  const client = await sdkClient(emulator, login);
  await client.open();
  await client.close();
  // Asked again, it is the same device; deleted at the hub, it is made anew.
  assert.is((await target.registerByKey(id, key)).deviceId, deviceId);
  await target.service.call('DELETE', `/devices/${deviceId}`, undefined, { anyEtag: true });
  await target.registerByKey(id, key);
  assert.ok(emulator.connectionString(deviceId)?.includes(key));
});

test('a group by key: each device has a key derived from the group’s', async ({ target }) => {
  const [group, key] = [target.newId(), newKey()];
  await target.enrol('enrollmentGroups', group, byKey(key));
  const ids = [target.newId(), target.newId()];
  for (const id of ids) {
    const { deviceId, status } = await target.registerByKey(id, derivedKey(key, id));
    assert.equal([deviceId, status], [id, 'assigned']);
  }
  const states = (await target.service.call('POST', `/registrations/${group}/query`, {
    query: 'SELECT * FROM enrollments',
  })) as JsonObject[];
  assert.equal(states.map((state) => state['registrationId']).toSorted(), ids.toSorted());
  await rejection(target.registerByKey(ids[0] as string, derivedKey(key, ids[1] as string)));
});

test('an individual enrolment by certificate', async ({ target }) => {
  const id = target.newId();
  const [right, wrong] = [await selfSigned(id), await selfSigned(id)];
  const x509 = { clientCertificates: { primary: { certificate: right.cert } } };
  await target.enrol('enrollments', id, { attestation: { type: 'x509', x509 } });
  const { deviceId, assignedHub } = await target.registerByCertificate(id, right);
  assert.is(deviceId, id);
  await rejection(target.registerByCertificate(id, wrong));
  const { emulator } = target;
  if (emulator === undefined) return;
  const login = `HostName=${assignedHub};DeviceId=${id};x509=true`;
  const client = await sdkClient(emulator, login, { cert: right.cert, key: right.key });
  await client.open();
  await client.close();
});

test('a group by certificate: whatever its authority issued, through one between', async ({
  target,
}) => {
  if (target.emulator === undefined) return; // A real service wants proof of possession first.
  const [group, id] = [target.newId(), target.newId()];
  const root = await newAuthority('isolet test root');
  const between = await newAuthority('isolet test line 3', root);
  const x509 = { signingCertificates: { primary: { certificate: between.cert } } };
  await target.enrol('enrollmentGroups', group, { attestation: { type: 'x509', x509 } });
  const device = await between.issue(id);
  assert.is((await target.registerByCertificate(id, device)).deviceId, id);
  const stranger = await (await newAuthority('another root')).issue(id);
  await rejection(target.registerByCertificate(id, stranger));
  const named = await between.issue('somebody-else');
  await rejection(target.registerByCertificate(id, named));
  const old = await between.issue(id, { fromDays: -9, toDays: -2 });
  await rejection(target.registerByCertificate(id, old));

  // By its root: what an authority below it issued, when the device shows that one, too.
  const signingCertificates = { primary: { certificate: root.cert } };
  const attestation = { type: 'x509', x509: { signingCertificates } };
  await target.enrol('enrollmentGroups', target.newId(), { attestation });
  const other = target.newId();
  const below = await (await newAuthority('isolet test line 4', root)).issue(other);
  assert.is((await target.registerByCertificate(other, below)).deviceId, other);
});

test('a wrong key, an unknown registration and a disabled enrolment are refused', async ({
  target,
}) => {
  const [id, key] = [target.newId(), newKey()];
  const enrolled = await target.enrol('enrollments', id, byKey(key));
  await rejection(target.registerByKey(id, newKey()));
  await rejection(target.registerByKey(target.newId(), key));
  await target.service.call(
    'PUT',
    `/enrollments/${id}`,
    { ...enrolled, ...byKey(key), provisioningStatus: 'disabled' },
    { anyEtag: true },
  );
  await rejection(target.registerByKey(id, key));
});

test.run();
