/**
 * Keys of one module. The module holds a *ticket* for each: the key, sealed under a secret that only
 * this table has, and that ends with it. So a module may have as many keys as its own heap holds and
 * nothing must be given back, no other module's ticket opens, and a key that is not to be exported is
 * of no use outside (docs/decisions/0015).
 */
import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  type KeyObject,
  randomBytes,
  type webcrypto,
} from 'node:crypto';
import type { JsonObject } from '../core/json.ts';
import { ServiceError } from './device-services.ts';

type Key = webcrypto.CryptoKey;

export type CryptoKeys = {
  /** What the module is told of a key: all about it, and its ticket. Throws a SyntaxError for wrong usages. */
  tell(material: KeyObject, as: KeyTerms): JsonObject;
  /** Throws an InvalidAccessError for what is no ticket of this table. */
  open(ticket: unknown): Key;
  /** From now on no ticket opens. */
  close(): void;
};

/** On what terms the module has a key. */
export type KeyTerms = {
  readonly algorithm: webcrypto.KeyAlgorithm;
  readonly extractable: boolean;
  readonly usages: readonly webcrypto.KeyUsage[];
};

type Facts = KeyTerms & { readonly type: 'secret' | 'private' | 'public' };

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** Facts come first, their length in two bytes. */
const LENGTH_BYTES = 2;

export function createCryptoKeys(atHandMax: number): CryptoKeys {
  const secret = randomBytes(32);
  /** The oldest first. */
  const atHand = new Map<string, Key>();
  let closed = false;

  function keep(ticket: string, key: Key): void {
    atHand.delete(ticket);
    atHand.set(ticket, key);
    if (atHand.size <= atHandMax) return;
    for (const oldest of atHand.keys()) {
      atHand.delete(oldest);
      return;
    }
  }

  function seal(facts: Facts, material: Buffer): string {
    const head = Buffer.from(JSON.stringify(facts));
    const length = Buffer.alloc(LENGTH_BYTES);
    length.writeUInt16BE(head.length);
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, secret, nonce);
    const sealed = [cipher.update(length), cipher.update(head), cipher.update(material)];
    return Buffer.concat([nonce, ...sealed, cipher.final(), cipher.getAuthTag()]).toString(
      'base64',
    );
  }

  function unseal(ticket: string): Key {
    const bytes = Buffer.from(ticket, 'base64');
    const nonce = bytes.subarray(0, NONCE_BYTES);
    const decipher = createDecipheriv(CIPHER, secret, nonce, { authTagLength: TAG_BYTES });
    decipher.setAuthTag(bytes.subarray(bytes.length - TAG_BYTES));
    const plain = Buffer.concat([
      decipher.update(bytes.subarray(NONCE_BYTES, bytes.length - TAG_BYTES)),
      decipher.final(),
    ]);
    const from = LENGTH_BYTES + plain.readUInt16BE(0);
    const facts = JSON.parse(plain.toString('utf8', LENGTH_BYTES, from)) as Facts;
    const material = readMaterial(facts.type, plain.subarray(from));
    plain.fill(0);
    return asKey(material, facts);
  }

  return {
    tell(material, terms) {
      const key = asKey(material, terms);
      const { type, extractable, usages } = key;
      const { publicExponent, ...algorithm } = key.algorithm as webcrypto.RsaHashedKeyAlgorithm;
      const facts: Facts = { type, extractable, algorithm, usages };
      const ticket = seal(facts, writeMaterial(material));
      keep(ticket, key);
      const exponent = publicExponent && {
        publicExponent: Buffer.from(publicExponent).toString('base64'),
      };
      return { ...facts, algorithm: { ...algorithm, ...exponent }, ticket } as never;
    },
    open(ticket) {
      if (typeof ticket === 'string' && !closed) {
        const known = atHand.get(ticket);
        if (known !== undefined) return known;
        try {
          const key = unseal(ticket);
          keep(ticket, key);
          return key;
        } catch {
          // Not sealed here.
        }
      }
      throw new ServiceError('InvalidAccessError', 'this is no key of this module');
    },
    close() {
      closed = true;
      secret.fill(0);
      atHand.clear();
    },
  };
}

function asKey(material: KeyObject, { algorithm, extractable, usages }: KeyTerms): Key {
  return material.toCryptoKey(algorithm as never, extractable, [...usages]);
}

function writeMaterial(material: KeyObject): Buffer {
  if (material.type === 'secret') return material.export();
  return material.export({ type: material.type === 'private' ? 'pkcs8' : 'spki', format: 'der' });
}

function readMaterial(type: Facts['type'], material: Buffer): KeyObject {
  if (type === 'secret') return createSecretKey(material);
  return type === 'private'
    ? createPrivateKey({ key: material, type: 'pkcs8', format: 'der' })
    : createPublicKey({ key: material, type: 'spki', format: 'der' });
}
