/** CRC-32 of gzip (RFC 1952 §8) and Adler-32 of zlib (RFC 1950 §9). */

let table: Int32Array | undefined;

function makeTable(): Int32Array {
  return Int32Array.from({ length: 256 }, (_, i) => {
    let value = i;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
    return value;
  });
}

export function crc32(bytes: Uint8Array, from = 0): number {
  table ??= makeTable();
  let crc = ~from;
  for (let i = 0; i < bytes.length; i++) {
    crc = (crc >>> 8) ^ (table[(crc ^ (bytes[i] as number)) & 0xff] as number);
  }
  return ~crc >>> 0;
}

/** So many bytes can be summed before the sums must be cut. */
const ADLER_STRIDE = 3800;

export function adler32(bytes: Uint8Array): number {
  let low = 1;
  let high = 0;
  for (let at = 0; at < bytes.length; at += ADLER_STRIDE) {
    const end = Math.min(at + ADLER_STRIDE, bytes.length);
    for (let i = at; i < end; i++) {
      low += bytes[i] as number;
      high += low;
    }
    low %= 65_521;
    high %= 65_521;
  }
  return ((high << 16) | low) >>> 0;
}
