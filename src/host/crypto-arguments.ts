/**
 * Reads what a module asks of the crypto service. Algorithms are put together anew from the members we
 * know, so that nothing else of a module's ever reaches Node's own code.
 */
import type { webcrypto } from 'node:crypto';
import { isJsonObject, type Json, type JsonObject } from '../core/json.ts';
import type { CryptoKeys } from './crypto-keys.ts';
import type { CryptoLimits } from './crypto-limits.ts';
import { ServiceError } from './device-services.ts';

/** An algorithm with whatever members it has. */
export type Algorithm = { name: string; [member: string]: unknown };

const NAMES = new Set(
  'SHA-1,SHA-256,SHA-384,SHA-512,SHA3-256,SHA3-384,SHA3-512,cSHAKE128,cSHAKE256,TurboSHAKE128,TurboSHAKE256,KT128,KT256,AES-CBC,AES-CTR,AES-GCM,AES-KW,HMAC,RSA-OAEP,RSA-PSS,RSASSA-PKCS1-v1_5,ECDSA,ECDH,Ed25519,X25519,HKDF,PBKDF2'.split(
    ',',
  ),
);
const BYTES =
  'additionalData,counter,customization,functionName,info,iv,label,publicExponent,salt'.split(',');
const NUMBERS =
  'domainSeparation,iterations,length,modulusLength,outputLength,saltLength,tagLength'.split(',');
const FORMATS = new Set(['raw', 'spki', 'pkcs8', 'jwk']);
/** Characters of a curve's name. */
const NAME_LENGTH_MAX = 64;
const JWK_MEMBERS = 'alg,crv,d,dp,dq,e,ext,k,key_ops,kty,n,oth,p,q,qi,use,x,y'.split(',');

export type CryptoArguments = {
  text(name: string): string;
  count(name: string, max: number): number;
  bytes(name: string, max?: number): Buffer<ArrayBuffer>;
  key(name: string): webcrypto.CryptoKey;
  algorithm(name: string): Algorithm;
  format(): webcrypto.KeyFormat;
  usages(): webcrypto.KeyUsage[];
  extractable(): boolean;
  /** Bits, or null; `algorithm` says how much work they are. */
  length(algorithm: Algorithm): number | null;
  jwk(): webcrypto.JsonWebKey;
};

export function readCryptoArguments(
  args: Json,
  keys: CryptoKeys,
  limits: CryptoLimits,
): CryptoArguments {
  const given: JsonObject = isJsonObject(args) ? args : {};

  function algorithm(value: Json | undefined): Algorithm {
    if (!isJsonObject(value as Json)) throw invalid('an algorithm is missing');
    const from = value as JsonObject;
    const name = from['name'];
    if (typeof name !== 'string' || !NAMES.has(name)) {
      throw new ServiceError('NotSupportedError', 'there is no such algorithm');
    }
    const made: Algorithm = { name };
    for (const member of BYTES) {
      if (from[member] !== undefined) made[member] = bytesOf(from[member], limits.bytesMax);
    }
    for (const member of NUMBERS) {
      const number = from[member];
      if (number === undefined) continue;
      if (!Number.isInteger(number)) throw invalid(`"${member}" is no number`);
      made[member] = number;
    }
    if (from['hash'] !== undefined) made['hash'] = algorithm(from['hash']);
    if (typeof from['namedCurve'] === 'string') {
      made['namedCurve'] = from['namedCurve'].slice(0, NAME_LENGTH_MAX);
    }
    if (from['public'] !== undefined) {
      made['public'] = keys.open((from['public'] as { readonly k?: unknown } | null)?.k);
    }
    checkWork(made, limits);
    return made;
  }

  const text = (name: string): string => {
    const value = given[name];
    if (typeof value === 'string') return value;
    throw invalid(`"${name}" is no text`);
  };

  return {
    text,
    count(name, max) {
      const value = given[name];
      if (Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= max) {
        return value as number;
      }
      throw invalid(`"${name}" must be a whole number from 0 to ${max}`);
    },
    bytes: (name, max = limits.bytesMax) => bytesOf(given[name], max),
    key: (name) => keys.open(given[name]),
    algorithm: (name) => algorithm(given[name]),
    format() {
      const format = text('format');
      if (FORMATS.has(format)) return format as webcrypto.KeyFormat;
      throw invalid('there is no such format of a key');
    },
    usages() {
      const usages = given['usages'];
      if (Array.isArray(usages) && usages.every((each) => typeof each === 'string')) {
        return usages as webcrypto.KeyUsage[];
      }
      throw invalid('the usages are no list of texts');
    },
    extractable: () => given['extractable'] === true,
    length({ iterations = 0 }) {
      const length = given['length'];
      if (length === null) return null;
      if (Number.isSafeInteger(length) && (length as number) / 8 <= limits.bytesMax) {
        checkRounds(iterations as number, (length as number) / 8, limits);
        return length as number;
      }
      throw new ServiceError('OperationError', `a length of ${String(length)} bits is too much`);
    },
    jwk() {
      const data = given['data'];
      if (!isJsonObject(data as Json)) throw invalid('the key is no JsonWebKey');
      const from = data as JsonObject;
      if (JSON.stringify(from).length > limits.keyBytesMax) throw tooLong(limits.keyBytesMax);
      return Object.fromEntries(
        JWK_MEMBERS.flatMap((name) => (from[name] === undefined ? [] : [[name, from[name]]])),
      ) as webcrypto.JsonWebKey;
    },
  };
}

/** `{ b: base64 }`. */
function bytesOf(value: Json | undefined, max: number): Buffer<ArrayBuffer> {
  const text = isJsonObject(value as Json) ? (value as JsonObject)['b'] : undefined;
  if (typeof text !== 'string') throw invalid('bytes are missing');
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length > max) throw tooLong(max);
  return bytes;
}

function checkWork(algorithm: Algorithm, limits: CryptoLimits): void {
  const { modulusLength = 0, iterations = 0, outputLength = 0 } = algorithm;
  if ((outputLength as number) / 8 > limits.bytesMax) throw tooLong(limits.bytesMax);
  if ((modulusLength as number) > limits.rsaBitsMax) {
    const text = `a new RSA key has at most ${limits.rsaBitsMax} bits here`;
    throw new ServiceError('OperationError', text);
  }
  checkRounds(iterations as number, 1, limits);
}

/** The least that a block of PBKDF2's result has, SHA-1's. */
const BLOCK_BYTES = 20;

/** Each block of the result takes all the rounds anew. */
export function checkRounds(rounds: number, bytes: number, { roundsMax }: CryptoLimits): void {
  if (rounds * Math.ceil(bytes / BLOCK_BYTES) <= roundsMax) return;
  const text = `PBKDF2 has at most ${roundsMax} iterations here, counted for each block of its result`;
  throw new ServiceError('OperationError', text);
}

function invalid(problem: string): ServiceError {
  return new ServiceError('TypeError', `crypto: ${problem}`);
}

export function tooLong(max: number): ServiceError {
  return new ServiceError(
    'OperationError',
    `this is more at once than the runtime takes: ${max} bytes; do it in parts`,
  );
}
