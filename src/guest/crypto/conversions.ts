/** Arguments of WebCrypto as WebIDL converts them. What does not fit is a TypeError. */
import { toDictionary, toSequence } from '../world/webidl.ts';
import { CryptoKey } from './crypto-key.ts';

const FORMATS = ['raw', 'spki', 'pkcs8', 'jwk'];
const USAGES = [
  'encrypt',
  'decrypt',
  'sign',
  'verify',
  'deriveKey',
  'deriveBits',
  'wrapKey',
  'unwrapKey',
];

export function isBufferSource(value: unknown): value is ArrayBuffer | ArrayBufferView {
  return ArrayBuffer.isView(value) || value instanceof ArrayBuffer;
}

/** Looked at now, copied later: getters of other arguments may change what is in it. */
export function toBufferSource(value: unknown, what: string): ArrayBuffer | ArrayBufferView {
  if (isBufferSource(value)) {
    const buffer = ArrayBuffer.isView(value) ? value.buffer : value;
    if (buffer instanceof ArrayBuffer && !isResizable(buffer)) return value;
  }
  throw new TypeError(`${what} must be an ArrayBuffer or a view of one`);
}

/** Of a detached buffer there is nothing. */
export function bytesOf(source: ArrayBuffer | ArrayBufferView): Uint8Array {
  return ArrayBuffer.isView(source)
    ? new Uint8Array(source.buffer, source.byteOffset, source.byteLength)
    : new Uint8Array(source);
}

function isResizable(buffer: ArrayBuffer): boolean {
  return (buffer as ArrayBuffer & { readonly resizable?: boolean }).resizable === true;
}

export function toKey(value: unknown, what: string): CryptoKey {
  if (value instanceof CryptoKey) return value;
  throw new TypeError(`${what} must be a CryptoKey`);
}

/** `[EnforceRange]`: no number above `max`. */
export function toWhole(value: unknown, max: number, what: string): number {
  // Throws for BigInt and Symbol, as it should.
  const number = Math.trunc(+(value as number));
  if (number >= 0 && number <= max) return number + 0;
  throw new TypeError(`${what} must be a whole number from 0 to ${max}`);
}

export function toFormat(value: unknown): string {
  return oneOf(FORMATS, value, 'The format of a key');
}

export function toUsages(value: unknown): readonly string[] {
  return toSequence(value, 'The usages of a key').map((each) =>
    oneOf(USAGES, each, 'Each usage of a key'),
  );
}

function oneOf(words: readonly string[], value: unknown, what: string): string {
  const word = `${value as string}`;
  if (words.includes(word)) return word;
  throw new TypeError(`${what} must be one of ${words.join(', ')}`);
}

type Jwk = { [member: string]: string | boolean | readonly unknown[] };

/** In WebIDL's order, which is the alphabet's. */
const JWK_MEMBERS = 'alg,crv,d,dp,dq,e,ext,k,key_ops,kty,n,oth,p,q,qi,use,x,y'.split(',');

/** The dictionary `JsonWebKey`. */
export function toJwk(value: unknown): Jwk {
  const given = toDictionary(value, 'A key in the format "jwk"');
  const jwk: Jwk = { __proto__: null } as never;
  for (const name of JWK_MEMBERS) {
    const member = given[name];
    if (member === undefined) continue;
    if (name === 'ext') jwk[name] = Boolean(member);
    else if (name === 'key_ops')
      jwk[name] = toSequence(member, name).map((each) => `${each as string}`);
    else if (name === 'oth') jwk[name] = toSequence(member, name).map(toOtherPrime);
    else jwk[name] = `${member as string}`;
  }
  return jwk;
}

function toOtherPrime(value: unknown): unknown {
  const given = toDictionary(value, 'Each other prime of a key');
  const prime: Record<string, string> = { __proto__: null } as never;
  for (const name of ['d', 'r', 't']) {
    if (given[name] !== undefined) prime[name] = `${given[name] as string}`;
  }
  return prime;
}
