/** Hashes and MACs of our own, against the standards' examples and Node's for any bytes in any pieces. */
import { createHash, createHmac, getRandomValues } from 'node:crypto';
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createBlockHash, type HashKind } from '../../../src/guest/crypto/hash/block-hash.ts';
import { createMac, hashKind, hashNames, hashOnce } from '../../../src/guest/crypto/hash/hashes.ts';

const test = suite('hash');

const kindOf = (name: string): HashKind => hashKind(name) as HashKind;
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const names = fc.constantFrom(...hashNames);
const bytes = fc.uint8Array({ maxLength: 700 });

test('"abc", from the standards', () => {
  const found = (name: string): string => hex(hashOnce(kindOf(name), Buffer.from('abc')));
  assert.is(found('md5'), '900150983cd24fb0d6963f7d28e17f72');
  assert.is(found('sha1'), 'a9993e364706816aba3e25717850c26c9cd0d89d');
  assert.is(found('sha224'), '23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7');
  assert.is(found('sha256'), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  assert.is(
    found('sha384'),
    'cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7',
  );
  assert.is(
    found('sha512'),
    'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
  );
});

test('any bytes in any pieces, as Node has it', () => {
  fc.assert(
    fc.property(names, fc.array(bytes, { maxLength: 5 }), (name, pieces) => {
      const hash = createBlockHash(kindOf(name));
      for (const piece of pieces) hash.update(piece);
      const twin = hash.copy();
      const whole = createHash(name).update(Buffer.concat(pieces)).digest('hex');
      assert.is(hex(hash.digest()), whole);
      assert.is(hex(twin.digest()), whole);
    }),
  );
});

test('every length around a block', () => {
  for (const name of hashNames) {
    for (let length = 0; length < 270; length++) {
      const data = getRandomValues(new Uint8Array(length + 3)).subarray(3);
      assert.is(hex(hashOnce(kindOf(name), data)), createHash(name).update(data).digest('hex'));
    }
  }
});

test('a copy goes its own way', () => {
  const one = createBlockHash(kindOf('sha256'));
  one.update(Buffer.from('a'));
  const other = one.copy();
  one.update(Buffer.from('b'));
  other.update(Buffer.from('c'));
  assert.is(hex(one.digest()), createHash('sha256').update('ab').digest('hex'));
  assert.is(hex(other.digest()), createHash('sha256').update('ac').digest('hex'));
});

test('HMAC of any key and bytes, as Node has it', () => {
  fc.assert(
    fc.property(names, fc.uint8Array({ maxLength: 200 }), bytes, (name, key, data) => {
      const mac = createMac(kindOf(name), key);
      mac.update(data);
      assert.is(hex(mac.digest()), createHmac(name, key).update(data).digest('hex'));
    }),
  );
});

test('names as OpenSSL takes them', () => {
  for (const name of ['SHA256', 'sha-256', 'SHA2-256', 'RSA-SHA256', 'Sha256']) {
    assert.is(hashKind(name), hashKind('sha256'), name);
  }
  for (const name of ['', 'sha3-256', 'constructor', 'sha', 'whirlpool']) {
    assert.is(hashKind(name), undefined, name);
  }
});

test.run();
