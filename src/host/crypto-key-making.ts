/**
 * Makes keys by Node's WebCrypto for a table that needs their material, whatever terms the module wants:
 * each is made so that it may be exported, and takes on its true terms afterwards.
 */
import { createSecretKey, KeyObject, webcrypto } from 'node:crypto';
import type { Algorithm } from './crypto-arguments.ts';
import type { KeyTerms } from './crypto-keys.ts';

const { subtle } = webcrypto;

type Key = webcrypto.CryptoKey;
/** The terms the module asks for. */
export type Wanted = {
  readonly algorithm: Algorithm;
  readonly extractable: boolean;
  readonly usages: readonly webcrypto.KeyUsage[];
};
export type MadeKey = { readonly material: KeyObject; readonly terms: KeyTerms };

/** Stands in for any secret: its bytes come out as they went in. */
const ANY_BYTES = { name: 'HMAC', hash: 'SHA-256' };

/** Secrets that only others are derived from; the standard never lets them out. */
function isForDerivation({ name }: Algorithm): boolean {
  return name === 'HKDF' || name === 'PBKDF2';
}

export async function importKey(
  format: webcrypto.KeyFormat,
  data: Buffer<ArrayBuffer> | webcrypto.JsonWebKey,
  wanted: Wanted,
): Promise<MadeKey> {
  const usages = [...wanted.usages];
  const algorithm = wanted.algorithm as never;
  if (isForDerivation(wanted.algorithm)) {
    // For what may be wrong with it.
    const key = await importAny(format, data, algorithm, wanted.extractable, usages);
    const material = createSecretKey(data as Buffer);
    return { material, terms: { algorithm: key.algorithm, extractable: false, usages } };
  }
  // A JWK that says it is not to be exported contradicts only who wants to.
  const { ext: _, ...free } = data as webcrypto.JsonWebKey;
  const given = format === 'jwk' && !wanted.extractable ? free : data;
  return made(await importAny(format, given, algorithm, true, usages), wanted.extractable);
}

function importAny(
  format: webcrypto.KeyFormat,
  data: Buffer<ArrayBuffer> | webcrypto.JsonWebKey,
  algorithm: never,
  extractable: boolean,
  usages: webcrypto.KeyUsage[],
): Promise<Key> {
  return subtle.importKey(
    format as 'raw',
    data as Buffer<ArrayBuffer>,
    algorithm,
    extractable,
    usages,
  );
}

export async function unwrapKey(
  format: webcrypto.KeyFormat,
  data: Buffer<ArrayBuffer>,
  key: Key,
  algorithm: Algorithm,
  wanted: Wanted,
): Promise<MadeKey> {
  const bytes = await subtle.unwrapKey('raw', data, key, algorithm as never, ANY_BYTES, true, [
    'sign',
  ]);
  const plain = Buffer.from(await subtle.exportKey('raw', bytes));
  return importKey(format, format === 'jwk' ? parseJwk(plain) : plain, wanted);
}

function parseJwk(plain: Buffer): webcrypto.JsonWebKey {
  try {
    const jwk = JSON.parse(plain.toString()) as unknown;
    if (typeof jwk === 'object' && jwk !== null && 'kty' in jwk) return jwk as webcrypto.JsonWebKey;
  } catch {
    // As without a type.
  }
  throw new DOMException('What was wrapped is no JSON Web Key', 'DataError');
}

export async function generateKey(
  wanted: Wanted,
): Promise<MadeKey | { readonly publicKey: MadeKey; readonly privateKey: MadeKey }> {
  const key = await subtle.generateKey(wanted.algorithm as never, true, [...wanted.usages]);
  if (!('publicKey' in key)) return made(key as Key, wanted.extractable);
  const { publicKey, privateKey } = key as webcrypto.CryptoKeyPair;
  return { publicKey: made(publicKey, true), privateKey: made(privateKey, wanted.extractable) };
}

export async function deriveKey(algorithm: Algorithm, key: Key, wanted: Wanted): Promise<MadeKey> {
  const usages = [...wanted.usages];
  if (!isForDerivation(wanted.algorithm)) {
    const derived = wanted.algorithm as never;
    const secret = await subtle.deriveKey(algorithm as never, key, derived, true, usages);
    return made(secret, wanted.extractable);
  }
  // All that the two keys agree on.
  const any = { ...ANY_BYTES, length: agreedBits(key) };
  const secret = await subtle.deriveKey(algorithm as never, key, any, true, ['sign']);
  const bytes = Buffer.from(await subtle.exportKey('raw', secret));
  return importKey('raw', bytes, wanted);
}

function agreedBits({ algorithm }: Key): number {
  const { namedCurve } = algorithm as webcrypto.EcKeyAlgorithm;
  if (algorithm.name === 'X25519') return 256;
  if (algorithm.name === 'ECDH') return { 'P-256': 256, 'P-384': 384 }[namedCurve] ?? 528;
  throw new DOMException(`${algorithm.name} needs a length to derive`, 'OperationError');
}

function made(key: Key, extractable: boolean): MadeKey {
  const { algorithm, usages } = key;
  return { material: KeyObject.from(key), terms: { algorithm, extractable, usages } };
}
