/** `[provisioning]` as IoT Edge writes it, and each mistake with its line and its remedy. */
import { cpSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Config, parseConfig, readConfig } from '../src/config.ts';
import { Fault } from '../src/core/fault.ts';
import { selfSigned } from './emulator/certificates.ts';

const test = suite('config, provisioning');
const KEY = 'c2VjcmV0LXNlY3JldA==';
const DAY_MS = 86_400_000;
const folder = mkdtempSync(join(tmpdir(), 'isolet-provisioning-'));
const FILE = join(folder, 'config.toml');

const put = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return `"file://${join(folder, name)}"`;
};
const [board, other] = [await selfSigned('board-1'), await selfSigned('other')];
const old = await selfSigned('board-1', { fromDays: -9, toDays: -2 });
const later = await selfSigned('board-1', { fromDays: 2, toDays: 9 });
const cert = put('board.pem', board.cert);
const pk = put('board.key', board.key);

const read = (text: string, nowMs?: number): Config => parseConfig(text, FILE, nowMs);

function problem(text: string, nowMs?: number): string {
  try {
    read(text, nowMs);
  } catch (cause) {
    if (cause instanceof Fault && cause.code === 'CONFIG_INVALID') return cause.message;
    throw cause;
  }
  throw new Error('nothing was wrong');
}

const manual = (lines: string): string => `[provisioning]\nsource = "manual"\n${lines}\n`;
const byParts = (authentication: string): string =>
  manual(
    `iothub_hostname = "plant.azure-devices.net"\ndevice_id = "board-1"\n[provisioning.authentication]\n${authentication}`,
  );
const dps = (attestation: string, more = ''): string =>
  `${more}\n[provisioning]\nsource = "dps"\nid_scope = "0ne00ABCDEF"\n[provisioning.attestation]\n${attestation}\n`;

test('a config.toml of IoT Edge with everything in it is accepted as it is', () => {
  cpSync(join(import.meta.dirname, 'fixtures/config/aziot.toml'), FILE);
  put('trust.pem', board.cert);
  const { provisioning, unhonoured, cloudMs } = readConfig(FILE);
  assert.equal(provisioning, {
    source: 'manual',
    device: {
      hostName: 'plant.azure-devices.net',
      deviceId: 'board-1',
      proof: { kind: 'key', key: KEY },
    },
  });
  assert.is(cloudMs, 10_000);
  assert.equal(unhonoured, [
    'parent_hostname',
    'imported_master_encryption_key',
    'cert_issuance',
    'tpm',
    'aziot_keys',
    'agent',
    'connect',
    'listen',
    'watchdog',
    'edge_ca',
    'image_garbage_collection',
    'moby_runtime',
  ]);
});

test('a device by its parts: a key by value or by file, or a certificate', () => {
  const device = { hostName: 'plant.azure-devices.net', deviceId: 'board-1' };
  const key = { source: 'manual', device: { ...device, proof: { kind: 'key', key: KEY } } };
  const byValue = byParts(`method = "sas"\ndevice_id_pk = { value = "${KEY}" }`);
  assert.equal(read(byValue).provisioning, key);
  const file = put('device.key', `${KEY}\n`);
  assert.equal(read(byParts(`method = "sas"\ndevice_id_pk = { uri = ${file} }`)).provisioning, key);
  const x509 = byParts(`method = "x509"\nidentity_cert = ${cert}\nidentity_pk = ${pk}`);
  const proof = { kind: 'certificate', certificate: board.cert, privateKey: board.key };
  assert.equal(read(x509).provisioning, { source: 'manual', device: { ...device, proof } });
});

test('DPS: a symmetric key or a certificate, whose common name is the registration id', () => {
  const text = dps(
    `method = "symmetric_key"\nregistration_id = "board-1"\nsymmetric_key = { value = "${KEY}" }`,
    'auto_reprovisioning_mode = "OnErrorOnly"',
  );
  const expected = {
    source: 'dps',
    endpoint: 'global.azure-devices-provisioning.net',
    idScope: '0ne00ABCDEF',
    registrationId: 'board-1',
    payload: undefined,
  };
  assert.equal(read(text).provisioning, {
    ...expected,
    proof: { kind: 'key', key: KEY },
    reprovisioning: 'OnErrorOnly',
  });
  const payload = put('payload.json', '{"model":7}');
  const x509 = dps(`method = "x509"\nidentity_cert = ${cert}\nidentity_pk = ${pk}`).replace(
    'id_scope',
    `global_endpoint = "https://localhost:8443/"\npayload = { uri = ${payload} }\nid_scope`,
  );
  assert.equal(read(x509).provisioning, {
    ...expected,
    endpoint: 'localhost:8443',
    payload: { model: 7 },
    proof: { kind: 'certificate', certificate: board.cert, privateKey: board.key },
    reprovisioning: 'Dynamic',
  });
});

