/**
 * Keys from passwords and secrets. With a callback the host does it on its threads; the forms that give
 * their result at once are computed here, so that many rounds count to the module's turn.
 */
import type { Json } from '../../core/json.ts';
import { askCrypto } from '../crypto/ask-crypto.ts';
import { createMac } from '../crypto/hash/hashes.ts';
import { anyBytes, type BytesInput, checkWhole } from './crypto-bytes.ts';
import { kindOf } from './crypto-hash.ts';
import { checkFunction, checkString, invalidType, withCode } from './node-errors.ts';

type Done<Value> = (error: Error | null, value?: Value) => void;

const COUNT_MAX = 2 ** 31 - 1;

export function pbkdf2(
  password: BytesInput,
  salt: BytesInput,
  iterations: number,
  keylen: number,
  digest: string,
  callback: Done<Buffer>,
): void {
  const asked = pbkdf2Arguments(password, salt, iterations, keylen, digest);
  checkFunction('callback', callback);
  ask('pbkdf2', { ...wire(asked), iterations, length: keylen, hash: digest }, callback, asBuffer);
}

export function pbkdf2Sync(
  password: BytesInput,
  salt: BytesInput,
  iterations: number,
  keylen: number,
  digest: string,
): Buffer {
  const asked = pbkdf2Arguments(password, salt, iterations, keylen, digest);
  const kind = kindOf(digest);
  const keyed = createMac(kind, asked.password);
  const out = Buffer.alloc(keylen);
  const counter = new Uint8Array(4);
  for (let at = 0, block = 1; at < keylen; at += kind.digestBytes, block++) {
    new DataView(counter.buffer).setUint32(0, block);
    const first = keyed.copy();
    first.update(asked.salt);
    first.update(counter);
    let last = first.digest();
    const sum = last.slice();
    for (let round = 1; round < iterations; round++) {
      const mac = keyed.copy();
      mac.update(last);
      last = mac.digest();
      for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) ^ (last[i] as number);
    }
    out.set(sum.subarray(0, keylen - at), at);
  }
  return out;
}

function pbkdf2Arguments(
  password: BytesInput,
  salt: BytesInput,
  iterations: number,
  keylen: number,
  digest: string,
): { readonly password: Uint8Array; readonly salt: Uint8Array } {
  checkString('digest', digest);
  const bytes = { password: anyBytes(password, 'password'), salt: anyBytes(salt, 'salt') };
  checkWhole('iterations', iterations, 1, COUNT_MAX);
  checkWhole('keylen', keylen, 0, COUNT_MAX);
  return bytes;
}

export function hkdf(
  digest: string,
  ikm: BytesInput,
  salt: BytesInput,
  info: BytesInput,
  keylen: number,
  callback: Done<ArrayBuffer>,
): void {
  const asked = hkdfArguments(digest, ikm, salt, info, keylen);
  checkFunction('callback', callback);
  ask('hkdf', { ...wire(asked), length: keylen, hash: digest }, callback, (buffer) => buffer);
}

/** RFC 5869. */
export function hkdfSync(
  digest: string,
  ikm: BytesInput,
  salt: BytesInput,
  info: BytesInput,
  keylen: number,
): ArrayBuffer {
  const asked = hkdfArguments(digest, ikm, salt, info, keylen);
  const kind = kindOf(digest);
  if (keylen > 255 * kind.digestBytes) {
    throw withCode(new RangeError('Invalid key length'), 'ERR_CRYPTO_INVALID_KEYLEN');
  }
  const extract = createMac(kind, asked.salt);
  extract.update(asked.key);
  const keyed = createMac(kind, extract.digest());
  const out = new Uint8Array(keylen);
  let last = new Uint8Array(0);
  for (let at = 0, block = 1; at < keylen; at += kind.digestBytes, block++) {
    const mac = keyed.copy();
    mac.update(last);
    mac.update(asked.info);
    mac.update(Uint8Array.of(block));
    last = mac.digest();
    out.set(last.subarray(0, keylen - at), at);
  }
  return out.buffer;
}

type HkdfBytes = {
  readonly key: Uint8Array;
  readonly salt: Uint8Array;
  readonly info: Uint8Array;
};

function hkdfArguments(
  digest: string,
  ikm: BytesInput,
  salt: BytesInput,
  info: BytesInput,
  keylen: number,
): HkdfBytes {
  checkString('digest', digest);
  const bytes = {
    key: anyBytes(ikm, 'ikm'),
    salt: anyBytes(salt, 'salt'),
    info: anyBytes(info, 'info'),
  };
  checkWhole('length', keylen, 0, COUNT_MAX);
  return bytes;
}

type ScryptOptions = {
  readonly N?: number;
  readonly cost?: number;
  readonly r?: number;
  readonly blockSize?: number;
  readonly p?: number;
  readonly parallelization?: number;
  readonly maxmem?: number;
};

const SCRYPT_MEMORY = 32 * 1024 * 1024;

export function scrypt(
  password: BytesInput,
  salt: BytesInput,
  keylen: number,
  options: ScryptOptions | Done<Buffer>,
  callback?: Done<Buffer>,
): void {
  const done = typeof options === 'function' ? options : callback;
  const asked = { password: anyBytes(password, 'password'), salt: anyBytes(salt, 'salt') };
  checkWhole('keylen', keylen, 0, COUNT_MAX);
  checkFunction('callback', done);
  if (typeof options !== 'function' && (typeof options !== 'object' || options === null)) {
    throw invalidType('options', 'of type object', options);
  }
  const {
    N,
    cost = N,
    r,
    blockSize = r,
    p,
    parallelization = p,
    maxmem,
  } = options as ScryptOptions;
  const numbers = {
    length: keylen,
    cost: cost ?? 16_384,
    blockSize: blockSize ?? 8,
    parallelization: parallelization ?? 1,
    memory: maxmem ?? SCRYPT_MEMORY,
  };
  ask('scrypt', { ...wire(asked), ...numbers }, done as Done<Buffer>, asBuffer);
}

function wire(bytes: Readonly<Record<string, Uint8Array>>): Record<string, Json> {
  return Object.fromEntries(
    Object.entries(bytes).map(([name, each]) => [name, { b: each.toBase64() }]),
  );
}

function ask<Value>(
  what: string,
  args: Record<string, Json>,
  callback: Done<Value>,
  form: (buffer: ArrayBuffer) => Value,
): void {
  const size = JSON.stringify(args).length;
  const failed = (_code: string, message: string, at: Error): Error => {
    at.message = message;
    return withCode(at, 'ERR_CRYPTO_OPERATION_FAILED');
  };
  // What the callback throws is an uncaught error, not a rejection.
  askCrypto(what, { __proto__: null, ...args } as never, size, failed).then(
    (text) => process.nextTick(callback, null, form(Uint8Array.fromBase64(text as string).buffer)),
    (error: Error) => process.nextTick(callback as Done<undefined>, error),
  );
}

function asBuffer(buffer: ArrayBuffer): Buffer {
  return Buffer.from(buffer);
}
