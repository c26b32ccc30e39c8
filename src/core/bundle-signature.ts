/**
 * Who signed a bundle, as text: `NAME:SIGNATURE`, the signature Ed25519 in base64url. What is signed is the
 * archive's digest, so it holds wherever the bundle lies (docs/decisions/0022-signed-bundles.md).
 */

/** Of the OCI manifest: signatures with spaces between. */
export const SIGNATURES_ANNOTATION = 'vnd.isolet.bundle.signatures';

/** More is no bundle's business, and each costs a check. */
const SIGNATURES_MAX = 16;
const NAME = '[A-Za-z0-9][A-Za-z0-9._-]{0,63}';
const SIGNATURE = new RegExp(`^(${NAME}):([A-Za-z0-9_-]{86})$`);
const KEY = new RegExp(`^(${NAME}):([A-Za-z0-9_-]{43})$`);

/** One signature, or one public key: `value` is base64url. */
export type Named = { readonly name: string; readonly value: string };

/** The bytes that are signed, as text. Nothing else that a key may ever sign begins so. */
export function signedText(sha256: string): string {
  return `isolet bundle v1\nsha256:${sha256}\n`;
}

/** What is no signature is left out: whoever demands one will miss it. */
export function readSignatures(texts: readonly string[]): readonly Named[] {
  return texts.slice(0, SIGNATURES_MAX).flatMap((text) => read(SIGNATURE, text) ?? []);
}

/** A line of `trusted_keys`; undefined when it is none. */
export function readPublicKey(text: string): Named | undefined {
  return read(KEY, text);
}

export function isKeyName(text: string): boolean {
  return new RegExp(`^${NAME}$`).test(text);
}

function read(form: RegExp, text: string): Named | undefined {
  const [, name, value] = form.exec(text.trim()) ?? [];
  return name === undefined || value === undefined ? undefined : { name, value };
}
