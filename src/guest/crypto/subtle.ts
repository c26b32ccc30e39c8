/**
 * `SubtleCrypto` (§14). Arguments are converted and algorithms normalized here, and bytes copied, before
 * a method returns; the rest of each operation is done by the host, which has the keys.
 */
import type { Json } from '../../core/json.ts';
import { describeInterface, needArguments } from '../world/webidl.ts';
import { normalize, type WireAlgorithm, wireBytes } from './algorithms.ts';
import { askCrypto } from './ask-crypto.ts';
import {
  bytesOf,
  isBufferSource,
  toBufferSource,
  toFormat,
  toJwk,
  toKey,
  toUsages,
} from './conversions.ts';
import { type CryptoKey, type KeyFacts, keyOf, ticketOf } from './crypto-key.ts';

type Bytes = ArrayBuffer | ArrayBufferView;
type AlgorithmIdentifier = string | object;
type CryptoKeyPair = { publicKey: CryptoKey; privateKey: CryptoKey };

/** The standard gives it no constructor. */
const inside = Symbol('inside');

export class SubtleCrypto {
  constructor(...[key]: unknown[]) {
    if (key !== inside) throw new TypeError('Illegal constructor: use crypto.subtle');
  }

  async encrypt(algorithm: AlgorithmIdentifier, key: CryptoKey, data: Bytes): Promise<ArrayBuffer> {
    check(this, 'encrypt', arguments.length, 3);
    return crypt('encrypt', algorithm, key, data);
  }

  async decrypt(algorithm: AlgorithmIdentifier, key: CryptoKey, data: Bytes): Promise<ArrayBuffer> {
    check(this, 'decrypt', arguments.length, 3);
    return crypt('decrypt', algorithm, key, data);
  }

  async sign(algorithm: AlgorithmIdentifier, key: CryptoKey, data: Bytes): Promise<ArrayBuffer> {
    check(this, 'sign', arguments.length, 3);
    return crypt('sign', algorithm, key, data);
  }

  async verify(
    algorithm: AlgorithmIdentifier,
    key: CryptoKey,
    signature: Bytes,
    data: Bytes,
  ): Promise<boolean> {
    check(this, 'verify', arguments.length, 4);
    const ticket = ticketOf(toKey(key, 'The key'));
    const signed = toBufferSource(signature, 'The signature');
    const source = toBufferSource(data, 'The data');
    const normal = normalize(algorithm, 'verify');
    const args = { signature: wireBytes(bytesOf(signed)), data: wireBytes(bytesOf(source)) };
    return (await ask('verify', { algorithm: normal, key: ticket, ...args })) as boolean;
  }

  async digest(algorithm: AlgorithmIdentifier, data: Bytes): Promise<ArrayBuffer> {
    check(this, 'digest', arguments.length, 2);
    const source = toBufferSource(data, 'The data');
    const normal = normalize(algorithm, 'digest');
    return bufferOf(await ask('digest', { algorithm: normal, data: wireBytes(bytesOf(source)) }));
  }

  async generateKey(
    algorithm: AlgorithmIdentifier,
    extractable: boolean,
    keyUsages: Iterable<string>,
  ): Promise<CryptoKey | CryptoKeyPair> {
    check(this, 'generateKey', arguments.length, 3);
    const usages = toUsages(keyUsages);
    const normal = normalize(algorithm, 'generateKey');
    const made = await ask('generateKey', {
      algorithm: normal,
      extractable: Boolean(extractable),
      usages,
    });
    const { publicKey, privateKey } = made as { readonly [name: string]: KeyFacts };
    if (publicKey === undefined || privateKey === undefined) return keyOf(made as KeyFacts);
    return { publicKey: keyOf(publicKey), privateKey: keyOf(privateKey) };
  }

  async deriveKey(
    algorithm: AlgorithmIdentifier,
    baseKey: CryptoKey,
    derivedKeyType: AlgorithmIdentifier,
    extractable: boolean,
    keyUsages: Iterable<string>,
  ): Promise<CryptoKey> {
    check(this, 'deriveKey', arguments.length, 5);
    const key = ticketOf(toKey(baseKey, 'The base key'));
    const usages = toUsages(keyUsages);
    const normal = normalize(algorithm, 'deriveBits');
    const derived = {
      __proto__: null,
      ...normalize(derivedKeyType, 'importKey'),
      ...normalize(derivedKeyType, 'get key length'),
    };
    const args = { algorithm: normal, key, derived, extractable: Boolean(extractable), usages };
    return keyOf((await ask('deriveKey', args as never)) as KeyFacts);
  }

  async deriveBits(
    algorithm: AlgorithmIdentifier,
    baseKey: CryptoKey,
    length: number | null = null,
  ): Promise<ArrayBuffer> {
    check(this, 'deriveBits', arguments.length, 2);
    const key = ticketOf(toKey(baseKey, 'The base key'));
    // `unsigned long?`, without a range.
    const bits = length === null ? null : +length >>> 0;
    const normal = normalize(algorithm, 'deriveBits');
    return bufferOf(await ask('deriveBits', { algorithm: normal, key, length: bits }));
  }

