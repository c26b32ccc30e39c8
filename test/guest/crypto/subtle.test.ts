/** crypto.subtle in an isolate: what it answers, and how it refuses, is what Node's own answers. */
import type { webcrypto } from 'node:crypto';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { inGuest } from './with-host.ts';

const test = suite('subtle');

type Pair = webcrypto.CryptoKeyPair;

/** The same function in the guest and in Node. */
async function asInNode(run: () => Promise<unknown>): Promise<void> {
  const [guest, node] = await Promise.all([inGuest(run), run()]);
  const plain = JSON.parse(JSON.stringify(node)) as unknown;
  assert.equal(guest, plain);
}

test('digests of every hash, in any case, of buffers and views', () =>
  asInNode(async () => {
    const hex = (bytes: ArrayBuffer): string => Buffer.from(bytes).toString('hex');
    const data = new TextEncoder().encode('abc');
    const found: string[] = [];
    for (const name of ['SHA-1', 'sha-256', 'Sha-384', 'SHA-512']) {
      found.push(hex(await crypto.subtle.digest(name, data)));
      found.push(hex(await crypto.subtle.digest({ name }, data.buffer)));
      found.push(hex(await crypto.subtle.digest(name, new Uint16Array([1, 2, 3]).subarray(1))));
      found.push(hex(await crypto.subtle.digest(name, new DataView(new ArrayBuffer(300), 7, 3))));
    }
    return found;
  }));

test('the younger digests, with what they take besides the data', () =>
  asInNode(async () => {
    const data = new TextEncoder().encode('abc');
    const found: string[] = [];
    const algorithms: readonly object[] = [
      ...['SHA3-256', 'sha3-384', 'SHA3-512'].map((name) => ({ name })),
      { name: 'cSHAKE128', outputLength: 256 },
      { name: 'cshake256', outputLength: 0 },
      { name: 'cSHAKE256', outputLength: 1024, customization: data, functionName: data },
      { name: 'TurboSHAKE128', outputLength: 80, domainSeparation: 7 },
      { name: 'TurboSHAKE256', outputLength: 512 },
      { name: 'KT128', outputLength: 256, customization: data },
      { name: 'KT256', outputLength: 512 },
      { name: 'cSHAKE128' },
      { name: 'KT128', outputLength: -1 },
      { name: 'TurboSHAKE128', outputLength: 0 },
      { name: 'TurboSHAKE128', outputLength: 8, domainSeparation: 128 },
    ];
    for (const algorithm of algorithms) {
      found.push(
        await crypto.subtle.digest(algorithm as never, data).then(
          (bytes) => Buffer.from(bytes).toString('hex'),
          (error: Error) => error.name,
        ),
      );
    }
    return found;
  }));

test('secret keys: made, imported, exported, used', () =>
  asInNode(async () => {
    const { subtle } = crypto;
    const hex = (bytes: ArrayBuffer): string => Buffer.from(bytes).toString('hex');
    const bytes = (length: number, from = 1): Uint8Array<ArrayBuffer> =>
      Uint8Array.from({ length }, (_, i) => (i * 7 + from) & 255);
    const found: unknown[] = [];
    const algorithms = [
      { name: 'aes-cbc', iv: bytes(16) },
      { name: 'AES-CTR', counter: bytes(16), length: 64 },
      { name: 'AES-GCM', iv: bytes(12) },
      { name: 'AES-GCM', iv: bytes(13), additionalData: bytes(5), tagLength: 96 },
    ];
    for (const algorithm of algorithms) {
      for (const size of [16, 24, 32]) {
        const raw = bytes(size, size);
        const key = await subtle.importKey('raw', raw, algorithm.name, true, [
          'encrypt',
          'decrypt',
        ]);
        const sealed = await subtle.encrypt(algorithm, key, bytes(33));
        const plain = await subtle.decrypt(algorithm, key, sealed);
        const jwk = await subtle.exportKey('jwk', key);
        const back = await subtle.importKey('jwk', jwk, algorithm.name, false, ['decrypt']);
        const again = await subtle.decrypt(algorithm, back, sealed);
        found.push(hex(sealed), hex(plain), hex(again), jwk, back.usages, back.extractable);
        found.push(key.type, key.algorithm, hex(await subtle.exportKey('raw', key)));
      }
    }
    for (const hash of ['SHA-1', 'SHA-256', 'SHA-384', 'SHA-512']) {
      for (const length of [undefined, 160, 250]) {
        const algorithm = { name: 'HMAC', hash, ...(length === undefined ? {} : { length }) };
        const key = await subtle.importKey(
          'raw',
          bytes(32).subarray(0, length ? Math.ceil(length / 8) : 32),
          algorithm,
          true,
          ['sign', 'verify'],
        );
        const tag = await subtle.sign('HMAC', key, bytes(100));
        found.push(hex(tag), await subtle.verify('HMAC', key, tag, bytes(100)), key.algorithm);
        found.push(await subtle.verify('HMAC', key, bytes(20), bytes(100)));
        const made = await subtle.generateKey(algorithm, false, ['sign']);
        found.push(made.algorithm, made.usages, made.extractable);
      }
    }
    return found;
  }));

