/** The numbers of DEFLATE both ways need (RFC 1951 §3.2.5 to §3.2.7). */

/** Symbol that ends a block. */
export const END_OF_BLOCK = 256;
export const LENGTHS_FROM = 257;

/** The first length, or distance, of each symbol, and how many bits follow it. */
export type Ranges = { readonly base: Uint16Array; readonly bits: Uint8Array };

function ranges(count: number, first: number, perSize: number): Ranges {
  const base = new Uint16Array(count);
  const bits = new Uint8Array(count);
  for (let i = 0, next = first; i < count; i++) {
    bits[i] = Math.max(0, Math.floor(i / perSize) - 1);
    base[i] = next;
    next += 1 << (bits[i] as number);
  }
  return { base, bits };
}

export const LENGTHS: Ranges = ranges(29, 3, 4);
// The longest has a symbol of its own.
LENGTHS.base[28] = 258;
LENGTHS.bits[28] = 0;
export const DISTANCES: Ranges = ranges(30, 1, 2);

/** Lengths of codes come in this order, the likely ones first. */
export const ORDER: readonly number[] = [
  16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
];

const LITERALS_MAX = 288;
export const CODE_BITS_MAX = 15;

/** Lengths of the codes a block can use without telling them. */
export const FIXED_LITERALS: Uint8Array = Uint8Array.from({ length: LITERALS_MAX }, (_, i) =>
  i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8,
);
/** Two of them mean nothing. */
export const FIXED_DISTANCES: Uint8Array = new Uint8Array(32).fill(5);

/** Codes by symbol, each with its bits turned round, as they lie in the stream. */
export function codesOf(lengths: Uint8Array): Uint16Array {
  const counts = new Uint16Array(CODE_BITS_MAX + 1);
  for (const length of lengths) counts[length] = (counts[length] as number) + 1;
  counts[0] = 0;
  const next = new Uint16Array(CODE_BITS_MAX + 2);
  for (let bits = 1; bits <= CODE_BITS_MAX; bits++) {
    next[bits + 1] = ((next[bits] as number) + (counts[bits] as number)) << 1;
  }
  return Uint16Array.from(lengths, (length) => {
    if (length === 0) return 0;
    const code = next[length] as number;
    next[length] = code + 1;
    return turned(code, length);
  });
}

function turned(code: number, bits: number): number {
  let result = 0;
  for (let i = 0; i < bits; i++) result |= ((code >> i) & 1) << (bits - 1 - i);
  return result;
}
