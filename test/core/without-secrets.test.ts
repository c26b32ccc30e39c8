import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Json } from '../../src/core/json.ts';
import { textWithoutSecrets, withoutSecrets } from '../../src/core/without-secrets.ts';

const test = suite('without secrets');

test('texts', () => {
  for (const [text, shown] of [
    ['HostName=h;DeviceId=d;SharedAccessKey=abc+/=', 'HostName=h;DeviceId=d;SharedAccessKey=…'],
    ['AccountName=a;AccountKey=abc==;X=1', 'AccountName=a;AccountKey=…;X=1'],
    ['https://a/c/b.tar?sv=1&sig=abc%3D#sha256=12', 'https://a/c/b.tar?sv=1&sig=…#sha256=12'],
    ['SharedAccessSignature sr=h&sig=abc&se=1', 'SharedAccessSignature sr=h&sig=…&se=1'],
    ['https://me:secret@registry/x', 'https://…@registry/x'],
    ['Authorization: Bearer abc', 'Authorization: …'],
    ['nothing of that kind', 'nothing of that kind'],
  ] as const) {
    assert.is(textWithoutSecrets(text), shown);
  }
});

test('environments, names that say it, createOptions in chunks', () => {
  const options = JSON.stringify({ Env: ['A=secret', 'B'], HostConfig: { Memory: 1 } });
  const given: Json = {
    env: { TOKEN: { value: 'secret' }, LEVEL: 'secret' },
    registryCredentials: { acr: { username: 'me', password: 'secret', address: 'a' } },
    provisioning: { connection_string: 'secret', source: 'manual' },
    primaryKey: 'secret',
    attestation: { symmetric_key: { value: 'secret' }, device_id_pk: { uri: 'secret' } },
    kept_keys: 5,
    modules: [
      {
        settings: {
          image: 'a:1',
          createOptions: options.slice(0, 9),
          createOptions01: options.slice(9),
        },
      },
      { settings: { createOptions: '{"Env": ["A=secret"' } },
    ],
  };
  const shown = withoutSecrets(given);
  assert.not.match(JSON.stringify(shown), 'secret');
  assert.equal(shown, {
    env: { TOKEN: '…', LEVEL: '…' },
    registryCredentials: { acr: { username: 'me', password: '…', address: 'a' } },
    provisioning: { connection_string: '…', source: 'manual' },
    primaryKey: '…',
    attestation: { symmetric_key: { value: '…' }, device_id_pk: { uri: '…' } },
    kept_keys: 5,
    modules: [
      {
        settings: {
          image: 'a:1',
          createOptions: { Env: ['A=…', 'B=…'], HostConfig: { Memory: 1 } },
        },
      },
      { settings: { createOptions: '…' } },
    ],
  });
});

test.run();