test('keys in pairs: RSA, elliptic curves', () =>
  asInNode(async () => {
    const { subtle } = crypto;
    const data = new TextEncoder().encode('It is 21.5 degrees.');
    const publicExponent = new Uint8Array([1, 0, 1]);
    const found: unknown[] = [];
    const rsa = { modulusLength: 2048, publicExponent, hash: 'SHA-256' };
    const signing = [
      [{ name: 'RSASSA-PKCS1-v1_5', ...rsa }, 'RSASSA-PKCS1-v1_5'],
      [
        { name: 'RSA-PSS', ...rsa },
        { name: 'RSA-PSS', saltLength: 20 },
      ],
      [
        { name: 'ECDSA', namedCurve: 'P-256' },
        { name: 'ECDSA', hash: 'SHA-256' },
      ],
      [
        { name: 'ECDSA', namedCurve: 'P-521' },
        { name: 'ECDSA', hash: 'SHA-512' },
      ],
      ['Ed25519', 'ed25519'],
    ] as const;
    for (const [make, use] of signing) {
      const pair = (await subtle.generateKey(make as 'Ed25519', true, ['sign', 'verify'])) as Pair;
      const { publicKey, privateKey } = pair;
      const signature = await subtle.sign(use, privateKey, data);
      const importing = typeof make === 'string' ? make : { ...make };
      const pkcs8 = await subtle.exportKey('pkcs8', privateKey);
      const spki = await subtle.exportKey('spki', publicKey);
      const hidden = await subtle.importKey('pkcs8', pkcs8, importing as 'Ed25519', false, [
        'sign',
      ]);
      const open = await subtle.importKey('spki', spki, importing as 'Ed25519', true, ['verify']);
      const jwk = await subtle.exportKey('jwk', privateKey);
      const more = await subtle.importKey(
        'jwk',
        { ...jwk, key_ops: ['sign'], ext: false },
        importing as 'Ed25519',
        false,
        ['sign'],
      );
      found.push(await subtle.verify(use, publicKey, signature, data));
      found.push(await subtle.verify(use, open, await subtle.sign(use, hidden, data), data));
      found.push(await subtle.verify(use, open, await subtle.sign(use, more, data), data));
      found.push(await subtle.verify(use, open, signature, new Uint8Array(3)));
      found.push(publicKey.algorithm, publicKey.usages, privateKey.usages, hidden.type, open.type);
      found.push(Object.keys(jwk).toSorted(), Object.prototype.toString.call(publicKey));
      found.push(
        await subtle.exportKey('pkcs8', hidden).then(String, (error) => (error as Error).name),
      );
    }
    const oaep = (await subtle.generateKey({ name: 'RSA-OAEP', ...rsa }, false, [
      'encrypt',
      'decrypt',
    ])) as Pair;
    const label = new Uint8Array([1, 2]);
    const sealed = await subtle.encrypt({ name: 'RSA-OAEP', label }, oaep.publicKey, data);
    found.push(
      Buffer.from(
        await subtle.decrypt({ name: 'RSA-OAEP', label }, oaep.privateKey, sealed),
      ).toString(),
    );
    found.push(
      await subtle
        .decrypt('RSA-OAEP', oaep.privateKey, sealed)
        .then(String, (error) => (error as Error).name),
    );
    return found;
  }));

