/** DPS without any SDK: over HTTPS as the identity service does it, its refusals, and what people type. */
import { randomBytes } from 'node:crypto';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { JsonObject } from '../../src/core/json.ts';
import { derivedKey } from '../../src/emulator/registrations.ts';
import { createSas, rest, startHub } from './hub-kit.ts';

type Hub = Awaited<ReturnType<typeof startHub>>;
const test = suite<{ hub: Hub }>('dps');
const KEY = randomBytes(32).toString('base64');
const OTHER = randomBytes(32).toString('base64');
const byKey = (primaryKey: string): JsonObject => ({
  attestation: { type: 'symmetricKey', symmetricKey: { primaryKey, secondaryKey: OTHER } },
});
const token = (hub: Hub, id: string, key = KEY, lifeMs = 30_000): string =>
  createSas(`${hub.idScope}/registrations/${id}`, key, Date.now() + lifeMs, 'registration');
const at = (hub: Hub, id: string, more: string): string =>
  `/${hub.idScope}/registrations/${id}${more}?api-version=2021-06-01`;

test.before(async (context) => {
  context.hub = await startHub({ settings: { dpsAssignMs: 30 } });
});
test.after(async ({ hub }) => await hub.forget());

test('register, ask until it is assigned, look at it again', async ({ hub }) => {
  const made = await rest(hub, 'PUT', '/enrollments/Board-1', { body: byKey(KEY) });
  assert.is(made.status, 200);
  assert.equal(made.json.attestation, { type: 'symmetricKey' }, 'no keys unless asked for');
  const own = { token: token(hub, 'board-1') };
  const body = { registrationId: 'board-1', payload: { model: 7 } };
  const begun = await rest(hub, 'PUT', at(hub, 'board-1', '/register'), { ...own, body });
  assert.is(begun.status, 202);
  assert.is(begun.json.status, 'assigning');
  const operation = at(hub, 'board-1', `/operations/${begun.json.operationId}`);
  assert.is((await rest(hub, 'GET', operation, own)).status, 202);
  let answer = await rest(hub, 'GET', operation, own);
  for (; answer.status === 202; answer = await rest(hub, 'GET', operation, own));
  const { registrationState: state } = answer.json;
  assert.equal(
    [answer.json.status, state.status, state.substatus, state.assignedHub, state.deviceId],
    ['assigned', 'assigned', 'initialAssignment', hub.hostName, 'board-1'],
  );
  assert.equal(state.payload, { model: 7 });
  const seen = await rest(hub, 'POST', at(hub, 'board-1', ''), own);
  assert.equal(seen.json, state);
  assert.ok(hub.connectionString('board-1')?.includes(KEY));
});

test('refusals have the service’s status, number and shape', async ({ hub }) => {
  await rest(hub, 'PUT', '/enrollments/board-2', { body: byKey(KEY) });
  await rest(hub, 'PUT', '/enrollmentGroups/line', { body: byKey(KEY) });
  const path = at(hub, 'board-2', '/register');
  const put = (more: object, to = path) => rest(hub, 'PUT', to, more);
  const wrong = [
    await put({ token: token(hub, 'board-2', OTHER.replace(/^./, 'A')) }),
    await put({ token: token(hub, 'board-2', KEY, -600_000) }),
    await put({ token: token(hub, 'board-1') }),
    await put({ token: '' }),
    await put({ token: 'SharedAccessSignature nonsense' }),
    await put({ token: token(hub, 'board-2') }, path.replace(hub.idScope, '0neOTHER')),
    // The key of its group, where the device has an enrolment of its own.
    await put({ token: token(hub, 'board-2', derivedKey(KEY, 'board-2')) }),
    await put({ token: token(hub, 'stranger') }, at(hub, 'stranger', '/register')),
  ];
  for (const { status, json } of wrong) {
    assert.is(status, 401);
    assert.is(json.errorCode, 401002);
    assert.ok(json.trackingId);
    assert.is(json.message, 'Unauthorized');
    assert.ok(json.timestampUtc);
  }
  const own = { token: token(hub, 'board-2') };
  const another = await put({ ...own, body: { registrationId: 'board-3' } });
  assert.equal([another.status, another.json.errorCode], [400, 400004]);
  const state = await rest(hub, 'POST', at(hub, 'board-2', ''), own);
  assert.equal([state.status, state.json.errorCode], [404, 404201]);
  await put(own);
  const operation = await rest(hub, 'GET', at(hub, 'board-2', '/operations/4.none'), own);
  assert.equal([operation.status, operation.json.errorCode], [404, 404209]);
  const group = { token: token(hub, 'third', derivedKey(KEY, 'third')) };
  assert.is((await put(group, at(hub, 'third', '/register'))).status, 202);
});

