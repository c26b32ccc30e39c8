/** Random bytes of the guest: the stream is ChaCha20's, keys are forgotten, and `crypto` behaves as the standard says. */
import { createCipheriv } from 'node:crypto';
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { chachaBlock, createRandom } from '../../../src/guest/crypto/random.ts';
import { inGuest } from './with-host.ts';

const test = suite('random');

const POOL_BYTES = 1024;
const KEY_BYTES = 32;

function block(key: Uint8Array, counter: number): string {
  const out = new Uint32Array(16);
  const words = new Uint32Array(new Uint8Array(key).buffer);
  chachaBlock(words, counter, new Uint32Array(16), out, 0);
  return Buffer.from(out.buffer).toString('hex');
}

/** The key stream as OpenSSL has it. */
function stream(key: Uint8Array, counter: number, size: number): Buffer {
  const iv = Buffer.alloc(16);
  iv.writeUInt32LE(counter);
  return createCipheriv('chacha20', key, iv).update(Buffer.alloc(size));
}

test('the blocks of RFC 8439, appendix A.1', () => {
  const key = new Uint8Array(32);
  assert.is(
    block(key, 0),
    '76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586',
  );
  assert.is(
    block(key, 1),
    '9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed29b721769ce64e43d57133b074d839d531ed1f28510afb45ace10a1f4b794d6f',
  );
});

test('any key, any counter', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.nat(), (key, counter) => {
      assert.is(block(key, counter), stream(key, counter, 64).toString('hex'));
    }),
  );
});

test('each refill gives the next key first, whatever the sizes asked for', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 32, maxLength: 32 }),
      fc.array(fc.nat({ max: 3000 }), { minLength: 1, maxLength: 6 }),
      (seed, sizes) => {
        const total = sizes.reduce((sum, size) => sum + size, 0);
        const expected: Buffer[] = [];
        let key: Uint8Array = new Uint8Array(seed);
        for (let have = 0; have < total; have += POOL_BYTES - KEY_BYTES) {
          const pool = stream(key, 0, POOL_BYTES);
          key = pool.subarray(0, KEY_BYTES);
          expected.push(pool.subarray(KEY_BYTES));
        }
        const random = createRandom(new Uint8Array(seed));
        const found = sizes.map((size) => {
          const bytes = new Uint8Array(size);
          random(bytes);
          return bytes;
        });
        assert.equal(Buffer.concat(found), Buffer.concat(expected).subarray(0, total));
      },
    ),
  );
});

test('the seed is taken over', () => {
  const seed = new Uint8Array(32).fill(9);
  createRandom(seed);
  assert.equal(seed, new Uint8Array(32));
});

test('crypto as the standard has it', async () => {
  const found = await inGuest(() => {
    const how = (run: () => unknown): unknown => {
      try {
        return run();
      } catch (error) {
        const { name, code } = error as DOMException;
        return [name, code, (error as object).constructor.name];
      }
    };
    const any = crypto as unknown as Record<string, (...args: unknown[]) => unknown>;
    const random = (array?: unknown): unknown => any['getRandomValues']?.(array);
    const kinds = [
      Int8Array,
      Uint8Array,
      Uint8ClampedArray,
      Int16Array,
      Uint16Array,
      Int32Array,
      Uint32Array,
      BigInt64Array,
      BigUint64Array,
    ];
    const most = kinds.map((Kind) => {
      const array = new Kind(65_536 / Kind.BYTES_PER_ELEMENT);
      return random(array) === array && array.some((each) => Number(each) !== 0);
    });
    const part = new Uint8Array(64);
    crypto.getRandomValues(part.subarray(8, 56));
    class Own extends Uint8Array {}
    return {
      most,
      part:
        [...part.slice(0, 8), ...part.slice(56)].every((each) => each === 0) &&
        part.some((each) => each > 0),
      own: random(new Own(4)) instanceof Own,
      refused: [
        how(() => random()),
        how(() => random([1])),
        how(() => random(new ArrayBuffer(4))),
        how(() => random(new DataView(new ArrayBuffer(4)))),
        how(() => random(new Float32Array(4))),
        how(() => random(new Float64Array(100_000))),
        how(() => random(new Uint8Array(65_537))),
        how(() => random(new BigInt64Array(8193))),
        how(() => Reflect.construct(crypto.constructor, [])),
        how(() => Reflect.construct(CryptoKey, [])),
        how(() => Reflect.construct(SubtleCrypto, [])),
        how(() => any['randomUUID']?.call({})),
        how(() => Reflect.get(Object.getPrototypeOf(crypto) as object, 'subtle', {})),
      ],
      tags: [crypto, crypto.subtle].map(String),
      same: crypto.subtle === crypto.subtle,
      members: Object.entries(
        Object.getOwnPropertyDescriptors(Object.getPrototypeOf(crypto) as object),
      ).map(([name, { enumerable }]) => [name, enumerable]),
      key: Object.entries(Object.getOwnPropertyDescriptors(CryptoKey.prototype)).map(
        ([name, { enumerable, get }]) => [name, enumerable, typeof get],
      ),
      lengths: Object.entries(Object.getOwnPropertyDescriptors(SubtleCrypto.prototype)).map(
        ([name, { value }]) => [name, typeof value === 'function' ? value.length : 0],
      ),
      global: ['crypto', 'Crypto', 'CryptoKey', 'SubtleCrypto'].map((name) => {
        const { writable, enumerable, configurable } =
          Object.getOwnPropertyDescriptor(globalThis, name) ?? {};
        return [writable, enumerable, configurable];
      }),
    };
  });
  assert.equal(found, {
    most: Array.from({ length: 9 }, () => true),
    part: true,
    own: true,
    refused: [
      ['TypeError', null, 'TypeError'],
      ['TypeError', null, 'TypeError'],
      ['TypeError', null, 'TypeError'],
      ['TypeMismatchError', 17, 'DOMException'],
      ['TypeMismatchError', 17, 'DOMException'],
      ['TypeMismatchError', 17, 'DOMException'],
      ['QuotaExceededError', 22, 'QuotaExceededError'],
      ['QuotaExceededError', 22, 'QuotaExceededError'],
      ...Array.from({ length: 5 }, () => ['TypeError', null, 'TypeError']),
    ],
    tags: ['[object Crypto]', '[object SubtleCrypto]'],
    same: true,
    members: [
      ['constructor', false],
      ['getRandomValues', true],
      ['randomUUID', true],
      ['subtle', true],
    ],
    key: [
      ['constructor', false, 'undefined'],
      ['type', true, 'function'],
      ['extractable', true, 'function'],
      ['algorithm', true, 'function'],
      ['usages', true, 'function'],
    ],
    lengths: [
      ['constructor', 0],
      ['encrypt', 3],
      ['decrypt', 3],
      ['sign', 3],
      ['verify', 4],
      ['digest', 2],
      ['generateKey', 3],
      ['deriveKey', 5],
      ['deriveBits', 2],
      ['importKey', 5],
      ['exportKey', 2],
      ['wrapKey', 4],
      ['unwrapKey', 7],
    ],
    global: Array.from({ length: 4 }, () => [true, false, true]),
  });
});

test('no two draws are equal', async () => {
  const ask = (): Promise<string[]> =>
    inGuest(() => Array.from({ length: 100 }, () => crypto.randomUUID()));
  const uuids = await ask();
  assert.is(new Set(uuids).size, 100);
  // All comes from the seed: the box of the tests gives every start the same.
  assert.equal(await ask(), uuids);
});

test.run();