test('keys agreed on and derived', () =>
  asInNode(async () => {
    const { subtle } = crypto;
    const hex = (bytes: ArrayBuffer): string => Buffer.from(bytes).toString('hex');
    const found: unknown[] = [];
    for (const algorithm of [
      { name: 'ECDH', namedCurve: 'P-256' },
      { name: 'ECDH', namedCurve: 'P-384' },
      { name: 'ECDH', namedCurve: 'P-521' },
      { name: 'X25519' },
    ]) {
      const one = (await subtle.generateKey(algorithm, true, ['deriveBits', 'deriveKey'])) as Pair;
      const two = (await subtle.generateKey(algorithm, true, ['deriveBits', 'deriveKey'])) as Pair;
      const { name } = algorithm;
      const ours = await subtle.deriveBits({ name, public: two.publicKey }, one.privateKey, 256);
      const theirs = await subtle.deriveBits({ name, public: one.publicKey }, two.privateKey, 256);
      found.push(hex(ours) === hex(theirs), ours.byteLength);
      const all = await subtle.deriveBits({ name, public: two.publicKey }, one.privateKey, null);
      found.push(all.byteLength);
      const aes = await subtle.deriveKey(
        { name, public: two.publicKey },
        one.privateKey,
        { name: 'AES-GCM', length: 128 },
        true,
        ['encrypt'],
      );
      found.push(aes.algorithm, hex(await subtle.exportKey('raw', aes)) === hex(ours).slice(0, 32));
      const hkdf = await subtle.deriveKey(
        { name, public: two.publicKey },
        one.privateKey,
        'HKDF',
        false,
        ['deriveBits'],
      );
      const info = new Uint8Array(2);
      const other = await subtle.importKey('raw', all, 'HKDF', false, ['deriveBits']);
      const how = { name: 'HKDF', hash: 'SHA-256', salt: info, info };
      found.push(
        hkdf.algorithm,
        hex(await subtle.deriveBits(how, hkdf, 128)) ===
          hex(await subtle.deriveBits(how, other, 128)),
      );
    }
    const secret = new TextEncoder().encode('password');
    const salt = new TextEncoder().encode('salt');
    for (const hash of ['SHA-1', 'SHA-256', 'SHA-384', 'SHA-512']) {
      const key = await subtle.importKey('raw', secret, 'PBKDF2', false, [
        'deriveBits',
        'deriveKey',
      ]);
      const how = { name: 'PBKDF2', hash, salt, iterations: 1000 };
      found.push(hex(await subtle.deriveBits(how, key, 512)), key.algorithm, key.extractable);
      const mac = await subtle.deriveKey(how, key, { name: 'HMAC', hash }, true, ['sign']);
      found.push(mac.algorithm, hex(await subtle.exportKey('raw', mac)));
      const base = await subtle.importKey('raw', secret, 'HKDF', false, ['deriveBits']);
      found.push(
        hex(await subtle.deriveBits({ name: 'HKDF', hash, salt, info: secret }, base, 304)),
      );
    }
    return found;
  }));

test('keys wrapped and unwrapped', () =>
  asInNode(async () => {
    const { subtle } = crypto;
    const hex = (bytes: ArrayBuffer): string => Buffer.from(bytes).toString('hex');
    const raw = Uint8Array.from({ length: 32 }, (_, i) => i);
    const found: unknown[] = [];
    const wrapping = [
      ['AES-KW', 'AES-KW'],
      ['AES-GCM', { name: 'AES-GCM', iv: raw.subarray(0, 12) }],
      ['AES-CBC', { name: 'AES-CBC', iv: raw.subarray(0, 16) }],
    ] as const;
    for (const [name, how] of wrapping) {
      const wrapper = await subtle.importKey('raw', raw, name, false, ['wrapKey', 'unwrapKey']);
      const mac = await subtle.importKey('raw', raw, { name: 'HMAC', hash: 'SHA-1' }, true, [
        'sign',
      ]);
      const wrapped = await subtle.wrapKey('raw', mac, wrapper, how);
      const back = await subtle.unwrapKey(
        'raw',
        wrapped,
        wrapper,
        how,
        { name: 'HMAC', hash: 'SHA-1' },
        true,
        ['sign'],
      );
      found.push(hex(wrapped), hex(await subtle.exportKey('raw', back)), back.algorithm);
      if (name === 'AES-KW') continue;
      const jwk = await subtle.wrapKey('jwk', mac, wrapper, how);
      const again = await subtle.unwrapKey(
        'jwk',
        jwk,
        wrapper,
        how,
        { name: 'HMAC', hash: 'SHA-1' },
        false,
        ['sign'],
      );
      found.push(again.extractable, again.algorithm, hex(await subtle.sign('HMAC', again, raw)));
      const wrong = await subtle
        .unwrapKey('jwk', wrapped, wrapper, how, { name: 'HMAC', hash: 'SHA-1' }, false, ['sign'])
        .then(String, (error) => (error as Error).name);
      found.push(wrong);
      const pair = (await subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, [
        'sign',
        'verify',
      ])) as Pair;
      const hidden = await subtle.wrapKey('pkcs8', pair.privateKey, wrapper, how);
      const shown = await subtle.unwrapKey(
        'pkcs8',
        hidden,
        wrapper,
        how,
        { name: 'ECDSA', namedCurve: 'P-256' },
        true,
        ['sign'],
      );
      found.push(
        hex(await subtle.exportKey('pkcs8', shown)) ===
          hex(await subtle.exportKey('pkcs8', pair.privateKey)),
      );
    }
    return found;
  }));

