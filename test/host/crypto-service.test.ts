/** The host's crypto service against a hostile guest: tickets, limits, what is told of errors. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { isJsonObject, type Json, type JsonObject } from '../../src/core/json.ts';
import { type CryptoLimits, defaultCryptoLimits } from '../../src/host/crypto-limits.ts';
import { createCryptoServiceWith } from '../../src/host/crypto-service.ts';
import { within } from '../fakes/within.ts';

const LIMIT_MS = 20_000;
const test = suite('crypto service');

type Service = ReturnType<typeof createCryptoServiceWith>;

const open = (limits: Partial<CryptoLimits> = {}): Service =>
  createCryptoServiceWith({ ...defaultCryptoLimits, ...limits });
const bytes = (text: string | Buffer): Json => ({ b: Buffer.from(text).toString('base64') });
const hmac = { name: 'HMAC', hash: { name: 'SHA-256' } };

async function object(asked: Promise<Json>): Promise<JsonObject> {
  const value = await within(LIMIT_MS, 'the answer', asked);
  assert.ok(isJsonObject(value));
  return value as JsonObject;
}

async function refusal(asked: Promise<Json>): Promise<string> {
  const [result] = await within(LIMIT_MS, 'the answer', Promise.allSettled([asked]));
  if (result?.status !== 'rejected') throw new Error('it was taken');
  return (result.reason as Error).message;
}

const imported = (service: Service, extractable = false): Promise<JsonObject> =>
  object(
    service.ask('importKey', {
      format: 'raw',
      data: bytes('the secret material of a key'),
      algorithm: hmac,
      extractable,
      usages: ['sign'],
    }),
  );

const signed = (service: Service, key: Json): Promise<Json> =>
  service.ask('sign', { algorithm: { name: 'HMAC' }, key, data: bytes('data') });

test('a ticket opens where it was sealed, and nowhere else', async () => {
  const [one, other] = [open(), open()];
  const { ticket = null } = await imported(one);
  assert.type(await signed(one, ticket), 'string');
  assert.is(
    await refusal(signed(other, ticket)),
    'InvalidAccessError: this is no key of this module',
  );
  one.close();
  assert.match(await refusal(signed(one, ticket)), 'ECANCELED');
});

test('no ticket can be made up or changed', async () => {
  const service = open({ keysAtHand: 0 });
  const { ticket } = await imported(service);
  const sealed = Buffer.from(ticket as string, 'base64');
  const forged: Json[] = [null, 1, '', 'AAAA', {}, [ticket as string], 'x'.repeat(100_000)];
  for (let at = 0; at < sealed.length; at += 7) {
    const changed = Buffer.from(sealed);
    changed[at] = (changed[at] as number) ^ 1;
    forged.push(changed.toString('base64'), sealed.subarray(0, at).toString('base64'));
  }
  for (const each of forged) {
    assert.is(
      await refusal(signed(service, each)),
      'InvalidAccessError: this is no key of this module',
    );
  }
  assert.type(await signed(service, ticket as string), 'string');
});

test('a key that is not to be exported says nothing of itself', async () => {
  const service = open();
  const facts = await imported(service);
  const material = 'the secret material of a key';
  const shown =
    JSON.stringify(facts) + Buffer.from(facts['ticket'] as string, 'base64').toString('latin1');
  assert.not.match(shown, material.slice(0, 8));
  assert.not.match(shown, Buffer.from(material).toString('base64').slice(0, 12));
  const key = facts['ticket'] as string;
  for (const format of ['raw', 'jwk']) {
    assert.match(await refusal(service.ask('exportKey', { format, key })), 'InvalidAccessError');
  }
  const wrapping = await object(
    service.ask('generateKey', {
      algorithm: { name: 'AES-KW', length: 128 },
      extractable: true,
      usages: ['wrapKey'],
    }),
  );
  const wrapped = service.ask('wrapKey', {
    format: 'raw',
    key,
    wrappingKey: wrapping['ticket'] as string,
    algorithm: { name: 'AES-KW' },
  });
  assert.match(await refusal(wrapped), 'InvalidAccessError');
  // Nor may it do what it was not made for, whatever the guest's own copy says.
  const verified = service.ask('verify', {
    algorithm: { name: 'HMAC' },
    key,
    signature: bytes('x'),
    data: bytes('data'),
  });
  assert.match(await refusal(verified), 'InvalidAccessError');
});

test('keys are as good after they were put away as before', async () => {
  const service = open({ keysAtHand: 1 });
  const kinds: readonly (readonly [JsonObject, readonly string[], JsonObject])[] = [
    [{ name: 'HMAC', hash: { name: 'SHA-1' }, length: 21 }, ['sign'], { name: 'HMAC' }],
    [{ name: 'ECDSA', namedCurve: 'P-384' }, ['sign'], { name: 'ECDSA', hash: { name: 'SHA-1' } }],
    [{ name: 'Ed25519' }, ['sign'], { name: 'Ed25519' }],
    [
      {
        name: 'RSA-PSS',
        hash: { name: 'SHA-1' },
        modulusLength: 1024,
        publicExponent: bytes(Buffer.from([1, 0, 1])),
      },
      ['sign'],
      { name: 'RSA-PSS', saltLength: 8 },
    ],
  ];
  for (const [algorithm, usages, how] of kinds) {
    const made = await object(
      service.ask('generateKey', { algorithm, extractable: false, usages }),
    );
    const key = ((made['privateKey'] as JsonObject | undefined) ?? made)['ticket'] as string;
    await imported(service);
    assert.type(await service.ask('sign', { algorithm: how, key, data: bytes('a') }), 'string');
  }
});

test('what is too much is refused in a sentence', async () => {
  const service = open({ bytesMax: 1000, keyBytesMax: 100, roundsMax: 1000 });
  const much = bytes(Buffer.alloc(1001));
  const sentences = [
    await refusal(service.ask('digest', { algorithm: { name: 'SHA-1' }, data: much })),
    await refusal(
      service.ask('importKey', {
        format: 'raw',
        data: bytes(Buffer.alloc(101)),
        algorithm: hmac,
        extractable: true,
        usages: ['sign'],
      }),
    ),
    await refusal(
      service.ask('generateKey', {
        algorithm: {
          name: 'RSA-PSS',
          hash: { name: 'SHA-1' },
          modulusLength: 8192,
          publicExponent: bytes(Buffer.from([3])),
        },
        extractable: true,
        usages: ['sign'],
      }),
    ),
    await refusal(
      service.ask('pbkdf2', {
        password: bytes('a'),
        salt: bytes('b'),
        iterations: 1001,
        length: 1,
        hash: 'sha1',
      }),
    ),
    await refusal(
      service.ask('pbkdf2', {
        password: bytes('a'),
        salt: bytes('b'),
        iterations: 600,
        length: 21,
        hash: 'sha1',
      }),
    ),
    await refusal(
      service.ask('scrypt', {
        password: bytes('a'),
        salt: bytes('b'),
        length: 8,
        cost: 2 ** 20,
        blockSize: 8,
        parallelization: 1,
        memory: 2 ** 40,
      }),
    ),
  ];
  const begins = [
    'OperationError: this is more at once than the runtime takes: 1000 bytes; do it in parts',
    'OperationError: this is more at once than the runtime takes: 100 bytes; do it in parts',
    'OperationError: a new RSA key has at most 4096 bits here',
    'TypeError: crypto: "iterations" must be a whole number from 0 to 1000',
    'OperationError: PBKDF2 has at most 1000 iterations here',
    'OperationError: Invalid scrypt params',
  ];
  for (const [i, sentence] of sentences.entries())
    assert.ok(sentence.startsWith(begins[i] ?? '?'), sentence);
});

test('anything at all is answered, and without a word of the host', async () => {
  const service = open();
  const odd: readonly Json[] = [
    null,
    [],
    {},
    'x',
    { algorithm: 'SHA-1' },
    { algorithm: { name: '__proto__' } },
    { algorithm: { name: 'SHA3-256' }, data: bytes('') },
    { algorithm: { name: 'HMAC', hash: { name: 'HMAC', hash: { name: 'HMAC' } } } },
    { algorithm: { name: 'AES-CBC', iv: 'x' }, key: 'x', data: { b: 1 } },
    { algorithm: { name: 'ECDH', public: null }, key: null, length: -1 },
    { format: 'constructor', key: null },
    JSON.parse('{"algorithm":{"name":"SHA-1","__proto__":{"x":1}},"data":{"b":"!!"}}'),
  ];
  const words =
    'digest encrypt decrypt sign verify generateKey importKey exportKey deriveBits deriveKey wrapKey unwrapKey pbkdf2 scrypt hkdf'.split(
      ' ',
    );
  for (const what of [...words, 'constructor', '__proto__', '']) {
    for (const args of odd) {
      const [result] = await Promise.allSettled([service.ask(what, args)]);
      if (result?.status !== 'rejected') continue;
      assert.match(
        (result.reason as Error).message,
        /^(?:TypeError|NotSupportedError|InvalidAccessError|OperationError|ENOSYS): /,
      );
      assert.not.match((result.reason as Error).message, /node:|\/|\bat\b/);
    }
  }
});

test('one module has few operations under way at once, in their order', async () => {
  const service = open({ atOnceMax: 1 });
  const order: string[] = [];
  const slow = service
    .ask('pbkdf2', {
      password: bytes('a'),
      salt: bytes('b'),
      iterations: 200_000,
      length: 8,
      hash: 'sha256',
    })
    .then(() => order.push('slow'));
  const fast = signed(service, (await imported(open()))['ticket'] as string).catch(() =>
    order.push('fast'),
  );
  await within(LIMIT_MS, 'both', Promise.all([slow, fast]));
  assert.equal(order, ['slow', 'fast']);
});

test.run();
