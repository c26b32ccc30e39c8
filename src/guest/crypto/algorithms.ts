/**
 * Algorithms as WebCrypto normalizes them (§18.4.4): which there are for an operation, and which
 * members they need of their dictionaries, read in WebIDL's order.
 */
import type { Json } from '../../core/json.ts';
import { DOMException } from '../web/dom-exception.ts';
import { bytesOf, toBufferSource, toKey, toWhole } from './conversions.ts';
import { type CryptoKey, ticketOf } from './crypto-key.ts';

export type Operation =
  | 'encrypt'
  | 'decrypt'
  | 'sign'
  | 'verify'
  | 'digest'
  | 'generateKey'
  | 'deriveBits'
  | 'importKey'
  | 'wrapKey'
  | 'unwrapKey'
  | 'get key length';

/** An algorithm as it crosses to the host: bytes as `{ b: base64 }`, a key as `{ k: ticket }`. */
export type WireAlgorithm = { readonly name: string; readonly [member: string]: Json };

/** Members: `name:kind`, with `!` if they are required. */
type Members = string;

const none = '';
const hash = 'hash!:hash';
const curve = 'namedCurve!:text';
const rsaHashedKey = `modulusLength!:long,publicExponent!:integer,${hash}`;
const hmacKey = `${hash},length:long`;
const agreed = 'public!:key';

const hkdf = `${hash},info!:bytes,salt!:bytes`;
const pbkdf2 = `${hash},iterations!:long,salt!:bytes`;

const cshake = 'outputLength!:long,customization:bytes,functionName:bytes';
const turboshake = 'outputLength!:long,domainSeparation:octet';
const kangaroo = 'outputLength!:long,customization:bytes';

type Row = Partial<Record<Operation, Members>>;

const both = (crypt: Members): Row => ({ encrypt: crypt, decrypt: crypt });
const signed = (sign: Members): Row => ({ sign, verify: sign });
const aes: Row = {
  generateKey: 'length!:short',
  importKey: none,
  'get key length': 'length!:short',
};
const rsa: Row = { generateKey: rsaHashedKey, importKey: hash };
const elliptic: Row = { generateKey: curve, importKey: curve };
const plain: Row = { generateKey: none, importKey: none };
const derived: Row = { importKey: none, 'get key length': none };

const algorithms: Readonly<Record<string, Row>> = {
  'SHA-1': { digest: none },
  'SHA-256': { digest: none },
  'SHA-384': { digest: none },
  'SHA-512': { digest: none },
  'SHA3-256': { digest: none },
  'SHA3-384': { digest: none },
  'SHA3-512': { digest: none },
  cSHAKE128: { digest: cshake },
  cSHAKE256: { digest: cshake },
  TurboSHAKE128: { digest: turboshake },
  TurboSHAKE256: { digest: turboshake },
  KT128: { digest: kangaroo },
  KT256: { digest: kangaroo },
  'AES-CBC': { ...aes, ...both('iv!:bytes') },
  'AES-CTR': { ...aes, ...both('counter!:bytes,length!:octet') },
  'AES-GCM': { ...aes, ...both('additionalData:bytes,iv!:bytes,tagLength:octet') },
  'AES-KW': { ...aes, wrapKey: none, unwrapKey: none },
  HMAC: { ...signed(none), generateKey: hmacKey, importKey: hmacKey, 'get key length': hmacKey },
  'RSA-OAEP': { ...rsa, ...both('label:bytes') },
  'RSA-PSS': { ...rsa, ...signed('saltLength!:long') },
  'RSASSA-PKCS1-v1_5': { ...rsa, ...signed(none) },
  ECDSA: { ...elliptic, ...signed(hash) },
  ECDH: { ...elliptic, deriveBits: agreed },
  Ed25519: { ...plain, ...signed(none) },
  X25519: { ...plain, deriveBits: agreed },
  HKDF: { ...derived, deriveBits: hkdf },
  PBKDF2: { ...derived, deriveBits: pbkdf2 },
};

const names = new Map(Object.keys(algorithms).map((name) => [name.toUpperCase(), name]));

const WHOLE_MAX: Readonly<Record<string, number>> = {
  octet: 0xff,
  short: 0xffff,
  long: 0xffff_ffff,
};

