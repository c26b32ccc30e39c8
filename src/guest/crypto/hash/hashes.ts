/** The hashes a module computes itself, by the names OpenSSL takes for them, and HMAC over them (RFC 2104). */
import { type BlockHash, createBlockHash, type HashKind } from './block-hash.ts';
import { md5 } from './md5.ts';
import { sha1 } from './sha1.ts';
import { sha224, sha256 } from './sha256.ts';
import { sha384, sha512 } from './sha512.ts';

const kinds: Readonly<Record<string, HashKind>> = { md5, sha1, sha224, sha256, sha384, sha512 };

export const hashNames: readonly string[] = Object.keys(kinds);

/** `SHA256`, `sha-256`, `SHA2-256`, `RSA-SHA256`; undefined = not here. */
export function hashKind(name: string): HashKind | undefined {
  const plain = name
    .toLowerCase()
    .replace(/^rsa-/, '')
    .replace(/^sha2-/, 'sha')
    .replace('-', '');
  return Object.hasOwn(kinds, plain) ? kinds[plain] : undefined;
}

export type Mac = {
  update(bytes: Uint8Array): void;
  digest(): Uint8Array<ArrayBuffer>;
  copy(): Mac;
};

/** Its two hashes with the key taken in. */
export function createMac(kind: HashKind, key: Uint8Array): Mac {
  const padded = new Uint8Array(kind.blockBytes);
  padded.set(key.length > kind.blockBytes ? hashOnce(kind, key) : key);
  const begin = (mask: number): BlockHash => {
    const hash = createBlockHash(kind);
    hash.update(padded.map((byte) => byte ^ mask));
    return hash;
  };
  return resumeMac(begin(0x36), begin(0x5c));
}

function resumeMac(inner: BlockHash, outer: BlockHash): Mac {
  return {
    update: inner.update,
    digest() {
      outer.update(inner.digest());
      return outer.digest();
    },
    copy: () => resumeMac(inner.copy(), outer.copy()),
  };
}

export function hashOnce(kind: HashKind, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const hash = createBlockHash(kind);
  hash.update(bytes);
  return hash.digest();
}
