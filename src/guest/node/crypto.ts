/**
 * Stands in for `node:crypto`: hashes, MACs, random bytes and keys from passwords. Ciphers, signatures
 * and keys in pairs are WebCrypto's.
 */
export * from './crypto-parts.ts';
// oxlint-disable-next-line import/no-default-export -- modules write `import crypto from`
export * as default from './crypto-parts.ts';