test('each mistake is told with its line and what to do', () => {
  const wrong: readonly (readonly [string, string])[] = [
    [
      manual('connection_string = "HostName=h;DeviceId=d"'),
      ':3: provisioning.connection_string: the device',
    ],
    [manual('connection_string = "HostName=h;DeviceId=d"'), 'it has no SharedAccessKey'],
    [
      manual('connection_string = "HostName=h;DeviceId=d;SharedAccessKey=%"'),
      'its SharedAccessKey is not base64',
    ],
    [
      manual(
        `connection_string = "HostName=plant.azure-devices.net:8883;DeviceId=d;SharedAccessKey=${KEY}"`,
      ),
      'its HostName must be without a port: write plant.azure-devices.net',
    ],
    [
      manual(`connection_string = "HostName=h;DeviceId=d;SharedAccessKey=${KEY}"\ndevice_id = "d"`),
      'says it all: leave device_id out',
    ],
    [manual(''), 'provisioning.connection_string is missing: copy it from your hub'],
    [
      `hostname = "b"\n[provisionin]\nsource = "manual"\n`,
      ':2: provisionin is not known: did you mean provisioning?',
    ],
    [
      manual('conection_string = "x"'),
      ':3: provisioning.conection_string is not known: did you mean connection_string?',
    ],
    [byParts('method = "tpm"'), ':6: provisioning.authentication.method: a TPM is not supported'],
    [
      byParts('method = "sas"\ndevice_id_pk = { value = "not base64" }'),
      ':7: provisioning.authentication.device_id_pk is not base64',
    ],
    [
      byParts('method = "sas"\ndevice_id_pk = { uri = "pkcs11:slot-id=0" }'),
      ':7: provisioning.authentication.device_id_pk.uri: keys in hardware',
    ],
    [
      byParts(
        `method = "x509"\nidentity_cert = ${put('old.pem', old.cert)}\nidentity_pk = ${put('old.key', old.key)}`,
      ),
      ':7: provisioning.authentication.identity_cert has expired on',
    ],
    [
      byParts(
        `method = "x509"\nidentity_cert = ${put('later.pem', later.cert)}\nidentity_pk = ${put('later.key', later.key)}`,
      ),
      'identity_cert is valid only from',
    ],
    [
      byParts(
        `method = "x509"\nidentity_cert = ${cert}\nidentity_pk = ${put('other.key', other.key)}`,
      ),
      ':8: provisioning.authentication.identity_pk is not the key of the certificate',
    ],
    [
      byParts(`method = "x509"\nidentity_cert = ${pk}\nidentity_pk = ${cert}`),
      'identity_cert holds no PEM certificate',
    ],
    [
      byParts('method = "x509"\nidentity_cert = "file:///nowhere.pem"\nidentity_pk = "x.key"'),
      ':7: provisioning.authentication.identity_cert: /nowhere.pem cannot be read (ENOENT)',
    ],
    [
      byParts('method = "x509"\nidentity_cert = { method = "est" }\nidentity_pk = "x.key"'),
      'identity_cert: certificates are not fetched here yet: name a file',
    ],
    [
      dps('method = "tpm"\nregistration_id = "board-1"'),
      'provisioning.attestation.method: a TPM is not supported: use "symmetric_key" or "x509"',
    ],
    [
      dps(`method = "symmetric_key"\nsymmetric_key = { value = "${KEY}" }`),
      'provisioning.attestation.registration_id is missing',
    ],
    [
      dps(
        `method = "symmetric_key"\nregistration_id = "a b"\nsymmetric_key = { value = "${KEY}" }`,
      ),
      ':7: provisioning.attestation.registration_id must be letters, digits',
    ],
    [
      dps('method = "symmetric_key"', 'auto_reprovisioning_mode = "Never"'),
      ':1: auto_reprovisioning_mode must be Dynamic, AlwaysOnStartup, OnErrorOnly; it is "Never"',
    ],
  ];
  for (const [text, expected] of wrong) {
    const told = problem(text);
    assert.ok(told.includes(expected), `${expected}\n${told}`);
    assert.not.match(told, KEY);
  }
});

test('a board that believes it is 1970 takes a certificate that begins later', () => {
  const at = byParts(`method = "x509"\nidentity_cert = "later.pem"\nidentity_pk = "later.key"`);
  assert.is(read(at, 7 * DAY_MS).provisioning.source, 'manual');
});

test('text that is no TOML is told by its place, never shown', () => {
  const told = problem(
    `[provisioning]\nsource = "manual"\nconnection_string = "HostName=h;SharedAccessKey=${KEY}\n`,
  );
  assert.match(told, /config\.toml:3:\d+: it is not valid TOML: /);
  assert.not.match(told, KEY.slice(0, 8));
});

test.run();