/** The operations are tried in their order: AES-KW wraps keys, the others encrypt them. */
export function normalize(algorithm: unknown, ...operations: readonly Operation[]): WireAlgorithm {
  const given = typeof algorithm === 'object' || typeof algorithm === 'function' ? algorithm : null;
  const from = (given ?? { name: `${algorithm as string}` }) as Readonly<Record<string, unknown>>;
  if (from['name'] === undefined) throw new TypeError('An algorithm must have a name');
  const said = `${from['name'] as string}`;
  const name = nameOf(said);
  const row = algorithms[name] ?? {};
  const members = operations.map((each) => row[each]).find((each) => each !== undefined);
  if (members === undefined) {
    throw notSupported(
      `${operations[0]} is not possible with the algorithm ${JSON.stringify(said)}`,
    );
  }
  const made = { ...readMembers(from, members, name), name };
  if (operations[0] === 'generateKey') checkGenerate(made);
  return { __proto__: null, ...made } as never;
}

/** Case matters only for letters of ASCII. */
function nameOf(said: string): string {
  const upper = said.replace(/[a-z]/g, (letter) => letter.toUpperCase());
  return names.get(upper) ?? '';
}

/** First all members are converted, and then made what they mean. */
function readMembers(
  from: Readonly<Record<string, unknown>>,
  members: Members,
  algorithm: string,
): Record<string, Json> {
  const read = (members === none ? [] : members.split(',')).map((member) => {
    const [label = '', kind = ''] = member.split(':');
    const name = label.replace('!', '');
    const what = `The member "${name}" of ${algorithm}`;
    const value = from[name];
    if (value === undefined && label !== name) throw new TypeError(`${what} is missing`);
    return { name, kind, value: value === undefined ? undefined : convert(kind, value, what) };
  });
  const made: Record<string, Json> = { __proto__: null } as never;
  for (const { name, kind, value } of read) {
    if (value !== undefined) made[name] = finish(kind, value);
  }
  return made;
}

function convert(kind: string, value: unknown, what: string): unknown {
  switch (kind) {
    case 'bytes':
      return toBufferSource(value, what);
    case 'integer':
      if (value instanceof Uint8Array) return toBufferSource(value, what);
      throw new TypeError(`${what} must be a Uint8Array`);
    case 'key':
      return toKey(value, what);
    case 'text':
      return `${value as string}`;
    case 'hash':
      return typeof value === 'object' || typeof value === 'function'
        ? value
        : `${value as string}`;
    default:
      return toWhole(value, WHOLE_MAX[kind] ?? 0, what);
  }
}

function finish(kind: string, value: unknown): Json {
  if (kind === 'hash') return normalize(value, 'digest');
  if (kind === 'key') return { __proto__: null, k: ticketOf(value as CryptoKey) } as never;
  if (kind === 'bytes' || kind === 'integer') return wireBytes(bytesOf(value as ArrayBufferView));
  return value as Json;
}

export function wireBytes(bytes: Uint8Array): Json {
  return { __proto__: null, b: bytes.toBase64() } as never;
}

/** What a new key cannot be is said before anything is done. */
function checkGenerate({ name, length, namedCurve, publicExponent }: Record<string, Json>): void {
  const isAes = (name as string).startsWith('AES-');
  if (isAes && length !== 128 && length !== 192 && length !== 256) {
    throw new DOMException(
      `An AES key has 128, 192 or 256 bits, not ${String(length)}`,
      'OperationError',
    );
  }
  if (namedCurve !== undefined && !/^P-(?:256|384|521)$/.test(namedCurve as string)) {
    throw notSupported(`${String(name)} has no curve ${JSON.stringify(namedCurve)}`);
  }
  if (publicExponent === undefined) return;
  // 65537 or 3, with zeros before it or none.
  const exponent = Uint8Array.fromBase64((publicExponent as { readonly b: string }).b).toHex();
  if (!/^(?:00)*(?:010001|03)$/.test(exponent)) {
    throw new DOMException('The public exponent of a new RSA key is 3 or 65537', 'OperationError');
  }
}

function notSupported(sentence: string): DOMException {
  return new DOMException(sentence, 'NotSupportedError');
}