test('enrolments: etags, keys, bad bodies, and nobody without a right', async ({ hub }) => {
  const path = '/enrollments/board-4';
  const made = await rest(hub, 'PUT', path, { body: byKey('') });
  const keys = await rest(hub, 'POST', `${path}/attestationmechanism`);
  const { primaryKey } = keys.json.symmetricKey;
  assert.is(Buffer.from(primaryKey, 'base64').length, 32, 'it makes one');
  assert.is((await rest(hub, 'PUT', path, { body: byKey(KEY) })).status, 409);
  const change = (etag: string) =>
    rest(hub, 'PUT', path, {
      body: { ...made.json, provisioningStatus: 'disabled' },
      headers: { 'if-match': `"${etag}"` },
    });
  assert.is((await change('b3RoZXI=')).status, 412);
  assert.is((await change(made.json.etag)).json.provisioningStatus, 'disabled');
  const kept = await rest(hub, 'POST', `${path}/attestationmechanism`);
  assert.is(kept.json.symmetricKey.primaryKey, primaryKey, 'a change without keys keeps them');
  for (const [body, problem] of [
    [{}, /attestation\.type must be "symmetricKey" or "x509"/],
    [{ attestation: { type: 'tpm' } }, /"tpm" is not supported/],
    [byKey('short'), /16 to 64 bytes/],
    [{ attestation: { type: 'x509' } }, /clientCertificates\.primary\.certificate is missing/],
    [
      {
        attestation: {
          type: 'x509',
          x509: { clientCertificates: { primary: { certificate: 'x' } } },
        },
      },
      /is no certificate/,
    ],
    [{ ...byKey(KEY), registrationId: 'other' }, /not the one in the address/],
    [{ ...byKey(KEY), provisioningStatus: 'on' }, /"enabled" or "disabled"/],
  ] as const) {
    const refused = await rest(hub, 'PUT', '/enrollments/new', { body });
    assert.is(refused.status, 400);
    assert.is(refused.json.errorCode, 400004);
    assert.match(refused.json.message, problem);
  }
  assert.is((await rest(hub, 'PUT', '/enrollments/-x', { body: byKey(KEY) })).status, 400);
  const device = hub.createDevice('nosy');
  const nosy = /SharedAccessKey=(.*)/.exec(device)?.[1] as string;
  const its = createSas(`${hub.hostName}/devices/nosy`, nosy, Date.now() + 30_000);
  assert.is((await rest(hub, 'GET', path, { token: its })).status, 401);
  assert.is((await rest(hub, 'DELETE', path)).status, 204);
  assert.is((await rest(hub, 'GET', path)).status, 404);
  assert.is((await rest(hub, 'GET', '/registrations/nobody')).status, 404);
});

test('enrolments are listed page by page, and only all of them', async ({ hub }) => {
  for (const id of ['page-a', 'Page-b', 'page-c']) {
    await rest(hub, 'PUT', `/enrollmentGroups/${id}`, { body: byKey(KEY) });
  }
  const all: string[] = [];
  let continuation = '';
  do {
    const page = await rest(hub, 'POST', '/enrollmentGroups/query', {
      body: { query: 'SELECT * FROM enrollmentGroups' },
      headers: { 'x-ms-max-item-count': '2', 'x-ms-continuation': continuation },
    });
    assert.is(page.status, 200);
    assert.ok(page.json.length <= 2);
    all.push(...page.json.map((each: JsonObject) => String(each['enrollmentGroupId'])));
    continuation = String(page.headers['x-ms-continuation'] ?? '');
  } while (continuation !== '');
  const pages = all.filter((id) => id.toLowerCase().startsWith('page-'));
  assert.equal(pages, ['page-a', 'Page-b', 'page-c']);
  for (const query of [undefined, 'SELECT * FROM enrollments WHERE deviceId = "x"']) {
    const body = { query: query ?? null };
    const refused = await rest(hub, 'POST', '/enrollments/query', { body });
    assert.equal([refused.status, refused.json.errorCode], [400, 400004]);
  }
});

test('overloaded, it says when to come back', async ({ hub }) => {
  await rest(hub, 'PUT', '/enrollments/board-7', { body: byKey(KEY) });
  const own = { token: token(hub, 'board-7') };
  hub.faults.change({ throttle: true });
  try {
    const { status, json, headers } = await rest(hub, 'PUT', at(hub, 'board-7', '/register'), own);
    assert.equal([status, json.errorCode], [429, 429001]);
    assert.ok(Number(headers['retry-after']) > 0);
  } finally {
    hub.faults.change({ throttle: false });
  }
  assert.is((await rest(hub, 'PUT', at(hub, 'board-7', '/register'), own)).status, 202);
});

test('what is enrolled and registered survives a restart', async () => {
  const hub = await startHub({ settings: { dpsAssignMs: 1 } });
  await rest(hub, 'PUT', '/enrollments/board-5', { body: byKey(KEY) });
  const own = { token: token(hub, 'board-5') };
  await rest(hub, 'PUT', at(hub, 'board-5', '/register'), own);
  await hub.close();
  const again = await startHub({ dataDir: hub.dataDir });
  const seen = await rest(again, 'POST', at(again, 'board-5', ''), own);
  assert.is(seen.json.status, 'assigned');
  await again.forget();
});

test('registration ids are compared without case', async ({ hub }) => {
  await rest(hub, 'PUT', '/enrollments/board-6', { body: byKey(KEY) });
  const own = { token: token(hub, 'board-6') };
  assert.is((await rest(hub, 'PUT', at(hub, 'BOARD-6', '/register'), own)).status, 202);
});

test.run();