test('refusals have the same names', () =>
  asInNode(async () => {
    const { subtle } = crypto;
    const bytes = new Uint8Array(16);
    const call = (name: string, ...args: unknown[]): Promise<unknown> =>
      (subtle as unknown as Record<string, (...given: unknown[]) => Promise<unknown>>)[name]?.(
        ...args,
      ) as Promise<unknown>;
    const aes = await subtle.generateKey({ name: 'AES-CBC', length: 128 }, false, ['encrypt']);
    const mac = await subtle.generateKey({ name: 'HMAC', hash: 'SHA-1' }, true, ['sign']);
    const pair = (await subtle.generateKey({ name: 'ECDH', namedCurve: 'P-256' }, true, [
      'deriveBits',
    ])) as Pair;
    const iv = bytes;
    const rsa = {
      name: 'RSA-PSS',
      hash: 'SHA-256',
      modulusLength: 2048,
      publicExponent: new Uint8Array([1, 0, 1]),
    };
    const calls: (readonly [string, ...unknown[]])[] = [
      ['digest'],
      ['digest', 'SHA-256'],
      ['digest', 'MD5', bytes],
      ['digest', {}, bytes],
      ['digest', null, bytes],
      ['digest', 'AES-CBC', bytes],
      ['digest', 'SHA-256', 'text'],
      ['digest', 'SHA-256', [1]],
      ['encrypt', { name: 'AES-CBC' }, aes, bytes],
      ['encrypt', { name: 'AES-CBC', iv: bytes.subarray(1) }, aes, bytes],
      ['encrypt', { name: 'AES-CBC', iv }, {}, bytes],
      ['encrypt', { name: 'AES-CBC', iv }, mac, bytes],
      ['encrypt', { name: 'AES-GCM', iv }, aes, bytes],
      ['encrypt', { name: 'HMAC' }, mac, bytes],
      ['encrypt', { name: 'AES-CTR', counter: bytes, length: 0 }, aes, bytes],
      ['encrypt', { name: 'AES-CTR', counter: bytes, length: 256 }, aes, bytes],
      ['encrypt', { name: 'AES-CTR', counter: bytes, length: 'x' }, aes, bytes],
      ['decrypt', { name: 'AES-CBC', iv }, aes, bytes],
      ['sign', 'HMAC', aes, bytes],
      ['verify', 'HMAC', mac, bytes, bytes],
      ['sign', { name: 'HMAC' }, mac],
      ['exportKey', 'raw', aes],
      ['exportKey', 'spki', mac],
      ['exportKey', 'der', mac],
      ['exportKey', 'pkcs8', pair.publicKey],
      ['generateKey', { name: 'AES-CBC', length: 100 }, true, ['encrypt']],
      ['generateKey', { name: 'AES-CBC', length: 128 }, true, []],
      ['generateKey', { name: 'AES-CBC', length: 128 }, true, ['sign']],
      ['generateKey', { name: 'AES-CBC', length: 128 }, true, ['paint']],
      ['generateKey', { name: 'AES-CBC' }, true, ['encrypt']],
      ['generateKey', { name: 'AES-CBC', length: -1 }, true, ['encrypt']],
      ['generateKey', { name: 'AES-CBC', length: 65536 }, true, ['encrypt']],
      ['generateKey', { name: 'HMAC', hash: 'MD5' }, true, ['sign']],
      ['generateKey', { name: 'HMAC' }, true, ['sign']],
      ['generateKey', { name: 'HMAC', hash: 'SHA-1', length: 0 }, true, ['sign']],
      ['generateKey', { name: 'ECDSA', namedCurve: 'P-192' }, true, ['sign']],
      ['generateKey', { ...rsa, publicExponent: new Uint8Array([2]) }, true, ['sign']],
      ['generateKey', { ...rsa, publicExponent: [1, 0, 1] }, true, ['sign']],
      ['generateKey', rsa, true, ['verify']],
      ['generateKey', 'Ed25519', true, ['deriveBits']],
      ['generateKey', 'PBKDF2', true, ['deriveBits']],
      ['generateKey', 'AES', true, ['sign']],
      ['generateKey', 'Ed25519', true, 'sign'],
      ['importKey', 'raw', bytes.subarray(1), 'AES-CBC', true, ['encrypt']],
      ['importKey', 'raw', bytes, 'AES-CBC', true, []],
      ['importKey', 'spki', bytes, 'AES-CBC', true, ['encrypt']],
      ['importKey', 'raw', {}, 'AES-CBC', true, ['encrypt']],
      ['importKey', 'jwk', {}, 'AES-CBC', true, ['encrypt']],
      ['importKey', 'jwk', { kty: 'oct', k: 'AAAA' }, 'AES-CBC', true, ['encrypt']],
      ['importKey', 'jwk', { kty: 'RSA', k: 'AAAA' }, 'AES-CBC', true, ['encrypt']],
      [
        'importKey',
        'jwk',
        { kty: 'oct', k: 'AAAAAAAAAAAAAAAAAAAAAA', ext: false },
        'AES-CBC',
        true,
        ['encrypt'],
      ],
      [
        'importKey',
        'jwk',
        { kty: 'oct', k: 'AAAAAAAAAAAAAAAAAAAAAA', key_ops: ['decrypt'] },
        'AES-CBC',
        true,
        ['encrypt'],
      ],
      [
        'importKey',
        'jwk',
        { kty: 'oct', k: 'AAAAAAAAAAAAAAAAAAAAAA', use: 'sig' },
        'AES-CBC',
        true,
        ['encrypt'],
      ],
      [
        'importKey',
        'jwk',
        { kty: 'oct', k: 'AAAAAAAAAAAAAAAAAAAAAA', alg: 'A256CBC' },
        'AES-CBC',
        true,
        ['encrypt'],
      ],
      ['importKey', 'spki', bytes, { name: 'RSA-PSS', hash: 'SHA-256' }, true, ['verify']],
      ['importKey', 'pkcs8', bytes, 'Ed25519', true, ['sign']],
      ['importKey', 'raw', bytes, 'PBKDF2', true, ['deriveBits']],
      ['importKey', 'raw', bytes, 'HKDF', false, ['sign']],
      ['importKey', 'raw', bytes, 'HKDF', false, []],
      ['importKey', 'raw', bytes, { name: 'ECDSA', namedCurve: 'P-256' }, true, ['verify']],
      ['importKey', 'raw', new Uint8Array(0), { name: 'HMAC', hash: 'SHA-1' }, true, ['sign']],
      [
        'importKey',
        'jwk',
        { kty: 'EC', crv: 'P-384', x: 'AA', y: 'AA' },
        { name: 'ECDSA', namedCurve: 'P-256' },
        true,
        ['verify'],
      ],
      ['deriveBits', { name: 'ECDH', public: pair.publicKey }, pair.privateKey, 4096],
      ['deriveBits', { name: 'ECDH', public: pair.privateKey }, pair.privateKey, 8],
      ['deriveBits', { name: 'ECDH', public: 'x' }, pair.privateKey, 8],
      ['deriveBits', { name: 'ECDH' }, pair.privateKey, 8],
      ['deriveBits', { name: 'ECDH', public: pair.publicKey }, mac, 8],
      ['deriveBits', { name: 'X25519', public: pair.publicKey }, pair.privateKey, 8],
      [
        'deriveKey',
        { name: 'ECDH', public: pair.publicKey },
        pair.privateKey,
        { name: 'AES-CBC', length: 128 },
        true,
        ['encrypt'],
      ],
      ['wrapKey', 'raw', mac, aes, { name: 'AES-CBC', iv }],
      ['wrapKey', 'raw', mac, aes, 'AES-KW'],
      ['wrapKey', 'raw', mac, aes, 'HMAC'],
      ['unwrapKey', 'raw', bytes, aes, { name: 'AES-CBC', iv }, 'AES-CBC', true, ['encrypt']],
    ];
    const found: unknown[] = [];
    for (const [name, ...args] of calls) {
      const how = await call(name, ...args).then(
        () => 'taken',
        (error: Error) => `${error.name} ${error instanceof DOMException}`,
      );
      found.push(`${name} ${JSON.stringify(args)}: ${how}`);
    }
    return found;
  }));

test.run();
