/** Whose bundles this device takes. */
import { createPublicKey, verify } from 'node:crypto';
import { type Named, readSignatures, signedText } from '../core/bundle-signature.ts';
import { asBytes } from '../lib/text.ts';

export type TrustSettings = {
  /** Without a signature by one of the keys a bundle is not taken. */
  readonly required: boolean;
  /** Ed25519 public keys, the 32 bytes in base64url. */
  readonly keys: readonly Named[];
};

export const TRUST_ALL: TrustSettings = { required: false, keys: [] };

/** Why the archive is not taken, for a person; undefined = it is. */
export function distrust(
  shown: string,
  sha256: string,
  signatures: readonly string[],
  { required, keys }: TrustSettings,
): string | undefined {
  if (!required) return undefined;
  const signed = readSignatures(signatures);
  if (signed.some((one) => keys.some((key) => key.name === one.name && isBy(key, one, sha256)))) {
    return undefined;
  }
  const trusted = `this device takes bundles signed by ${keys.map(({ name }) => name).join(' or ')} (isolet.bundles)`;
  const remedy = 'sign it with "isolet sign"';
  if (signed.length === 0) return `${shown} is not signed, and ${trusted}: ${remedy}`;
  const known = signed.filter(({ name }) => keys.some((key) => key.name === name));
  const names = (known.length > 0 ? known : signed).map(({ name }) => name).join(', ');
  return known.length > 0
    ? `the signature of ${shown} by ${names} is not right for what it names, or is by another key of that name: ${remedy} again`
    : `${shown} is signed by ${names}, and ${trusted}: ${remedy}, or add the key to isolet.bundles.trusted_keys`;
}

function isBy(key: Named, { value }: Named, sha256: string): boolean {
  const publicKey = createPublicKey({
    key: { kty: 'OKP', crv: 'Ed25519', x: key.value },
    format: 'jwk',
  });
  return verify(null, asBytes(signedText(sha256)), publicKey, Buffer.from(value, 'base64url'));
}
