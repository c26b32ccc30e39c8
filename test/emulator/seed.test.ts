/** First contents from a file: what it may hold, what it says of mistakes, and that it never overwrites. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Json } from '../../src/core/json.ts';
import { readSeed } from '../../src/emulator/seed.ts';
import { newAuthority } from './certificates.ts';
import { fieldsOf, newFolder, rest, startHub } from './hub-kit.ts';

const test = suite('seed');
const KEY = Buffer.alloc(32, 7).toString('base64');
const folder = newFolder();
test.after(() => rmSync(folder, { recursive: true }));

function seedFile(contents: Json): string {
  const file = join(folder, 'seed.json');
  writeFileSync(file, JSON.stringify(contents));
  return file;
}

test('devices, modules, twins, keys and authorities are there from the start', async () => {
  const { cert } = await newAuthority('factory');
  writeFileSync(join(folder, 'factory.pem'), cert);
  const file = seedFile({
    policies: [{ name: 'iothubowner', primaryKey: KEY }],
    certificates: [{ name: 'factory', file: 'factory.pem' }],
    devices: [
      {
        deviceId: 'edge1',
        capabilities: { iotEdge: true },
        authentication: { type: 'sas', symmetricKey: { primaryKey: KEY } },
        tags: { site: 'barn' },
        properties: { desired: { a: 1 }, reported: { b: 2 } },
        modules: [{ moduleId: 'filter', properties: { desired: { threshold: 25 } } }],
      },
      { deviceId: 'leaf1', authentication: { type: 'certificateAuthority' }, status: 'disabled' },
    ],
    enrollments: [{ registrationId: 'board-1', attestation: { type: 'symmetricKey' } }],
    enrollmentGroups: [{ enrollmentGroupId: 'line-3', attestation: { type: 'symmetricKey' } }],
  });
  const hub = await startHub({ seed: readSeed(file) });
  assert.is(fieldsOf(hub.ownerConnectionString)['SharedAccessKey'], KEY);
  assert.is(fieldsOf(hub.connectionString('edge1') as string)['SharedAccessKey'], KEY);
  assert.match(hub.connectionString('leaf1') as string, /DeviceId=leaf1;x509=true$/);
  const { json: twin } = await rest(hub, 'GET', '/twins/edge1');
  assert.equal(twin.tags, { site: 'barn' });
  assert.is(twin.properties.desired.a, 1);
  assert.is(twin.properties.reported.b, 2);
  const { json: module } = await rest(hub, 'GET', '/twins/edge1/modules/filter');
  assert.is(module.properties.desired.threshold, 25);
  assert.is((await rest(hub, 'GET', '/devices/leaf1')).json.status, 'disabled');

  assert.is((await rest(hub, 'GET', '/enrollments/board-1')).status, 200);
  assert.is((await rest(hub, 'GET', '/enrollmentGroups/line-3')).status, 200);

  // Sown again it leaves alone what is there and makes what is missing.
  await rest(hub, 'PATCH', '/twins/edge1', { body: { properties: { desired: { a: 99 } } } });
  await rest(hub, 'DELETE', '/devices/edge1/modules/filter');
  await hub.close();
  const again = await startHub({ dataDir: hub.dataDir, seed: readSeed(file) });
  assert.is((await rest(again, 'GET', '/twins/edge1')).json.properties.desired.a, 99);
  assert.is((await rest(again, 'GET', '/devices/edge1/modules/filter')).status, 200);
  await again.close();

  // A reset forgets everything but the certificate.
  const fresh = await startHub({ dataDir: hub.dataDir, reset: true });
  assert.equal(fresh.devices(), {});
  await fresh.forget();
});

test('every mistake is told, and nothing is sown', async () => {
  const file = seedFile({
    policies: [
      { name: 'nobody', primaryKey: KEY },
      { name: 'service', primaryKey: 'short' },
    ],
    certificates: [
      { name: 'x', file: 'absent.pem' },
      { name: 'y', pem: 'no certificate' },
    ],
    devices: [
      { deviceId: 'good' },
      { deviceId: 'bad id' },
      { deviceId: 'd', properties: { desired: { 'a.b': 1 } } },
      'd3',
      {},
    ],
    more: [],
  });
  try {
    await startHub({ seed: readSeed(file) });
    assert.unreachable();
  } catch (cause) {
    const { message } = cause as Error;
    for (const words of [
      'there is no section more',
      'policies[0]: there is no policy nobody',
      'policies[1]: a key has 16 to 64 bytes',
      'absent.pem cannot be read (ENOENT)',
      'certificates[1]: y is no certificate of an authority',
      'devices[1]: an id has 1 to 128',
      'devices[2]: the name a.b holds a dot',
      'devices[3]: it must be an object',
      'devices[4]: deviceId must be a text',
    ]) {
      assert.ok(message.includes(words), `${words}: ${message}`);
    }
  }
});

test('a file that is none says so', () => {
  for (const [file, words] of [
    [join(folder, 'absent.json'), /the seed .* cannot be read as JSON: ENOENT/],
    [seedFile([]), /the seed .* must be a JSON object/],
  ] as const) {
    assert.throws(
      () => readSeed(file),
      (error: Error) => words.test(error.message),
    );
  }
});

test.run();