  async importKey(
    format: string,
    keyData: Bytes | object,
    algorithm: AlgorithmIdentifier,
    extractable: boolean,
    keyUsages: Iterable<string>,
  ): Promise<CryptoKey> {
    check(this, 'importKey', arguments.length, 5);
    const form = toFormat(format);
    const given = isBufferSource(keyData) ? toBufferSource(keyData, 'The key') : toJwk(keyData);
    const usages = toUsages(keyUsages);
    const normal = normalize(algorithm, 'importKey');
    if (isBufferSource(given) === (form === 'jwk')) {
      throw new TypeError(
        `The format "${form}" needs ${form === 'jwk' ? 'a JsonWebKey' : 'bytes'}`,
      );
    }
    const data = isBufferSource(given) ? wireBytes(bytesOf(given)) : given;
    const args = {
      format: form,
      data,
      algorithm: normal,
      extractable: Boolean(extractable),
      usages,
    };
    return keyOf((await ask('importKey', args as never)) as KeyFacts);
  }

  async exportKey(format: string, key: CryptoKey): Promise<ArrayBuffer | object> {
    check(this, 'exportKey', arguments.length, 2);
    const form = toFormat(format);
    const ticket = ticketOf(toKey(key, 'The key'));
    const exported = await ask('exportKey', { format: form, key: ticket });
    return typeof exported === 'string' ? bufferOf(exported) : (exported as object);
  }

  async wrapKey(
    format: string,
    key: CryptoKey,
    wrappingKey: CryptoKey,
    wrapAlgorithm: AlgorithmIdentifier,
  ): Promise<ArrayBuffer> {
    check(this, 'wrapKey', arguments.length, 4);
    const form = toFormat(format);
    const wrapped = ticketOf(toKey(key, 'The key'));
    const wrapping = ticketOf(toKey(wrappingKey, 'The wrapping key'));
    const normal = normalize(wrapAlgorithm, 'wrapKey', 'encrypt');
    return bufferOf(
      await ask('wrapKey', {
        format: form,
        key: wrapped,
        wrappingKey: wrapping,
        algorithm: normal,
      }),
    );
  }

  async unwrapKey(
    format: string,
    wrappedKey: Bytes,
    unwrappingKey: CryptoKey,
    unwrapAlgorithm: AlgorithmIdentifier,
    unwrappedKeyAlgorithm: AlgorithmIdentifier,
    extractable: boolean,
    keyUsages: Iterable<string>,
  ): Promise<CryptoKey> {
    check(this, 'unwrapKey', arguments.length, 7);
    const form = toFormat(format);
    const source = toBufferSource(wrappedKey, 'The wrapped key');
    const key = ticketOf(toKey(unwrappingKey, 'The unwrapping key'));
    const usages = toUsages(keyUsages);
    const normal = normalize(unwrapAlgorithm, 'unwrapKey', 'decrypt');
    const unwrapped = normalize(unwrappedKeyAlgorithm, 'importKey');
    const args = {
      format: form,
      data: wireBytes(bytesOf(source)),
      key,
      algorithm: normal,
      unwrapped,
      extractable: Boolean(extractable),
      usages,
    };
    return keyOf((await ask('unwrapKey', args)) as KeyFacts);
  }
}

describeInterface(SubtleCrypto);

export const subtle = new SubtleCrypto(inside);

function check(self: unknown, method: string, count: number, needed: number): void {
  if (self !== subtle) throw new TypeError('Illegal invocation: this is no SubtleCrypto');
  needArguments(count, needed, `crypto.subtle.${method}`);
}

async function crypt(
  what: 'encrypt' | 'decrypt' | 'sign',
  algorithm: unknown,
  key: unknown,
  data: unknown,
): Promise<ArrayBuffer> {
  const ticket = ticketOf(toKey(key, 'The key'));
  const source = toBufferSource(data, 'The data');
  const normal = normalize(algorithm, what);
  return bufferOf(
    await ask(what, { algorithm: normal, key: ticket, data: wireBytes(bytesOf(source)) }),
  );
}

type Args = { readonly algorithm?: WireAlgorithm; readonly [name: string]: unknown };

/** Room for all but the bytes, which are counted. */
const SIZE_BASE = 4_096;

function ask(what: string, args: Args): Promise<Json> {
  let size = SIZE_BASE;
  for (const value of Object.values(args)) {
    if (typeof value === 'string') size += value.length;
    else if (typeof value === 'object' && value !== null && 'b' in value) {
      size += (value as { readonly b: string }).b.length;
    }
  }
  return askCrypto(what, { __proto__: null, ...args } as never, size);
}

function bufferOf(text: Json): ArrayBuffer {
  return Uint8Array.fromBase64(text as string).buffer;
}
