/** What one module may have its host compute. The host's threads are everybody's, and no work on them can be cut short. */

export type CryptoLimits = {
  /** Bytes of one call, or of its result; the guest's own limit is the same (src/guest/crypto/ask-crypto.ts). */
  readonly bytesMax: number;
  /** Bytes of a key's material. */
  readonly keyBytesMax: number;
  /** Operations of one module under way at once; the rest wait. The host has four threads for all. */
  readonly atOnceMax: number;
  /** Bits of a new RSA key. One of 4096 takes a Pi some 20 s. */
  readonly rsaBitsMax: number;
  /** Rounds of PBKDF2, counted for each block of its result. */
  readonly roundsMax: number;
  /** Memory of one scrypt, bytes; Node's own default. */
  readonly scryptBytesMax: number;
  /** Keys kept at hand for each module; others are unsealed anew, which takes some 50 µs. */
  readonly keysAtHand: number;
};

export const defaultCryptoLimits: CryptoLimits = {
  bytesMax: 4 * 1_048_576,
  keyBytesMax: 65_536,
  atOnceMax: 2,
  rsaBitsMax: 4_096,
  roundsMax: 10_000_000,
  scryptBytesMax: 32 * 1_048_576,
  keysAtHand: 64,
};
